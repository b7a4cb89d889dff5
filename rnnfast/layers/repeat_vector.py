"""A vector at each of n steps: what an encoder hands to a decoder.

y[b, t, :] = x[b, :]  for t < n                 dx[b, :] = sum over t of dy[b, t, :]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

from rnnfast.layers.layer import Array, Layer, Pullback, Shape
from rnnfast.utils.hyperparameters import require_positive

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnfast.layers.options import SampleOptions


class RepeatVector(Layer):
    """Repeat a vector along a new axis of steps: `keras.layers.RepeatVector`.

    Parameters
    ----------
    n : int
        Number of steps.
    name, dtype, **options
        As for every layer.

    Raises
    ------
    ValueError
        When `n` is not a positive integer.
    NotImplementedError
        For a Keras argument that is not offered yet.

    Notes
    -----
    Input (batch, I), output (batch, n, I).
    """

    def __init__(
        self,
        n: int,
        *,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **options: Unpack[SampleOptions],
    ) -> None:
        super().__init__(name=name, dtype=dtype, **options)
        self.n = require_positive("n", n)

    def _check_input_shape(self, input_shape: Shape) -> None:
        """Raise ValueError unless the input is (batch, I)."""
        if len(input_shape) != 2:
            raise ValueError(
                f"the input of layer {self.name!r} must be (batch, features), got shape "
                f"{input_shape}; a recurrent layer before this one gives its last step alone "
                f"with return_sequences=False"
            )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Give (batch, n, I) from (batch, I); see `Layer.compute_output_shape`."""
        batch, features = input_shape
        return (batch, self.n, features)

    def _create_weights(self, input_shape: Shape) -> None:
        """Create none."""

    def call(self, x: Array) -> Array:
        """Repeat x (batch, I) at n steps; see `Layer.call`."""
        # Time comes first in memory, as recurrent layers take it without a copy.
        return np.repeat(x[None], self.n, axis=0).swapaxes(0, 1)

    def vjp(self, x: Array, *, wrt_input: bool) -> tuple[Array, Pullback]:
        """Compute as `call`, with the pullback; see `Layer.vjp`."""

        def pullback(dy: Array) -> tuple[Array | None, list[Array]]:
            return dy.sum(axis=1), []

        return self.call(x), pullback
