"""What a mask does to a recurrence, as in Keras: masked steps are as if they were not there.

A masked step leaves the states as they are, and its result is that of the step taken before it,
or zeros: where there is none, and everywhere if so asked. Kernels know lengths, not masks, so

    x'[j] = x[order[j]]                         the valid steps of each sequence come first
    y'    = recurrence(x', lengths)             and are all that is run
    y[t]  = y'[source[t]] where shown[t]        a result is copied to the steps that show it

and backward

    dy'[j] = sum of dy[t] over the t that show y'[j]         dx[order[j]] = dx'[j]

Where valid steps come first already (padding at the end), `order` is left out, and with it both
copies. Sequences are (time, batch, ...) here, a step a vector or an image.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast.layers.layer import Array, Mask


class MaskedSteps:
    """The steps of one batch.

    Parameters
    ----------
    mask : ndarray of bool, shape (batch, time)
        True for the steps that are there.
    go_backwards : bool
        Whether steps are taken from the last to the first.
    zero_output : bool
        Whether all masked steps show zeros.

    Attributes
    ----------
    lengths : ndarray of intp, shape (batch,)
        How many steps of each sequence are valid.
    """

    def __init__(self, mask: Mask, go_backwards: bool, zero_output: bool) -> None:
        self._mask: Mask = mask.T.copy()  # the caller may change it before the backward pass
        self._direction = slice(None, None, -1 if go_backwards else 1)
        self.lengths: NDArray[np.intp] = np.count_nonzero(self._mask, axis=0)
        steps = np.arange(len(self._mask))[:, None]
        padded_at_end = (self._mask == (steps < self.lengths)).all()
        self._order: Any = None if padded_at_end else np.argsort(~self._mask, axis=0, kind="stable")
        taken = np.cumsum(self._mask[self._direction], axis=0)[self._direction]
        last_taken = self.lengths - taken if go_backwards else taken - 1
        self._source: NDArray[np.intp] = np.clip(last_taken, 0, max(len(self._mask) - 1, 0))
        self._shown: Mask = self._mask if zero_output else taken > 0
        self._repeats: Mask = self._shown & ~self._mask

    def pack(self, x: Array) -> Array:
        """Bring the valid steps of a sequence to its front, in their order."""
        return x if self._order is None else _pick(x, self._order)

    def unpack(self, dx: Array) -> Array:
        """Bring the gradient of what `pack` gives back to where the steps were."""
        return dx if self._order is None else _pick(dx, np.argsort(self._order, axis=0))

    def place(self, y: Array) -> Array:
        """Give all steps their results, from those of the valid ones; padding of `y` is zero."""
        if self._order is None and not self._repeats.any():
            return y
        placed = _pick(y, self._source)
        placed[~self._shown] = 0
        return placed

    def collect(self, dy: Array) -> Array:
        """Sum the gradient over the steps that show the same result; padding is arbitrary."""
        if not dy[self._repeats].any():
            # As a rule: masked steps have no part in a loss, nor in the layer above.
            return self.pack(dy)
        # In the order in which steps are taken, those that show a result follow it at once.
        steps, batch, *of_step = dy.shape
        shown = dy * over(self._shown, dy)
        in_order = shown[self._direction].swapaxes(0, 1).reshape(steps * batch, *of_step)
        starts = np.flatnonzero(self._mask[self._direction].T)
        sums = np.add.reduceat(in_order, starts, axis=0)
        rows, times = np.divmod(starts, steps)
        sources = self._source[self._direction][times, rows]
        collected = np.zeros(dy.shape, dy.dtype)
        collected[sources, rows] = sums
        return collected

    def last(self, h: Array) -> Array:
        """Give the result of the step taken last, or its gradient, where it shows the last `h`."""
        shown = self._shown[self._direction][-1]
        return np.where(over(shown, h), h, np.zeros((), h.dtype))


def over(mask: Mask, values: Array) -> Mask:
    """Give a mask of the first axes of `values` as many axes as those have."""
    return mask.reshape(mask.shape + (1,) * (values.ndim - mask.ndim))


def _pick(sequence: Array, steps: NDArray[np.intp]) -> Array:
    # Whole vectors at a time, where take_along_axis would pick number by number. Layers hand over
    # either axis first in memory.
    steps_first = sequence.strides[0] >= sequence.strides[1]
    length, batch, *of_step = sequence.shape
    if steps_first:
        rows, places = sequence, steps * batch + np.arange(batch)
    else:
        rows, places = sequence.swapaxes(0, 1), steps + length * np.arange(batch)
    picked: Array = rows.reshape(length * batch, *of_step).take(places, axis=0)
    return picked
