"""Light gated recurrent unit (Ravanelli et al., 2018), without batch normalization.

z = sigmoid(x_t W + h_{t-1} U + b)
n = relu(x_t W + h_{t-1} U + b)
h_t = z * h_{t-1} + (1 - z) * n
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from numpy.typing import DTypeLike

from rnnfast.functional import light_gru, light_gru_trace, light_gru_vjp
from rnnfast.layers.cell_layer import CellLayer
from rnnfast.layers.kernel_activations import of_keras
from rnnfast.weights.keras_order import GATE_ORDER

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnfast.layers.options import CellLayerOptions


class LightGRU(CellLayer):
    """Recurrent layer with one gate and a rectified candidate; not in Keras.

    Parameters
    ----------
    units : int
        Number of hidden units, H.
    activation : str or None, default "relu"
        Of the candidate; those of `SimpleRNN`.
    recurrent_activation : str or None, default "sigmoid"
        Of the gate.
    use_bias, kernel_initializer, recurrent_initializer, bias_initializer, kernel_regularizer, \
recurrent_regularizer, bias_regularizer, return_sequences, return_state, go_backwards, stateful, \
zero_output_for_mask, dropout, recurrent_dropout, weight_dropout, zoneout, seed, \
precision
        As for `SimpleRNN`.
    name, dtype, **options
        As for every layer.

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        As from `SimpleRNN`.

    Notes
    -----
    Weights: kernel (I, 2*H), recurrent_kernel (H, 2*H), bias (2*H,), in the order z n. Input
    (batch, time, I).
    """

    gate_order: ClassVar[tuple[int, ...]] = GATE_ORDER["light_gru"]
    kind: ClassVar[str] = "light_gru"
    function: ClassVar[Callable[..., Any]] = staticmethod(light_gru)
    function_vjp: ClassVar[Callable[..., Any]] = staticmethod(light_gru_vjp)
    function_trace: ClassVar[Callable[..., Any]] = staticmethod(light_gru_trace)

    def __init__(
        self,
        units: int,
        activation: str | None = "relu",
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
        gate = of_keras("recurrent_activation", recurrent_activation)
        self._activations = (gate, of_keras("activation", activation))
        self.activation = activation
        self.recurrent_activation = recurrent_activation

    def _cell_options(self) -> dict[str, Any]:
        return {**super()._cell_options(), "activations": self._activations}
