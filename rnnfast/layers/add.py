"""Sum of arrays.

y = x_1 + ... + x_n                         dx_k = dy
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from rnnfast.layers.layer import Array, Mask, Shape
from rnnfast.layers.merge import Merge


class Add(Merge):
    """Add arrays of one shape, element by element: `keras.layers.Add`.

    Parameters
    ----------
    name, dtype, **options
        As for every layer.

    Notes
    -----
    Takes a list of arrays. A step of the result is masked where it is in all of them.
    """

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Give the one shape; ValueError if there are several."""
        lengths = [
            {axis for axis in axes if axis is not None} for axes in zip(*input_shape, strict=False)
        ]
        if len({len(shape) for shape in input_shape}) > 1 or any(len(one) > 1 for one in lengths):
            raise ValueError(f"layer {self.name!r} adds arrays of one shape, got {input_shape}")
        return tuple(next(iter(one), None) for one in lengths)

    def compute_mask(self, x: Any, mask: Any = None) -> Mask | None:
        """Give the steps that are there in any of the arrays; None if one has no mask."""
        if mask is None or any(one is None for one in mask):
            return None
        there: Mask = reduce(np.logical_or, mask)
        return there

    def call(self, x: Any) -> Array:
        """Add a list of arrays; see `Layer.call`."""
        total: Array = reduce(np.add, x)
        return total

    def vjp(self, x: Any, *, wrt_input: bool) -> tuple[Array, Callable[[Array], Any]]:
        """Add; each array has the gradient of the sum; see `Merge.vjp`."""
        return self.call(x), lambda dy: ([dy] * len(x), [])
