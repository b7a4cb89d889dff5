"""Dropout between layers: each number is kept with probability 1 - rate, and divided by it.

Random numbers come from a counter-based generator (Philox 4x64: Salmon et al., Parallel random
numbers: as easy as 1, 2, 3, 2011), whose counter names the layer: a mask depends on the seed, the
layer and the sizes alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._check import Array, DType


class Dropout(NamedTuple):
    """The masks of one call."""

    rate: float
    seed: int

    def mask(self, layer: int, shape: tuple[int, ...], dtype: DType) -> Array:
        """Return 0 or 1 / (1 - rate) for each number that leaves a layer."""
        generator = np.random.Generator(np.random.Philox(key=self.seed, counter=[0, 0, 0, layer]))
        kept = generator.random(shape, np.float32) >= self.rate
        return np.multiply(kept, 1 / (1 - self.rate), dtype=dtype)
