"""Keras's activations as those of the core."""

from __future__ import annotations

from typing import Any

from keras import activations, ops

from ..._check.activations import Choice
from ._fallback import CannotRun

_SAME_NAME = (
    "tanh",
    "sigmoid",
    "relu",
    "relu6",
    "elu",
    "selu",
    "softplus",
    "softsign",
    "hard_tanh",
    "linear",
    "exponential",
)
_OTHER_NUMBERS: dict[str, Choice] = {
    "hard_sigmoid": ("hard_sigmoid", 1 / 6, 0.5),
    "leaky_relu": ("leaky_relu", 0.2),
}


def _choices() -> dict[Any, Choice]:
    """Return the core's names by Keras's functions, those of `keras.ops` among them."""
    by_name: dict[str, Choice] = {**{name: name for name in _SAME_NAME}, **_OTHER_NUMBERS}
    found = {}
    for name, choice in by_name.items():
        for module in (activations, ops):
            function = getattr(module, name, None)
            if function is not None:
                found[function] = choice
    return found


_CHOICES = _choices()


def choice(activation: Any) -> Choice:
    """Return an activation as the core knows it.

    Raises
    ------
    CannotRun
        For one that it does not have.
    """
    try:
        return _CHOICES[activation]
    except (KeyError, TypeError):  # or no such thing has a hash
        name = getattr(activation, "__name__", type(activation).__name__)
        raise CannotRun(f"the activation {name}") from None
