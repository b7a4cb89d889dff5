"""A limit to the weights that layers make, for those whose sizes come from a file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

_left: ContextVar[int | None] = ContextVar("numbers left", default=None)


@contextmanager
def at_most(numbers: int) -> Iterator[None]:
    """Let weights be made of so many numbers, all together; more are a ValueError."""
    token = _left.set(numbers)
    try:
        yield
    finally:
        _left.reset(token)


def take(what: str, shape: Sequence[int]) -> None:
    """Count a weight that is to be made."""
    left = _left.get()
    if left is None:
        return
    if (size := math.prod(shape)) > left:
        raise ValueError(f"{what} of shape {tuple(shape)} would be more than there are weights")
    _left.set(left - size)
