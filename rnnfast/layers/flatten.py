"""All axes of a sample as one.

y[b, :] = x[b, ...] in the order of its indices         dx = dy in the shape of x
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from numpy.typing import DTypeLike

from rnnfast.layers.layer import Array, Layer, Pullback, Shape
from rnnfast.utils.options import require_channels_last

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnfast.layers.options import SampleOptions


class Flatten(Layer):
    """Make a vector of each sample: `keras.layers.Flatten`.

    Parameters
    ----------
    data_format : {None, "channels_last"}
        The one there is.
    name, dtype, **options
        As for every layer.

    Raises
    ------
    NotImplementedError
        For another `data_format`, or a Keras argument that is not offered yet.

    Notes
    -----
    Input (batch, ...), output (batch, product of the other lengths). A mask of steps ends here,
    with a warning, as in Keras.
    """

    def __init__(
        self,
        data_format: str | None = None,
        *,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **options: Unpack[SampleOptions],
    ) -> None:
        super().__init__(name=name, dtype=dtype, **options)
        self.data_format = require_channels_last("Flatten", data_format)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Give (batch, product of the other lengths); see `Layer.compute_output_shape`."""
        batch, *lengths = input_shape
        known = [length for length in lengths if length is not None]
        return (batch, math.prod(known) if len(known) == len(lengths) else None)

    def _create_weights(self, input_shape: Shape) -> None:
        """Create none."""

    def call(self, x: Array) -> Array:
        """Lay the numbers of each sample in a row; see `Layer.call`."""
        return x.reshape(len(x), math.prod(x.shape[1:]))

    def vjp(self, x: Array, *, wrt_input: bool) -> tuple[Array, Pullback]:
        """Compute as `call`, with the pullback; see `Layer.vjp`."""
        shape = x.shape

        def pullback(dy: Array) -> tuple[Array | None, list[Array]]:
            return dy.reshape(shape), []

        return self.call(x), pullback
