"""Gradient clipping, with Keras's definitions.

Each function looks at all gradients and gives, for each, the limit to put on its pieces; None is
no limit. NaN and infinite gradients pass as NaN: that they happen is for the training loop to
report.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast.optimizers.nested import leaves
from rnnfast.utils.hyperparameters import above_zero

Array = NDArray[Any]

Limit = Callable[[Array, Array], Array]
"""Takes a piece of a gradient and a scratch of its shape; gives the piece to go on with."""


def global_norm(grads: object) -> float:
    """Measure the joint length of gradients, by which `global_clipnorm` clips.

    Parameters
    ----------
    grads : nested arrays
        In lists, tuples, dicts and named tuples, such as the gradients of `rnnfast.lstm_vjp`;
        None counts nothing.

    Returns
    -------
    float
        The root of the sum of all squares; the squares of each array are added in its dtype.
    """
    return math.sqrt(sum(_square(np.asarray(gradient)) for _, gradient in leaves(grads)))


def require_one(
    clipnorm: float | None, clipvalue: float | None, global_clipnorm: float | None
) -> None:
    """Raise ValueError for more than one kind of clipping, or a limit that is not above 0."""
    kinds = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
    chosen = {kind: above_zero(kind, value) for kind, value in kinds.items() if value is not None}
    if len(chosen) > 1:
        raise ValueError(
            f"only one of clipnorm, clipvalue and global_clipnorm may be given, got {chosen}"
        )


def limits(
    gradients: Sequence[Array],
    clipnorm: float | None,
    clipvalue: float | None,
    global_clipnorm: float | None,
) -> Sequence[Limit | None]:
    """Give the limit of each gradient by the kind of clipping that is chosen."""
    if clipnorm is not None:
        return by_norm(gradients, clipnorm)
    if clipvalue is not None:
        return by_value(gradients, clipvalue)
    if global_clipnorm is not None:
        return by_global_norm(gradients, global_clipnorm)
    return [None] * len(gradients)


def by_value(gradients: Sequence[Array], largest: float) -> Sequence[Limit | None]:
    """Keep each element from `-largest` to `largest`."""

    def clamp(piece: Array, out: Array) -> Array:
        return np.clip(piece, -largest, largest, out=out)

    return [clamp] * len(gradients)


def by_norm(gradients: Sequence[Array], largest: float) -> Sequence[Limit | None]:
    """Scale each gradient whose Euclidean norm is above `largest` down to it."""
    return [_scaled(_factor(global_norm(g), largest)) for g in gradients]


def by_global_norm(gradients: Sequence[Array], largest: float) -> Sequence[Limit | None]:
    """Scale all gradients by one factor, so that their joint Euclidean norm is not above it."""
    norm = global_norm(gradients)
    # As in Keras, one infinite gradient makes the whole update NaN rather than nothing.
    return [_scaled(_factor(norm, largest) + (norm - norm))] * len(gradients)


def _square(gradient: Array) -> float:
    return float(np.vdot(gradient, gradient))


def _factor(norm: float, largest: float) -> float:
    return largest / norm if norm > largest else 1.0 + 0.0 * norm


def _scaled(factor: float) -> Limit | None:
    if factor == 1.0:
        return None

    def scale(piece: Array, out: Array) -> Array:
        return np.multiply(piece, factor, out=out)

    return scale
