"""Dropout (Srivastava et al., 2014), scaled while training so that inference is the identity.

y = x * m,   m = 0 with probability rate, else 1 / (1 - rate)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from rnnfast.engine.chance import chance
from rnnfast.layers.layer import Array, Layer, Pullback, Shape
from rnnfast.utils.hyperparameters import share
from rnnfast.utils.random_seed import make_generator

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnfast.layers.options import DropoutOptions

_LEVELS = 2**16  # of the numbers that masks are drawn by


def draw_mask(
    rng: np.random.Generator, rate: float, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Array:
    """Draw 0 with probability `rate`, else 1 / (1 - rate)."""
    if rate == 1:
        return np.zeros(shape, dtype)
    drawn = chance(rate, _LEVELS)
    count = math.prod(shape)
    # Four numbers of 16 bits in each of 64: a third of the time of as many of float32.
    words = rng.integers(2**64, size=-(-count // 4), dtype=np.uint64)
    kept = words.view(np.uint16)[:count].reshape(shape) >= drawn.level
    mask: Array = kept * dtype.type(1 / (1 - rate))
    if drawn.rest:
        mask.reshape(-1)[drawn.second(rng, mask.size)] = 0
    return mask


class Dropout(Layer):
    """Set inputs to zero at random while training: `keras.layers.Dropout`.

    Parameters
    ----------
    rate : float
        Fraction of the inputs to drop, from 0 to 1.
    seed : int, optional
        Of the masks; by default from `rnnfast.utils.set_random_seed`'s sequence.
    name, dtype, **options
        As for every layer.

    Raises
    ------
    ValueError
        When `rate` or `seed` lies outside its range.
    TypeError
        When `rate` is not a number, or `seed` not an integer.
    NotImplementedError
        For a Keras argument that is not offered yet.
    """

    supports_masking: ClassVar[bool] = True
    stepwise = True
    not_yet: ClassVar[Mapping[str, object]] = {**Layer.not_yet, "noise_shape": None}
    _rng: np.random.Generator

    def __init__(
        self,
        rate: float,
        *,
        seed: int | None = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **options: Unpack[DropoutOptions],
    ) -> None:
        super().__init__(name=name, dtype=dtype, **options)
        self.rate = share("rate", rate)
        self.seed = seed
        self._rng = make_generator(seed)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Give the shape of the input; see `Layer.compute_output_shape`."""
        return input_shape

    def _create_weights(self, input_shape: Shape) -> None:
        """Create none."""

    def _mask_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Give the shape of what is drawn for inputs of a shape."""
        return shape

    def call(self, x: Array) -> Array:
        """Return the input: nothing is dropped in inference; see `Layer.call`."""
        return x

    def vjp(self, x: Array, *, wrt_input: bool) -> tuple[Array, Pullback]:
        """Drop inputs; the gradient of what was dropped is zero; see `Layer.vjp`."""
        mask = draw_mask(self._rng, self.rate, self._mask_shape(x.shape), self.dtype)

        def pullback(dy: Array) -> tuple[Array | None, list[Array]]:
            return dy * mask, []

        return x * mask, pullback
