"""Gradient clipping, with Keras's definitions.

Each function looks at all gradients and gives, for each, the limit to put on its pieces. NaN and
infinite gradients pass as NaN: that they happen is for the training loop to report.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

Limit = Callable[[Array, Array], Array]
"""Takes a piece of a gradient and a scratch of its shape; gives the piece to go on with."""


def unlimited(gradients: Sequence[Array]) -> list[Limit]:
    """Leave the gradients as they are."""
    return [_unchanged] * len(gradients)


def by_value(gradients: Sequence[Array], largest: float) -> list[Limit]:
    """Keep each element from `-largest` to `largest`."""

    def clamp(piece: Array, out: Array) -> Array:
        return np.clip(piece, -largest, largest, out=out)

    return [clamp] * len(gradients)


def by_norm(gradients: Sequence[Array], largest: float) -> list[Limit]:
    """Scale each gradient whose Euclidean norm is above `largest` down to it."""
    return [_scaled(_factor(math.sqrt(_square(g)), largest)) for g in gradients]


def by_global_norm(gradients: Sequence[Array], largest: float) -> list[Limit]:
    """Scale all gradients by one factor, so that their joint Euclidean norm is not above it."""
    norm = math.sqrt(sum(_square(g) for g in gradients))
    # As in Keras, one infinite gradient makes the whole update NaN rather than nothing.
    return [_scaled(_factor(norm, largest) + (norm - norm))] * len(gradients)


def _square(gradient: Array) -> float:
    return float(np.vdot(gradient, gradient))


def _factor(norm: float, largest: float) -> float:
    return largest / norm if norm > largest else 1.0 + 0.0 * norm


def _scaled(factor: float) -> Limit:
    if factor == 1.0:
        return _unchanged

    def scale(piece: Array, out: Array) -> Array:
        return np.multiply(piece, factor, out=out)

    return scale


def _unchanged(piece: Array, _out: Array) -> Array:
    return piece
