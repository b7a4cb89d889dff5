"""Keras's activations as those of the core: functions of `keras.activations` and `keras.ops`."""

from __future__ import annotations

from typing import Any

from keras import activations, ops

from ..._check.activations import BY_KERAS_NAME, Choice
from ._fallback import CannotRun

_CHOICES: dict[Any, Choice] = {
    getattr(module, name): choice
    for name, choice in BY_KERAS_NAME.items()
    for module in (activations, ops)
    if hasattr(module, name)
}


def choice(activation: Any) -> Choice:
    """Return an activation as the core knows it.

    Raises
    ------
    CannotRun
        For one that it does not have.
    """
    try:
        return _CHOICES[activation]
    except (KeyError, TypeError):  # or it has no hash
        name = getattr(activation, "__name__", type(activation).__name__)
        raise CannotRun(f"the activation {name}") from None
