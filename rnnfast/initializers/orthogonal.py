"""Orthogonal matrices: the usual start of a recurrent kernel."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rnnfast.initializers.initializer import RandomInitializer


class Orthogonal(RandomInitializer):
    """A matrix with orthonormal rows or columns, uniform among them (Saxe et al., 2014).

    All axes but the last count as rows. The QR factors of a normal matrix, with the diagonal of R
    made positive, are distributed uniformly.

    Parameters
    ----------
    gain : float, default 1.0
        Factor on the matrix.
    seed : int, optional
        By default from `rnnfast.utils.set_random_seed`'s sequence.

    Raises
    ------
    ValueError
        When called for a shape of fewer than two axes.
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        if len(shape) < 2:
            raise ValueError(f"Orthogonal makes weights of two axes or more, got shape {shape}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        normal = rng.standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(normal)
        q *= np.copysign(1.0, np.diagonal(r))
        if rows < columns:
            q = q.T
        return self.gain * q.reshape(shape)
