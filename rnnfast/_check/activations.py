"""Activations that a call chooses: from names, as ONNX and Keras write them, to the core's.

The core has few functions, told by two numbers and bounds of their results; relu is an affine
function that is at least 0. It takes slopes from results, so that only functions can be had whose
result says what the slope was.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import inf
from typing import NamedTuple, TypeAlias

from .arrays import DType
from .numbers import number, require_held

Choice: TypeAlias = str | tuple[str, float] | tuple[str, float, float]
"""An activation as a caller names it: its name, alone or with alpha, or with alpha and beta."""

Choices: TypeAlias = Choice | Sequence[Choice]
"""One, or one for each that the cell has."""


class Activation(NamedTuple):
    """An activation as `_core` takes it: a function of x within [-clip, clip], and its bounds."""

    function: str
    alpha: float = 1.0
    beta: float = 0.0
    lowest: float = -inf
    highest: float = inf
    clip: float = inf


class _Known(NamedTuple):
    """An activation that has a name, by default; how many numbers it takes."""

    usual: Activation
    takes: int = 0


_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772

_KNOWN = {
    "relu": _Known(Activation("affine", lowest=0.0)),
    "tanh": _Known(Activation("scaled_tanh", beta=1.0)),
    "sigmoid": _Known(Activation("sigmoid")),
    "affine": _Known(Activation("affine"), 2),
    "leaky_relu": _Known(Activation("leaky_relu", 0.01), 1),
    "thresholded_relu": _Known(Activation("thresholded_relu", 1.0), 1),
    "scaled_tanh": _Known(Activation("scaled_tanh", beta=1.0), 2),
    "hard_sigmoid": _Known(Activation("affine", 0.2, 0.5, 0.0, 1.0), 2),
    "elu": _Known(Activation("elu", 1.0, 1.0), 1),
    "softsign": _Known(Activation("softsign")),
    "softplus": _Known(Activation("softplus")),
    "linear": _Known(Activation("affine")),
    "relu6": _Known(Activation("affine", lowest=0.0, highest=6.0)),
    "hard_tanh": _Known(Activation("affine", lowest=-1.0, highest=1.0)),
    "selu": _Known(Activation("elu", _SELU_SCALE * _SELU_ALPHA, _SELU_SCALE)),
    "exponential": _Known(Activation("exponential")),
}
_BY_PLAIN_NAME = {name.replace("_", ""): name for name in _KNOWN}

NAMES = tuple(_KNOWN)

BY_KERAS_NAME: dict[str, Choice] = {
    "linear": "linear",
    "relu": "relu",
    "leaky_relu": ("leaky_relu", 0.2),
    "relu6": "relu6",
    "elu": "elu",
    "celu": "elu",
    "selu": "selu",
    "softplus": "softplus",
    "softsign": "softsign",
    "tanh": "tanh",
    "hard_tanh": "hard_tanh",
    "sigmoid": "sigmoid",
    "hard_sigmoid": ("hard_sigmoid", 1 / 6, 0.5),
    "sparse_sigmoid": ("hard_sigmoid", 0.5, 0.5),
    "exponential": "exponential",
}
"""Keras's names. It means other functions by some: its hard_sigmoid has the slope 1/6, its
leaky_relu the slope 0.2 below zero."""

# Those that are refused with a reason, because people will ask for them.
_NOT_FROM_THEIR_RESULT = {"silu", "swish", "gelu", "mish", "hardsilu", "hardswish"}

# Below zero these would fall on one side, and two arguments would share a result.
_RISING = {"leaky_relu", "thresholded_relu", "elu"}


def activations(
    chosen: Choices | None, usual: tuple[str, ...], clip: float
) -> tuple[Activation, ...]:
    """Return the activations of a cell, whose own are `usual`; None asks for these."""
    if chosen is None:
        return tuple(_KNOWN[name].usual._replace(clip=clip) for name in usual)
    single = isinstance(chosen, str) or _is_one_with_numbers(chosen)
    if single and len(usual) == 1:
        return (_activation("activations", chosen, clip),)
    if single or not isinstance(chosen, (tuple, list)) or len(chosen) != len(usual):
        wanted = "one activation" if len(usual) == 1 else f"{len(usual)} activations"
        raise ValueError(f"activations must be {wanted} like {usual!r}, got {chosen!r}")
    return tuple(_activation(f"activations[{i}]", one, clip) for i, one in enumerate(chosen))


def threshold(value: float | None) -> float:
    """Return the bound of what activations see, infinite for None."""
    if value is None:
        return inf
    bound = number("clip", value)
    if bound <= 0:
        raise ValueError(f"clip must be None or a number above 0, got {value!r}")
    return bound


@lru_cache(maxsize=64)
def require_held_numbers(chosen: tuple[Activation, ...], dtype: DType) -> None:
    """Raise unless the kernels can hold, in a dtype, all numbers of a cell's activations."""
    for i, one in enumerate(chosen):
        place = "activations" if len(chosen) == 1 else f"activations[{i}]"
        if one.clip != inf:
            require_held("clip", one.clip, dtype)
        require_held(f"alpha of {place}", one.alpha, dtype)
        require_held(f"beta of {place}", one.beta, dtype)
        if one.function == "scaled_tanh":  # what its slope is made of
            require_held(f"1 / alpha of {place}", 1 / one.alpha, dtype)
            require_held(f"alpha * beta of {place}", one.alpha * one.beta, dtype)


def _is_one_with_numbers(given: object) -> bool:
    """Return whether this is (name, alpha) or (name, alpha, beta), rather than several names."""
    return (
        isinstance(given, tuple)
        and len(given) > 1
        and isinstance(given[0], str)
        and not any(isinstance(one, (str, tuple, list)) for one in given[1:])
    )


def _activation(place: str, given: object, clip: float) -> Activation:
    name, *numbers = given if isinstance(given, (tuple, list)) and given else (given,)
    if not isinstance(name, str):
        raise TypeError(
            f"{place} must be a name, (name, alpha) or (name, alpha, beta), got {given!r}"
        )
    plain = name.replace("_", "").lower()
    if plain not in _BY_PLAIN_NAME:
        why = ""
        if plain in _NOT_FROM_THEIR_RESULT:
            why = ", whose slope does not follow from its result"
        raise ValueError(f"{place} must be one of {', '.join(NAMES)}, got {name!r}{why}")
    known = _BY_PLAIN_NAME[plain]
    usual, takes = _KNOWN[known]
    if len(numbers) > takes:
        wanted = ("no number", "alpha", "alpha and beta")[takes]
        raise ValueError(f"{place}: {known} takes {wanted}, got {given!r}")
    alpha, beta = usual.alpha, usual.beta
    if numbers:
        alpha = number(f"alpha of {place}", numbers[0])
    if len(numbers) > 1:
        beta = number(f"beta of {place}", numbers[1])
    if known in _RISING and alpha < 0:
        raise ValueError(
            f"alpha of {place} must be at least 0 for {known}, whose slope would not follow from "
            f"its result, got {alpha!r}"
        )
    if known == "scaled_tanh" and alpha == 0:
        raise ValueError(f"alpha of {place} must not be 0 for scaled_tanh, got {alpha!r}")
    return usual._replace(alpha=alpha, beta=beta, clip=clip)
