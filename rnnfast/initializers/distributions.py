"""Initializers that draw every value from one distribution of given width."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnnfast.initializers.initializer import RandomInitializer


def truncated_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Draw from the standard normal; values beyond two deviations are drawn again."""
    values = rng.standard_normal(shape).ravel()
    while (outside := np.flatnonzero(np.abs(values) > 2.0)).size:
        values[outside] = rng.standard_normal(outside.size)
    return values.reshape(shape)


class RandomNormal(RandomInitializer):
    """Normal distribution.

    Parameters
    ----------
    mean : float, default 0.0
        Its mean.
    stddev : float, default 0.05
        Its standard deviation.
    seed : int, optional
        By default from `rnnfast.utils.set_random_seed`'s sequence.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        return self.mean + self.stddev * rng.standard_normal(shape)


class TruncatedNormal(RandomNormal):
    """Normal distribution whose draws beyond two deviations from the mean are drawn again.

    Parameters
    ----------
    mean : float, default 0.0
        Mean of the normal distribution.
    stddev : float, default 0.05
        Its standard deviation before truncation.
    seed : int, optional
        By default from `rnnfast.utils.set_random_seed`'s sequence.
    """

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        return self.mean + self.stddev * truncated_normal(rng, shape)


class RandomUniform(RandomInitializer):
    """Uniform distribution on `[minval, maxval)`.

    Parameters
    ----------
    minval : float, default -0.05
        Lower end.
    maxval : float, default 0.05
        Upper end.
    seed : int, optional
        By default from `rnnfast.utils.set_random_seed`'s sequence.
    """

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None
    ) -> None:
        super().__init__(seed)
        self.minval = minval
        self.maxval = maxval

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        return rng.uniform(self.minval, self.maxval, shape)
