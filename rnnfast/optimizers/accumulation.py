"""Gradient accumulation: one update from the mean gradient of k calls, as in Keras.

With gradients g of calls 1, 2, ... and a sum s that starts at zero::

    s = s + g            each call
    g = s / k, s = 0     each k-th call, which makes an update with this g
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def steps(value: object) -> int | None:
    """Return k, at least 2, or None for no accumulation; ValueError for anything else."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 2:
        raise ValueError(
            f"gradient_accumulation_steps must be None or an integer of at least 2, got {value!r}"
        )
    return int(value)


def add(sums: Sequence[Array], gradients: Sequence[Array]) -> None:
    """Add the gradients of a call."""
    for total, gradient in zip(sums, gradients, strict=True):
        total += gradient


def divide(sums: Sequence[Array], count: int) -> None:
    """Make means of sums, in place."""
    for total in sums:
        total /= count


def clear(sums: Sequence[Array]) -> None:
    """Start anew."""
    for total in sums:
        total[...] = 0
