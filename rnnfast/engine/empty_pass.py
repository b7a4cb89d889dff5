"""A pass that takes no step, because T = 0 or B = 0 or every sequence has length 0.

    h_n = h0, c_n = c0;   dh0 = dh_n, dc0 = dc_n;   every other gradient is a sum of no terms

The core takes at least one step of at least one row, so these cases end here.
"""

from __future__ import annotations

from .._check import Array, inputs
from .._check.arrays import Booleans


def carry(source: Array | None, target: Array | None) -> None:
    """Write a state through to the other end; an absent one is zero."""
    if target is not None:
        target[...] = 0 if source is None else source


class NoTape:
    """Stands where the core's `Tape` would, having nothing to remember."""

    __slots__ = ()

    nbytes = 0

    def trace(self, weights: inputs.LayerWeights, gates: Array, c: Array | None) -> None:
        """Write nothing: no step was taken."""

    def backward(
        self,
        x: Array,
        weights: inputs.LayerWeights,
        resets: Booleans | None,
        masks: tuple[Array | None, Array | None, Array | None] | None,
        truncate: int,
        dy: Array | None,
        dh_n: Array | None,
        dc_n: Array | None,
        dx: Array | None,
        gradients: tuple[Array | None, ...],
        dh0: Array | None,
        dc0: Array | None,
    ) -> None:
        """Fill the gradients that are wanted, as `Tape.backward` does."""
        for sum_of_none in (dx, *gradients):
            carry(None, sum_of_none)
        carry(dh_n, dh0)
        carry(dc_n, dc0)

    backward_per_sample = backward
