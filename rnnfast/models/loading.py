"""Models from files; see `rnnfast.training.model_file`."""

from __future__ import annotations

from rnnfast.files import destination, state_file
from rnnfast.layers import weight_limit
from rnnfast.models.functional import Model
from rnnfast.models.sequential import Sequential
from rnnfast.training import keras_weights_file, model_file, weights_file

_CLASSES: dict[str, type[Sequential] | type[Model]] = {"Sequential": Sequential, "Model": Model}

# What constructors raise for arguments of any kind.
_REFUSED = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
)


def load_model(filepath: destination.Filepath, compile: bool = True) -> Sequential | Model:
    """Read a model that `save` has written.

    Parameters
    ----------
    filepath : path
        Must end in `.safetensors`.
    compile : bool, default True
        Whether the model gets the optimizer, with its state, the losses and metrics that it was
        saved with.

    Returns
    -------
    Sequential or Model
        With its weights.

    Raises
    ------
    ValueError
        When the ending is another, the file is damaged, or holds no model, or layers that this
        rnnfast does not have.
    OSError
        When there is no file to read.
    """
    if str(filepath).endswith(keras_weights_file.ENDINGS):
        raise ValueError(
            f"load_model reads files of rnnfast, which end in .safetensors, got {str(filepath)!r}: "
            f"make the model and read Keras's weights with load_weights"
        )
    path = destination.as_path(filepath)
    state, arrays = state_file.decode(path, model_file.KIND)
    try:
        # A file that is no larger than its weights may ask for layers that no memory holds.
        with weight_limit.at_most(sum(array.size for array in arrays.values())):
            model = _CLASSES[state["class_name"]].from_config(state["config"])
        weights_file.put_all(path, arrays, model.layers)
        if compile and state["compiled"] is not None:
            model.compile(**model_file.compile_arguments(state["compiled"]))
            model.optimizer.set_state(state["optimizer"])
    except _REFUSED as error:
        raise ValueError(f"{path} is damaged, or of another rnnfast: {error}") from error
    return model
