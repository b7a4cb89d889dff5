"""Light gated recurrent unit (Ravanelli et al., 2018), without batch normalization.

z = sigmoid(x_t W + h_{t-1} U + b)
n = relu(x_t W + h_{t-1} U + b)
h_t = z * h_{t-1} + (1 - z) * n
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from rnnfast.functional import light_gru, light_gru_vjp
from rnnfast.layers.cell_layer import CellLayer
from rnnfast.layers.kernel_activations import of_keras


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
    *arguments, **options
        As for `SimpleRNN`, from `use_bias` on.

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        As from `SimpleRNN`.

    Notes
    -----
    Weights: kernel (I, 2*H), recurrent_kernel (H, 2*H), bias (2*H,), in the order z n. Input
    (batch, time, I).
    """

    gate_order: ClassVar[tuple[int, ...]] = (0, 1)
    kind: ClassVar[str] = "light_gru"
    function: ClassVar[Callable[..., Any]] = staticmethod(light_gru)
    function_vjp: ClassVar[Callable[..., Any]] = staticmethod(light_gru_vjp)

    def __init__(
        self,
        units: int,
        activation: str | None = "relu",
        recurrent_activation: str | None = "sigmoid",
        *arguments: Any,
        **options: Any,
    ) -> None:
        super().__init__(units, *arguments, **options)
        gate = of_keras("recurrent_activation", recurrent_activation)
        self._activations = (gate, of_keras("activation", activation))
        self.activation = activation
        self.recurrent_activation = recurrent_activation

    def _cell_options(self) -> dict[str, Any]:
        return {**super()._cell_options(), "activations": self._activations}
