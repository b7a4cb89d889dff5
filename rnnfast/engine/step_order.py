"""Time as the core takes it: in the order of the steps, none of them idle for all sequences.

The core knows no direction: running in reverse is running over views flipped in time. There, a
sequence shorter than others begins later instead of ending earlier.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from .._check import Array, inputs, stacks
from .._check.arrays import Booleans, Integers

SequenceT = TypeVar("SequenceT", Array, Array | None, Booleans | None)


class Time:
    """The steps of one call, taken in another order than they stand or not by all sequences.

    Parameters
    ----------
    given : Inputs or Stack
        What the call was given.
    reverse : bool
        Whether steps are taken from last to first.

    Attributes
    ----------
    spans : ndarray of intp, shape (B, 2), or None
        The steps [begin, end) that each sequence takes; None where all take all.
    """

    __slots__ = ("_reverse", "_steps", "spans")

    def __init__(self, given: inputs.Inputs | stacks.Stack, reverse: bool) -> None:
        self._steps = given.steps
        self._reverse = reverse
        self.spans = _spans(given.lengths, self._steps, reverse)

    def __call__(self, sequence: SequenceT) -> SequenceT:
        """Return a view of a sequence in the order in which its steps are taken."""
        if sequence is None:
            return None
        taken = sequence[: self._steps]
        return taken[::-1] if self._reverse else taken

    def results(self, sequence: SequenceT) -> SequenceT:
        """As for a call, and write zeros to the steps that no sequence takes."""
        if sequence is not None:
            sequence[self._steps :] = 0
        return self(sequence)


class PlainTime:
    """All steps of all sequences, as they stand: what most calls want, at no cost."""

    __slots__ = ()

    spans = None

    def __call__(self, sequence: SequenceT) -> SequenceT:
        """Return the sequence itself."""
        return sequence

    results = __call__


_PLAIN = PlainTime()


def time_of(given: inputs.Inputs | stacks.Stack, reverse: bool) -> Time | PlainTime:
    """Return the steps of one call."""
    return Time(given, reverse) if reverse or given.lengths is not None else _PLAIN


def _spans(lengths: Integers | None, steps: int, reverse: bool) -> Integers | None:
    if lengths is None or (lengths == steps).all():
        return None
    begin = steps - lengths if reverse else np.zeros_like(lengths)
    return np.ascontiguousarray(np.stack([begin, begin + lengths], axis=1))
