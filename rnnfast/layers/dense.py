"""Fully connected layer.

y = activation(x W + b)         x (..., I)   W (I, U)   b (U,)   y (..., U)

dz = dL/d(x W + b)              dW = x^T dz   db = sum of dz   dx = dz W^T
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from numpy.typing import DTypeLike

from rnnfast import initializers, regularizers
from rnnfast._check.options import flag
from rnnfast.layers import activations
from rnnfast.layers.layer import Array, Layer, Pullback, Shape, require_features
from rnnfast.utils.hyperparameters import require_positive

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnfast.layers.options import DenseOptions


class Dense(Layer):
    """Fully connected layer, applied along the last axis: `keras.layers.Dense`.

    Parameters
    ----------
    units : int
        Length of the last axis of the result.
    activation : str or None
        "linear", "relu", "leaky_relu", "elu", "selu", "softplus", "softsign", "exponential",
        "sigmoid", "hard_sigmoid", "tanh", "silu" (also called "swish") or "softmax"; None, the
        default, is "linear".
    use_bias : bool, default True
        Whether a bias is added.
    kernel_initializer : str or Initializer, default "glorot_uniform"
        Of the kernel (I, units).
    bias_initializer : str or Initializer, default "zeros"
        Of the bias (units,).
    kernel_regularizer, bias_regularizer : str or Regularizer, optional
        What each of them adds to the loss, see `rnnfast.regularizers`; nothing by default.
    name, dtype, **options
        As for every layer.

    Raises
    ------
    ValueError
        When an argument is none of these.
    NotImplementedError
        For a Keras argument that is not offered yet.

    Notes
    -----
    Weights: kernel (I, units), bias (units,). Input (batch, ..., I), output (batch, ..., units).
    """

    supports_masking: ClassVar[bool] = True
    stepwise = True
    not_yet: ClassVar[Mapping[str, object]] = {
        **Layer.not_yet,
        "kernel_constraint": None,
        "bias_constraint": None,
        "lora_rank": None,
        "lora_alpha": None,
        "quantization_config": None,
    }

    def __init__(
        self,
        units: int,
        activation: str | None = None,
        use_bias: bool = True,
        kernel_initializer: object = "glorot_uniform",
        bias_initializer: object = "zeros",
        kernel_regularizer: object = None,
        bias_regularizer: object = None,
        *,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **options: Unpack[DenseOptions],
    ) -> None:
        super().__init__(name=name, dtype=dtype, **options)
        self.units = require_positive("units", units)
        self.activation = activations.get(activation)
        self.use_bias = flag("use_bias", use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)

    def _check_input_shape(self, input_shape: Shape) -> None:
        """Raise ValueError unless the input is (batch, ..., I)."""
        if len(input_shape) < 2:
            raise ValueError(
                f"the input of layer {self.name!r} must be (batch, ..., features), "
                f"got shape {input_shape}; x[:, None] makes a column of a 1-D array, and x[None] a "
                f"batch of one sample"
            )
        require_features(self, input_shape, len(self._kernel) if self.built else None)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Give (batch, ..., units) from (batch, ..., I); see `Layer.compute_output_shape`."""
        return (*input_shape[:-1], self.units)

    def _create_weights(self, input_shape: Shape) -> None:
        features = require_features(self, input_shape, None)
        shape = (features, self.units)
        self.add_weight("kernel", shape, self.kernel_initializer, self.kernel_regularizer)
        if self.use_bias:
            self.add_weight("bias", (self.units,), self.bias_initializer, self.bias_regularizer)

    @property
    def _kernel(self) -> Array:
        return self._parameters["kernel"]

    def _logits(self, x: Array) -> Array:
        """Compute z (batch, ..., units), the result before its activation."""
        if x.ndim == 2:  # as of each step of a stream, where a microsecond matters
            z = x @ self._kernel
            if self.use_bias:
                z += self._parameters["bias"]
            return z
        order = _memory_order(x)
        z = _as_rows(x, order) @ self._kernel
        if self.use_bias:
            z += self._parameters["bias"]
        return _from_rows(z, x, order)

    def call(self, x: Array) -> Array:
        """Compute y (batch, ..., units) from x (batch, ..., I); see `Layer.call`."""
        return self.activation.forward(self._logits(x))

    def vjp(self, x: Array, *, wrt_input: bool) -> tuple[Array, Pullback]:
        """Compute as `call`, with the pullback; see `Layer.vjp`."""
        x = x.view()  # whatever shape the caller may give his own before the pullback
        order = _memory_order(x)
        y, activation_pullback = self.activation.vjp(self._logits(x))
        trained = self.trainable

        def pullback(dy: Array) -> tuple[Array | None, list[Array]]:
            dz_rows = _as_rows(activation_pullback(dy), order)
            gradients = [_as_rows(x, order).T @ dz_rows] if trained else []
            if trained and self.use_bias:
                gradients.append(dz_rows.sum(axis=0))
            if not wrt_input:
                return None, gradients
            return _from_rows(dz_rows @ self._kernel.T, x, order), gradients

        return y, pullback

    def without_activation(self) -> tuple[Dense, activations.Activation]:
        """Split off the activation; see `Layer.without_activation`."""
        before = copy.copy(self)
        before.activation = activations.get(None)
        return before, self.activation


def _memory_order(x: Array) -> tuple[int, ...]:
    # Recurrent layers hand over time-major memory seen batch-first. Flattened in the order in
    # which it lies in memory, such an array becomes a matrix without a copy.
    if x.ndim == 2:
        return 0, 1
    leading = sorted(range(x.ndim - 1), key=lambda axis: -x.strides[axis])
    return (*leading, x.ndim - 1)


def _as_rows(x: Array, order: tuple[int, ...]) -> Array:
    return x.transpose(order).reshape(-1, x.shape[-1])


def _from_rows(rows: Array, like: Array, order: tuple[int, ...]) -> Array:
    if like.ndim == 2:
        return rows
    lengths = [like.shape[axis] for axis in order[:-1]]
    back = [order.index(axis) for axis in range(len(order))]
    return rows.reshape(*lengths, rows.shape[-1]).transpose(back)
