"""What flows through a graph of layers: arrays with their masks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnnfast.layers.weights import Array
from rnnfast.utils.sample_weights import weights_of_valid

Mask = NDArray[np.bool_]
ValuesPullback = Callable[[Sequence["Array | None"]], tuple[Sequence["Array | None"], list[Array]]]


def both(there: Mask, mask: Mask | None) -> Mask:
    """Return where two masks are, of which the second may have the first axes alone."""
    if mask is None:
        return there
    joint: Mask = there & mask.reshape(mask.shape + (1,) * (there.ndim - mask.ndim))
    return joint


class Value(NamedTuple):
    """An array, and the mask of its first axes, None where nothing is masked."""

    array: Array
    mask: Mask | None = None

    def valid(self, rows: Array) -> Array:
        """Return what is not masked of an array that has the first axes of this one."""
        return rows if self.mask is None else rows[self.mask]

    def valid_weights(self, weights: Array) -> Array:
        """Return the weights of what is not masked, from one for each sample or step."""
        if self.mask is None:
            return weights
        return weights_of_valid(weights, self.mask)
