"""Initializers whose width follows from the shape of the weight.

The variance is `scale / n`, with n the number of inputs (fan_in), of outputs (fan_out) or their
mean (fan_avg). Definitions and constants as in Keras 3.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rnnfast.initializers.distributions import truncated_normal
from rnnfast.initializers.initializer import RandomInitializer

# Standard deviation of the standard normal distribution truncated to (-2, 2).
_TRUNCATED_STDDEV = 0.87962566103423978

_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")


def compute_fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Count the inputs and outputs of a unit: the last two axes, times the receptive field."""
    if len(shape) < 2:
        size = math.prod(shape)
        return size, size
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


class VarianceScaling(RandomInitializer):
    """Random values with variance `scale / n`.

    Parameters
    ----------
    scale : float, default 1.0
        Positive.
    mode : {"fan_in", "fan_out", "fan_avg"}
        What n is.
    distribution : {"truncated_normal", "untruncated_normal", "uniform"}
        "normal" stands for "truncated_normal".
    seed : int, optional
        By default from `rnnfast.utils.set_random_seed`'s sequence.

    Raises
    ------
    ValueError
        When an argument is none of these.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
    ) -> None:
        if scale <= 0.0:
            raise ValueError(f"scale must be positive, got {scale}")
        if mode not in _MODES:
            raise ValueError(f"mode must be one of {_MODES}, got {mode!r}")
        if distribution == "normal":
            distribution = "truncated_normal"
        if distribution not in _DISTRIBUTIONS:
            raise ValueError(f"distribution must be one of {_DISTRIBUTIONS}, got {distribution!r}")
        super().__init__(seed)
        self.scale = scale
        self.mode = mode
        self.distribution = distribution

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        fan_in, fan_out = compute_fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
        variance = self.scale / max(1.0, fan[self.mode])
        if self.distribution == "truncated_normal":
            return math.sqrt(variance) / _TRUNCATED_STDDEV * truncated_normal(rng, shape)
        if self.distribution == "untruncated_normal":
            return math.sqrt(variance) * rng.standard_normal(shape)
        limit = math.sqrt(3.0 * variance)
        return rng.uniform(-limit, limit, shape)


class GlorotUniform(VarianceScaling):
    """Uniform within `sqrt(6 / (fan_in + fan_out))` (Glorot and Bengio, 2010).

    Parameters
    ----------
    seed : int, optional
        By default from `rnnfast.utils.set_random_seed`'s sequence.
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed)


class GlorotNormal(VarianceScaling):
    """Truncated normal of variance `2 / (fan_in + fan_out)` (Glorot and Bengio, 2010).

    Parameters
    ----------
    seed : int, optional
        By default from `rnnfast.utils.set_random_seed`'s sequence.
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed)


class HeUniform(VarianceScaling):
    """Uniform within `sqrt(6 / fan_in)` (He et al., 2015).

    Parameters
    ----------
    seed : int, optional
        By default from `rnnfast.utils.set_random_seed`'s sequence.
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(2.0, "fan_in", "uniform", seed)


class HeNormal(VarianceScaling):
    """Truncated normal of variance `2 / fan_in` (He et al., 2015).

    Parameters
    ----------
    seed : int, optional
        By default from `rnnfast.utils.set_random_seed`'s sequence.
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(2.0, "fan_in", "truncated_normal", seed)


class LecunUniform(VarianceScaling):
    """Uniform within `sqrt(3 / fan_in)` (LeCun et al., 1998).

    Parameters
    ----------
    seed : int, optional
        By default from `rnnfast.utils.set_random_seed`'s sequence.
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_in", "uniform", seed)


class LecunNormal(VarianceScaling):
    """Truncated normal of variance `1 / fan_in` (LeCun et al., 1998).

    Parameters
    ----------
    seed : int, optional
        By default from `rnnfast.utils.set_random_seed`'s sequence.
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_in", "truncated_normal", seed)
