"""A whole model in one safetensors file: layers, weights, and how it is trained.

Weights have the names that `save_weights` gives them, so that `load_weights` and other programs can
read them. Beside them stand the optimizer's arrays, and in the file's metadata, as JSON, what the
layers are, how they are connected, and what `compile` was told. Nothing in the file is code.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import Any, Protocol

from rnnfast import losses, metrics, optimizers
from rnnfast.files import destination, safetensors_file, state_file
from rnnfast.layers.layer import Layer
from rnnfast.training import weights_file
from rnnfast.training.judges import Choices

KIND = safetensors_file.BESIDE.rstrip("/")

_FIND: Mapping[str, Any] = {
    "loss": losses.get,
    "metrics": metrics.get,
    "weighted_metrics": metrics.get,
}


class Saved(Protocol):
    """What is asked of a model."""

    compiled: Any
    optimizer: Any
    choices: Any

    @property
    def layers(self) -> list[Layer]:
        """The layers, each once."""

    def get_config(self) -> dict[str, Any]:
        """Return what makes an equal model."""


def save(model: Saved, filepath: destination.Filepath, overwrite: bool) -> None:
    """Write a built model; see `Model.save`."""
    path = destination.as_path(filepath, overwrite)
    for layer in model.layers:
        _require_ours(layer)
    compiled = _compiled(model)
    state = {
        "class_name": type(model).__name__,
        "config": model.get_config(),
        "compiled": compiled,
        "optimizer": None if compiled is None else model.optimizer.get_state(),
    }
    data = state_file.encode(KIND, state, weights_file.named(model.layers))
    destination.write(path, data, overwrite)


def compile_arguments(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `compile` was told, from what a file says."""
    choices = {name: _found(config[name], _FIND.get(name)) for name in Choices._fields}
    return {"optimizer": optimizers.get(config["optimizer"]), **choices}


def _compiled(model: Saved) -> dict[str, Any] | None:
    """Write down what `compile` was told; where that is code it is left out, with a warning."""
    if not model.compiled:
        return None
    try:
        choices = {name: _plain(value) for name, value in model.choices._asdict().items()}
        config = {"optimizer": _named(model.optimizer), **choices}
        text = json.dumps(config, default=_refuse_code)
        compile_arguments(json.loads(text))  # what is unknown is found now
        return config
    except (TypeError, ValueError, NotImplementedError) as error:
        warnings.warn(
            f"the model is saved without what compile was told; compile it after loading: {error}",
            stacklevel=4,
        )
        return None


def _require_ours(value: Any) -> None:
    """Raise TypeError for a layer of a class of the user's, or one that is made with such."""
    if isinstance(value, (list, tuple)):
        for one in value:
            _require_ours(one)
    elif hasattr(value, "get_config"):
        _require_class(value)
        for one in vars(value).values():
            _require_ours(one)


def _require_class(value: Any) -> None:
    if type(value).__module__.partition(".")[0] != "rnnfast":
        raise TypeError(
            f"{value!r} is of a class of your own, {type(value).__qualname__}, and a file of a "
            f"whole model holds no code"
        )


def _refuse_code(value: Any) -> Any:
    raise TypeError(f"{value!r} is code, and a file of a whole model holds none")


def _named(value: Any) -> dict[str, Any]:
    _require_class(value)
    return {"class_name": type(value).__name__, "config": value.get_config()}


def _plain(value: Any) -> Any:
    """Write down losses or metrics in lists and dicts."""
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
