"""An activation as a layer of its own.

y = f(z), dz = dL/dz: the functions of `activations`.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, ClassVar

from numpy.typing import DTypeLike

from rnnfast.layers import activations
from rnnfast.layers.layer import Array, Layer, Pullback, Shape

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnfast.layers.options import SampleOptions


class Activation(Layer):
    """Apply a function to each element, or softmax along the last axis: `keras.layers.Activation`.

    Parameters
    ----------
    activation : str or None
        Those of `Dense`.
    name, dtype, **options
        As for every layer.

    Raises
    ------
    ValueError
        When there is no such activation.
    NotImplementedError
        For a Keras argument that is not offered yet.
    """

    supports_masking: ClassVar[bool] = True
    stepwise = True

    def __init__(
        self,
        activation: str | None,
        *,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **options: Unpack[SampleOptions],
    ) -> None:
        super().__init__(name=name, dtype=dtype, **options)
        self.activation = activations.get(activation)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Give the shape of the input; see `Layer.compute_output_shape`."""
        return input_shape

    def _create_weights(self, input_shape: Shape) -> None:
        """Create none."""

    def without_activation(self) -> tuple[Activation, activations.Activation]:
        """Split off all there is; see `Layer.without_activation`."""
        before = copy.copy(self)
        before.activation = activations.get(None)
        return before, self.activation

    def call(self, x: Array) -> Array:
        """Compute f(x); see `Layer.call`."""
        return self.activation.forward(x)

    def vjp(self, x: Array, *, wrt_input: bool) -> tuple[Array, Pullback]:
        """Compute as `call`, with the pullback; see `Layer.vjp`."""
        y, activation_pullback = self.activation.vjp(x)

        def pullback(dy: Array) -> tuple[Array | None, list[Array]]:
            return activation_pullback(dy) if wrt_input else None, []

        return y, pullback
