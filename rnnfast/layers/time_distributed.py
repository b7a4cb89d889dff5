"""One layer for each step of a sequence: steps become samples, which is all there is to it.

y[b, t] = layer(x[b, t])          x (batch, time, ...)   seen by the layer as (batch * time, ...)
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from rnnfast.layers import serialization
from rnnfast.layers.activations import Activation
from rnnfast.layers.layer import Array, Layer, Mask, Pullback, Shape
from rnnfast.layers.recurrent_layer import is_stateful
from rnnfast.layers.value import Value

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnfast.layers.options import SampleOptions


class TimeDistributed(Layer):
    """Apply a layer to every step of its input: `keras.layers.TimeDistributed`.

    Parameters
    ----------
    layer : Layer
        What is applied, with one set of weights for all steps.
    name, dtype, **options
        As for every layer; `dtype` is that of `layer` by default.

    Raises
    ------
    TypeError
        When `layer` is none.
    ValueError
        When it gives several arrays, is stateful, or has another dtype.
    NotImplementedError
        For a Keras argument that is not offered yet.

    Notes
    -----
    Weights: those of the layer. Input (batch, time, ...), output (batch, time, ...). The mask of
    the steps stays; one with more axes than (batch, time) goes to the layer.
    """

    supports_masking: ClassVar[bool] = True

    def __init__(
        self,
        layer: Layer,
        *,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **options: Unpack[SampleOptions],
    ) -> None:
        if not isinstance(layer, Layer):
            raise TypeError(
                f"layer must be a Layer, got {type(layer).__name__}"
                + serialization.instead_of(layer)
            )
        super().__init__(name=name, dtype=layer.dtype if dtype is None else dtype, **options)
        if self.dtype != layer.dtype:
            raise ValueError(f"dtype must be that of layer, {layer.dtype}, got {self.dtype}")
        if not layer.gives_one_array:
            raise ValueError(
                f"layer must give one array, {layer.name!r} gives several: leave out return_state "
                f"and merge_mode=None"
            )
        if is_stateful(layer):
            raise ValueError(
                f"layer must not be stateful, as {layer.name!r} is: steps are samples to it, "
                f"none of which comes after another"
            )
        self.layer = layer
        if not self.trainable:
            self.trainable = False  # of the layer, which the base did not know yet
        if self.batch_input_shape is None and layer.batch_input_shape is not None:
            batch, *rest = layer.batch_input_shape
            self.batch_input_shape = (batch, None, *rest)

    @property
    def _inner_layers(self) -> Sequence[Layer]:
        return (self.layer,)

    @property
    def input_dtype(self) -> np.dtype[Any]:
        """The dtype that the layer takes."""
        return self.layer.input_dtype

    def convert_input(self, x: Array) -> Array:
        """Bring data into the dtype that the layer takes; see `Layer.convert_input`."""
        return self.layer.convert_input(x)

    def _check_input_shape(self, input_shape: Shape) -> None:
        """Raise ValueError unless the input is (batch, time, ...), and fits the layer."""
        if len(input_shape) < 3:
            raise ValueError(
                f"the input of layer {self.name!r} must be (batch, time, ...) with 3 axes at "
                f"least, got shape {input_shape}"
            )
        self.layer._check_input_shape(_of_one_step(input_shape))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Give (batch, time, *the layer's); see `Layer.compute_output_shape`."""
        batch, *rest = self.layer.compute_output_shape(_of_one_step(input_shape))
        return (batch, input_shape[1], *rest)

    def _create_weights(self, input_shape: Shape) -> None:
        self.layer.build(_of_one_step(input_shape))
        self._parameters = self.layer._parameters
        self.regularizers = self.layer.regularizers

    def _from_keras(self, name: str, value: Array) -> Array:
        return self.layer._from_keras(name, value)

    def _to_keras(self, name: str, value: Array) -> Array:
        return self.layer._to_keras(name, value)

    # ------------------------------------------------------------------------- computation

    def compute_mask(self, x: Array, mask: Mask | None = None) -> Mask | None:
        """Give the mask of the result.

        Parameters
        ----------
        x : ndarray
            As for `call`.
        mask : ndarray of bool, optional
            Of `x`.

        Returns
        -------
        ndarray of bool or None
            That of the steps; of more axes, what the layer makes of it.
        """
        if mask is None or mask.ndim <= 2:
            return mask
        steps = _Steps(x)
        inner = self.layer.compute_mask(steps.merge(x), steps.merge(mask))
        return None if inner is None else steps.split(inner)

    def forward_step(self, values: Sequence[Value], state: Any) -> tuple[list[Value], Any]:
        """Take one step, which is a sample to the layer; see `Layer.forward_step`."""
        return self.layer.forward(values), None

    def call(self, x: Array) -> Array:
        """Compute (batch, time, ...) from x (batch, time, ...); see `Layer.call`."""
        steps = _Steps(x)
        return steps.split(self.layer.call(steps.merge(x)))

    def call_masked(self, x: Array, mask: Mask) -> Array:
        """Compute the result of a masked input; see `Layer.call_masked`."""
        if mask.ndim <= 2:
            return self.call(x)
        steps = _Steps(x)
        return steps.split(self.layer.call_masked(steps.merge(x), steps.merge(mask)))

    def vjp(self, x: Array, *, wrt_input: bool) -> tuple[Array, Pullback]:
        """Compute as `call`, with the pullback; see `Layer.vjp`."""
        steps = _Steps(x)
        return steps.split_both(self.layer.vjp(steps.merge(x), wrt_input=wrt_input))

    def vjp_masked(self, x: Array, mask: Mask, *, wrt_input: bool) -> tuple[Array, Pullback]:
        """Compute the result of a masked input, with its pullback; see `Layer.vjp_masked`."""
        if mask.ndim <= 2:
            return self.vjp(x, wrt_input=wrt_input)
        steps = _Steps(x)
        inner = self.layer.vjp_masked(steps.merge(x), steps.merge(mask), wrt_input=wrt_input)
        return steps.split_both(inner)

    def without_activation(self) -> tuple[TimeDistributed, Activation] | None:
        """Split off the activation of the layer; see `Layer.without_activation`."""
        split = self.layer.without_activation()
        if split is None:
            return None
        before = copy.copy(self)
        before.layer, activation = split
        return before, activation


class _Steps:
    """The first two axes of an array as one, in the order in which they lie in memory."""

    def __init__(self, x: Array) -> None:
        # Recurrent layers hand over time-major memory seen batch-first: no copy for either.
        self._first = 0 if x.strides[0] >= x.strides[1] else 1
        self._lengths = (x.shape[self._first], x.shape[1 - self._first])

    def merge(self, array: Array) -> Array:
        """Make one axis of (batch, time)."""
        samples = self._lengths[0] * self._lengths[1]
        return array.swapaxes(0, self._first).reshape(samples, *array.shape[2:])

    def split(self, array: Array) -> Array:
        """Make (batch, time) of one axis."""
        return array.reshape(*self._lengths, *array.shape[1:]).swapaxes(0, self._first)

    def split_both(self, inner: tuple[Array, Pullback]) -> tuple[Array, Pullback]:
        """Do so for a result and what pulls its gradient back."""
        y, inner_pullback = inner

        def pullback(dy: Array) -> tuple[Array | None, list[Array]]:
            dx, gradients = inner_pullback(self.merge(dy))
            return None if dx is None else self.split(dx), gradients

        return self.split(y), pullback


def _of_one_step(input_shape: Shape) -> Shape:
    return (input_shape[0], *input_shape[2:])
