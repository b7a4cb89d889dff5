"""Elman's recurrent network (Elman, 1990).

h_t = activation(x_t W + h_{t-1} U + b)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from numpy.typing import DTypeLike

from rnnfast.functional import rnn, rnn_trace, rnn_vjp
from rnnfast.layers.cell_layer import CellLayer
from rnnfast.layers.kernel_activations import of_keras
from rnnfast.weights.keras_order import GATE_ORDER

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnfast.layers.options import CellLayerOptions


class SimpleRNN(CellLayer):
    """Fully connected recurrent layer: `keras.layers.SimpleRNN`.

    Parameters
    ----------
    units : int
        Number of hidden units, H.
    activation : str or None, default "tanh"
        Of the new state: "linear", "relu", "leaky_relu", "relu6", "elu", "celu", "selu",
        "softplus", "softsign", "tanh", "hard_tanh", "sigmoid", "hard_sigmoid", "sparse_sigmoid" or
        "exponential", as in Keras; None is "linear".
    use_bias : bool, default True
        Whether a bias is added.
    kernel_initializer : str or Initializer, default "glorot_uniform"
        Of the kernel (I, H).
    recurrent_initializer : str or Initializer, default "orthogonal"
        Of the recurrent kernel (H, H).
    bias_initializer : str or Initializer, default "zeros"
        Of the bias (H,).
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
        The same for h where it meets the recurrent kernel.
    weight_dropout : float, default 0.0
        The same for the recurrent kernel itself, one mask a batch (DropConnect); not in Keras.
    zoneout : float, default 0.0
        Share of h that keeps the value of the step before while training; at inference
        the mean of both. Not in Keras.
    seed : int, optional
        Of the masks; by default from `rnnfast.utils.set_random_seed`'s sequence.
    precision : {"bfloat16"}, optional
        What enters a product (weights, inputs, h, and the gradients that go back) is rounded to,
        in training and at inference, while weights, sums, states and gradients stay float32; by
        default to nothing. With `dtype` "float32" only. Not in Keras, whose policy for it is
        "mixed_bfloat16".
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
    Weights: kernel (I, H), recurrent_kernel (H, H), bias (H,). Input (batch, time, I).
    """

    gate_order: ClassVar[tuple[int, ...]] = GATE_ORDER["rnn"]
    kind: ClassVar[str] = "rnn"
    function: ClassVar[Callable[..., Any]] = staticmethod(rnn)
    function_vjp: ClassVar[Callable[..., Any]] = staticmethod(rnn_vjp)
    function_trace: ClassVar[Callable[..., Any]] = staticmethod(rnn_trace)

    def __init__(
        self,
        units: int,
        activation: str | None = "tanh",
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
        seed: int | None = None,
        precision: str | None = None,
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
        self._activations = (of_keras("activation", activation),)
        self.activation = activation

    def _cell_options(self) -> dict[str, Any]:
        return {**super()._cell_options(), "activations": self._activations}
