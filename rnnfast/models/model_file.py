"""A whole model in one safetensors file: layers, weights, and how it is trained.

Weights have the names that `save_weights` gives them, so that `load_weights` and other programs can
read them. Beside them stand the optimizer's arrays, and in the file's metadata, as JSON, what the
layers are, how they are connected, and what `compile` was told. Nothing in the file is code.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from rnnfast import losses, metrics, optimizers
from rnnfast.models.functional import Model
from rnnfast.models.sequential import Sequential
from rnnfast.training import model as training
from rnnfast.training import safetensors_file, state_file, weights_file
from rnnfast.training.judges import Choices

_KIND = safetensors_file.BESIDE.rstrip("/")
_CLASSES: dict[str, type[Sequential] | type[Model]] = {"Sequential": Sequential, "Model": Model}


def save_model(
    model: training.Model, filepath: weights_file.Filepath, overwrite: bool = True
) -> None:
    """Write a model to a file; see `Model.save`."""
    path = weights_file.as_path(filepath, overwrite)
    if not model.built:
        raise ValueError(f"model {model.name!r} has no weights yet; call build before save")
    state = {
        "class_name": type(model).__name__,
        "config": model.get_config(),
        "compiled": _compiled(model),
        "optimizer": model.optimizer.get_state() if model.compiled else None,
    }
    data = state_file.encode(_KIND, state, weights_file.named(model.layers))
    weights_file.write(path, data, overwrite)


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
    state, arrays = state_file.decode(path, _KIND)
    try:
        model = _CLASSES[state["class_name"]].from_config(state["config"])
        weights_file.put(arrays, model.layers)
        if compile and state["compiled"] is not None:
            _compile(model, state["compiled"], state["optimizer"])
    except (KeyError, TypeError, ValueError, IndexError, NotImplementedError) as error:
        raise ValueError(f"{path} is damaged, or of another rnnfast: {error}") from error
    return model


def _compiled(model: training.Model) -> dict[str, Any] | None:
    """Write down what `compile` was told; what is code is left out, with a warning."""
    if not model.compiled:
        return None
    choices = model.choices
    config = {"optimizer": _named(model.optimizer)}
    try:
        return config | {name: _plain(value) for name, value in choices._asdict().items()}
    except TypeError as error:
        warnings.warn(
            f"the model is saved without its losses and metrics, compile it after loading: {error}",
            stacklevel=3,
        )
        return None


def _compile(model: training.Model, config: Mapping[str, Any], state: Any) -> None:
    find = {"loss": losses.get, "metrics": metrics.get, "weighted_metrics": metrics.get}
    choices = Choices(**{name: _found(config[name], find.get(name)) for name in Choices._fields})
    model.compile(optimizers.get(config["optimizer"]), **choices._asdict())
    if state is not None:
        model.optimizer.set_state(state)


def _named(value: Any) -> dict[str, Any]:
    if not type(value).__module__.startswith("rnnfast."):
        raise TypeError(f"{value!r} is not one of rnnfast's")
    return {"class_name": type(value).__name__, "config": value.get_config()}


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return value if value is None or isinstance(value, (int, float, str)) else _named(value)


def _found(value: Any, find: Any) -> Any:
    """Make losses or metrics of what `_plain` wrote."""
    if find is None or value is None:
        return value
    if isinstance(value, list):
        return [_found(one, find) for one in value]
    if isinstance(value, Mapping) and "class_name" not in value:
        return {name: _found(one, find) for name, one in value.items()}
    return find(value)
