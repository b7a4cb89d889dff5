"""Models from files; see `rnnfast.training.model_file`."""

from __future__ import annotations

from rnnfast.models.functional import Model
from rnnfast.models.sequential import Sequential
from rnnfast.training import model_file, state_file, weights_file

_CLASSES: dict[str, type[Sequential] | type[Model]] = {"Sequential": Sequential, "Model": Model}


def load_model(filepath: weights_file.Filepath, compile: bool = True) -> Sequential | Model:
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
    path = weights_file.as_path(filepath)
    state, arrays = state_file.decode(path, model_file.KIND)
    try:
        model = _CLASSES[state["class_name"]].from_config(state["config"])
        weights_file.put(arrays, model.layers)
        if compile and state["compiled"] is not None:
            model.compile(**model_file.compile_arguments(state["compiled"]))
            model.optimizer.set_state(state["optimizer"])
    except (AttributeError, LookupError, TypeError, ValueError, NotImplementedError) as error:
        raise ValueError(f"{path} is damaged, or of another rnnfast: {error}") from error
    return model
