"""Gated recurrent unit (Cho et al., 2014).

z, r = sigmoid(x_t W + h_{t-1} U + b)
h~ = tanh(x_t W + b_i + r * (h_{t-1} U + b_r))   reset_after=True, as in cuDNN
h~ = tanh(x_t W + b + (r * h_{t-1}) U)           reset_after=False
h_t = z * h_{t-1} + (1 - z) * h~
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from rnnfast import initializers
from rnnfast._check.options import flag
from rnnfast.functional import gru, gru_trace, gru_vjp
from rnnfast.layers.cell_layer import CellLayer
from rnnfast.layers.kernel_activations import of_keras
from rnnfast.layers.layer import Array, Shape
from rnnfast.weights.keras_order import GATE_ORDER

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnfast.layers.options import CellLayerOptions


class GRU(CellLayer):
    """Gated recurrent unit layer: `keras.layers.GRU`.

    Parameters
    ----------
    units : int
        Number of hidden units, H.
    activation : str or None, default "tanh"
        Of the candidate: "linear", "relu", "leaky_relu", "relu6", "elu", "celu",
        "selu", "softplus", "softsign", "tanh", "hard_tanh", "sigmoid", "hard_sigmoid",
        "sparse_sigmoid" or "exponential", as in Keras; None is "linear".
    recurrent_activation : str or None, default "sigmoid"
        Of the gates, likewise.
    use_bias : bool, default True
        Whether biases are added.
    kernel_initializer : str or Initializer, default "glorot_uniform"
        Of the kernel (I, 3*H).
    recurrent_initializer : str or Initializer, default "orthogonal"
        Of the recurrent kernel (H, 3*H).
    bias_initializer : str or Initializer, default "zeros"
        Of the bias.
    kernel_regularizer, recurrent_regularizer, bias_regularizer : str or Regularizer, optional
        What each of them adds to the loss, see `rnnfast.regularizers`; nothing by default.
    return_sequences : bool, default False
        Whether the result is all states (batch, time, H) or the last one (batch, H).
    return_state : bool, default False
        Whether the layer, when it is called, gives (y, h) instead of y.
    go_backwards : bool, default False
        Whether steps are taken from the last to the first; all states come in that order.
    stateful : bool, default False
        Whether the states after a batch are those before the next, until `reset_state`. Gradients
        end at the borders of batches.
    zero_output_for_mask : bool, default False
        Whether the result of a masked step is zero, instead of that of the step before.
    dropout : float, default 0.0
        Fraction of the inputs to drop while training: one mask a sequence, for all its steps and
        all gates.
    recurrent_dropout : float, default 0.0
        The same for h where it meets the recurrent kernel. Keras has a mask of its own for each
        gate.
    weight_dropout : float, default 0.0
        The same for the recurrent kernel itself, one mask a batch (DropConnect); not in Keras.
    zoneout : float, default 0.0
        Share of h that keeps the value of the step before while training; at inference
        the mean of both. Not in Keras.
    layer_norm : bool, default False
        Whether both products are normalized (Ba et al., 2016), with `reset_after` only; see
        `rnnfast.gru`. Not in Keras.
    seed : int, optional
        Of the masks; by default from `rnnfast.utils.set_random_seed`'s sequence.
    precision : {"bfloat16"}, optional
        What enters a product (weights, inputs, h, and the gradients that go back) is rounded to,
        in training and at inference, while weights, sums, states and gradients stay float32; by
        default to nothing. With `dtype` "float32" only. Not in Keras, whose policy for it is
        "mixed_bfloat16".
    reset_after : bool, default True
        Whether the reset gate acts after the recurrent product, as in cuDNN, or before.
    name, dtype, **options
        As for every layer.

    Raises
    ------
    ValueError
        When an argument is none of these.
    TypeError
        When a flag is not True or False, `dropout` not a number, or `seed` not an integer.
    NotImplementedError
        For a Keras argument that is not offered yet.

    Notes
    -----
    Weights: kernel (I, 3*H), recurrent_kernel (H, 3*H), bias (2, 3*H) with rows for input and
    state when `reset_after`, else (3*H,); gates in Keras's order z, r, h, where the kernels have
    r, z, n; last, where it is there, layer_norm (6*H,), gains of the input and of the recurrent
    product. Input (batch, time, I).
    """

    gate_order: ClassVar[tuple[int, ...]] = GATE_ORDER["gru"]
    kind: ClassVar[str] = "gru"
    function: ClassVar[Callable[..., Any]] = staticmethod(gru)
    function_vjp: ClassVar[Callable[..., Any]] = staticmethod(gru_vjp)
    function_trace: ClassVar[Callable[..., Any]] = staticmethod(gru_trace)

    def __init__(
        self,
        units: int,
        activation: str | None = "tanh",
        recurrent_activation: str | None = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: object = "glorot_uniform",
        recurrent_initializer: object = "orthogonal",
        bias_initializer: object = "zeros",
        kernel_regularizer: object = None,
        recurrent_regularizer: object = None,
        bias_regularizer: object = None,
        *,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        zero_output_for_mask: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        weight_dropout: float = 0.0,
        zoneout: float = 0.0,
        layer_norm: bool = False,
        seed: int | None = None,
        precision: str | None = None,
        reset_after: bool = True,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **options: Unpack[CellLayerOptions],
    ) -> None:
        super().__init__(
            units,
            use_bias,
            kernel_initializer,
            recurrent_initializer,
            bias_initializer,
            kernel_regularizer,
            recurrent_regularizer,
            bias_regularizer,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            zero_output_for_mask=zero_output_for_mask,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            weight_dropout=weight_dropout,
            zoneout=zoneout,
            seed=seed,
            precision=precision,
            name=name,
            dtype=dtype,
            **options,
        )
        candidate = of_keras("activation", activation)
        recurrent = of_keras("recurrent_activation", recurrent_activation)
        self._activations = (recurrent, candidate)
        self.activation = activation
        self.recurrent_activation = recurrent_activation
        self.reset_after = flag("reset_after", reset_after)
        self.layer_norm = flag("layer_norm", layer_norm)
        if self.layer_norm and not self.reset_after:
            raise ValueError("layer_norm needs reset_after=True, got False")

    def _bias_shape(self, rows: int) -> tuple[int, ...]:
        return (2, rows) if self.reset_after else (rows,)

    def _weights(self) -> tuple[Array, Array, Array | None, Array | None]:
        w_ih, w_hh, bias, _ = super()._weights()
        if bias is None or not self.reset_after:
            return w_ih, w_hh, bias, None
        return w_ih, w_hh, bias[0], bias[1]

    @property
    def _kernel_weight_names(self) -> tuple[str, ...]:
        both = self.use_bias and self.reset_after
        return (*super()._kernel_weight_names, "b_hh") if both else super()._kernel_weight_names

    def _weight_gradients(self, grads: Any) -> list[Array]:
        if self.use_bias and self.reset_after:
            grads = grads._replace(b_ih=np.stack([grads.b_ih, grads.b_hh]))
        names = (name for name in self._kernel_weight_names if name != "b_hh")
        return [getattr(grads, name) for name in names]

    @property
    def _further_weights(self) -> dict[str, str]:
        return {"layer_norm": "layer_norm"} if self.layer_norm else {}

    def _create_weights(self, input_shape: Shape) -> None:
        super()._create_weights(input_shape)
        if self.layer_norm:
            self.add_weight("layer_norm", (2 * 3 * self.units,), initializers.get("ones"))

    def _reorder_gates(self, value: Array) -> Array:
        if value.ndim == 1 and value.size > 3 * self.units:  # gains of both products
            return super()._reorder_gates(value.reshape(2, -1)).reshape(value.shape)
        return super()._reorder_gates(value)

    def _cell_options(self) -> dict[str, Any]:
        return {
            **super()._cell_options(),
            "activations": self._activations,
            "reset_after": self.reset_after,
        }
