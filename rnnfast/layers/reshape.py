"""Samples in another shape.

y[b, ...] = the numbers of x[b, ...] in the order of their indices         dx = dy in the shape of x
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

from rnnfast.layers.layer import Array, Layer, Pullback, Shape

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnfast.layers.options import SampleOptions


class Reshape(Layer):
    """Give each sample another shape: `keras.layers.Reshape`.

    Parameters
    ----------
    target_shape : sequence of int
        Without the batch axis; one length may be -1, which is what remains.
    name, dtype, **options
        As for every layer.

    Raises
    ------
    ValueError
        When `target_shape` is no shape.
    NotImplementedError
        For a Keras argument that is not offered yet.
    """

    def __init__(
        self,
        target_shape: Sequence[int],
        *,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **options: Unpack[SampleOptions],
    ) -> None:
        super().__init__(name=name, dtype=dtype, **options)
        self.target_shape = _check_target(target_shape)

    def _check_input_shape(self, input_shape: Shape) -> None:
        """Raise ValueError unless samples have as many numbers as the target shape."""
        super()._check_input_shape(input_shape)
        self.compute_output_shape(input_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Give (batch, *target_shape); see `Layer.compute_output_shape`."""
        batch, *lengths = input_shape
        known = [length for length in lengths if length is not None]
        if len(known) < len(lengths):
            return (batch, *(None if length == -1 else length for length in self.target_shape))
        size = math.prod(known)
        wanted = math.prod(length for length in self.target_shape if length != -1)
        fits = size % wanted == 0 if -1 in self.target_shape and wanted else size == wanted
        if not fits:
            raise ValueError(
                f"the input of layer {self.name!r} must have samples that fit into "
                f"{self.target_shape}, got shape {input_shape} with {size} numbers each"
            )
        rest = size // wanted if wanted else 0
        return (batch, *(rest if length == -1 else length for length in self.target_shape))

    def _create_weights(self, input_shape: Shape) -> None:
        """Create none."""

    def call(self, x: Array) -> Array:
        """Give each sample the target shape; see `Layer.call`."""
        shape: tuple[int, ...] = tuple(length or 0 for length in self.compute_output_shape(x.shape))
        return x.reshape(shape)

    def vjp(self, x: Array, *, wrt_input: bool) -> tuple[Array, Pullback]:
        """Compute as `call`, with the pullback; see `Layer.vjp`."""
        shape = x.shape

        def pullback(dy: Array) -> tuple[Array | None, list[Array]]:
            return dy.reshape(shape), []

        return self.call(x), pullback


def _check_target(target_shape: object) -> tuple[int, ...]:
    if not isinstance(target_shape, (tuple, list)) or not all(
        isinstance(length, (int, np.integer)) and not isinstance(length, bool) and length >= -1
        for length in target_shape
    ):
        raise ValueError(
            f"target_shape must be a tuple of lengths, without the batch axis, got {target_shape!r}"
        )
    if target_shape.count(-1) > 1:
        raise ValueError(f"target_shape may hold -1 once, got {target_shape!r}")
    return tuple(int(length) for length in target_shape)
