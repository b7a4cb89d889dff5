"""Layers as dictionaries that JSON can hold, and back: names and numbers, never code.

    {"class_name": "Dense", "config": {"name": "head", "units": 3, "activation": "tanh", ...}}

A configuration holds the arguments of the constructor. Those that are objects (initializers,
regularizers, cells, layers) are such dictionaries in their turn. What a class name stands for is
looked up among the layers of rnnfast, and nowhere else: nothing is imported or run by a name that
comes from a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import numpy as np

from rnnfast._check.spelling import meant
from rnnfast.layers.activations import Activation
from rnnfast.utils.arguments import arguments_of
from rnnfast.utils.foreign import instead


class Configurable(Protocol):
    """What can be written down: a layer or a cell."""

    def get_config(self) -> dict[str, Any]:
        """Give the arguments of the constructor."""


_by_name: dict[str, Any] = {}


def register(classes: Iterable[type]) -> None:
    """Make classes known to `deserialize` by their names."""
    _by_name.update({cls.__name__: cls for cls in classes})


def instead_of(thing: object) -> str:
    """Say whose a layer of another framework is, and what to use here; "" for anything else."""
    return instead(thing, "rnnfast.layers", _by_name)


def serialize(layer: Configurable) -> dict[str, Any]:
    """Write a layer down, without its weights.

    Parameters
    ----------
    layer : Layer or cell
        The layer.

    Returns
    -------
    dict
        Its class_name and config, which JSON can hold.

    Raises
    ------
    TypeError
        When the layer was made with a function, which is code.
    """
    return {"class_name": type(layer).__name__, "config": layer.get_config()}


def deserialize(config: Mapping[str, Any]) -> Any:
    """Make a layer from what `serialize` gives.

    Parameters
    ----------
    config : mapping
        With the keys class_name and config.

    Returns
    -------
    Layer or cell
        Without weights, as a new one.

    Raises
    ------
    ValueError
        When there is no such layer in rnnfast, or `config` is of another form.
    TypeError, ValueError, NotImplementedError
        As from the layer's constructor, for arguments that it does not take.
    """
    if not _is_object(config):
        raise ValueError(f"config must have the keys class_name and config, got {config!r}")
    name = config["class_name"]
    if name not in _by_name:
        raise ValueError(f"unknown layer {name!r}{meant(name, _by_name)}; it is none of rnnfast's")
    return _by_name[name].from_config(config["config"])


def config_of(layer: Any) -> dict[str, Any]:
    """Give the arguments that the constructor of a layer lists, from attributes of their names.

    Raises
    ------
    TypeError
        When one is no attribute, or a function.
    """
    kind: Callable[..., object] = type(layer)
    config = {}
    for name in arguments_of(kind):
        if not hasattr(layer, name):
            raise TypeError(
                f"{type(layer).__name__} does not keep its argument {name!r} as an attribute; "
                f"keep it, or replace get_config"
            )
        config[name] = _plain(name, getattr(layer, name))
    return config


def arguments_from(config: Mapping[str, Any]) -> dict[str, Any]:
    """Make the layers within a configuration; all else is what a constructor takes."""
    return {name: _made(name, value) for name, value in config.items()}


def _plain(name: str, value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.dtype):
        return value.name
    if isinstance(value, Activation):
        return value.name
    if isinstance(value, (list, tuple)):
        return [_plain(name, one) for one in value]
    if hasattr(value, "get_config"):
        return serialize(value)
    raise TypeError(f"{name} must be an object with a get_config to be written down, got {value!r}")


def _made(name: str, value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(_made(name, one) for one in value)
    # These two kinds have tables of their own, which the constructors ask.
    if _is_object(value) and not name.endswith(("initializer", "regularizer")):
        return deserialize(value)
    return value


def _is_object(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("class_name"), str)
        and isinstance(value.get("config"), Mapping)
    )
