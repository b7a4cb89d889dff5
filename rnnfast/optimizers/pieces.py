"""Arrays cut into pieces that stay in cache while a rule passes over them several times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]

# In float32, a parameter, its gradient, two states and two scratches make 6 x 128 KiB, which fits
# a second-level cache of 1 MiB. Fewer would fit smaller ones, but beside its arithmetic a piece
# costs some 9 us, a quarter of what that takes.
_PIECE = 32768


def pieces(arrays: tuple[Array, ...]) -> Sequence[tuple[Array, ...]]:
    """Cut arrays of one shape along their first axis, at the same places, into views."""
    size = arrays[0].size
    if size <= _PIECE:
        return (arrays,)
    length = len(arrays[0])
    rows = max(1, _PIECE * length // size)
    starts = range(0, length, rows)
    return [tuple(array[start : start + rows] for array in arrays) for start in starts]
