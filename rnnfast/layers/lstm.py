"""Long short-term memory (Hochreiter and Schmidhuber, 1997; forget gate: Gers et al., 2000).

i, f, o = sigmoid(x_t W + h_{t-1} U + b)         c~ = tanh(x_t W + h_{t-1} U + b)
c_t = f * c_{t-1} + i * c~                       h_t = o * tanh(c_t), or that times W_hr
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from rnnfast import initializers
from rnnfast._check.options import flag
from rnnfast.functional import lstm, lstm_trace, lstm_vjp
from rnnfast.layers.cell_layer import CellLayer, own_copy
from rnnfast.layers.kernel_activations import of_keras
from rnnfast.layers.layer import Array, Shape
from rnnfast.utils.hyperparameters import require_positive
from rnnfast.weights.keras_order import GATE_ORDER

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnfast.layers.options import CellLayerOptions


class LSTM(CellLayer):
    """Long short-term memory layer: `keras.layers.LSTM`.

    Parameters
    ----------
    units : int
        Number of hidden units, H.
    activation : str or None, default "tanh"
        Of candidate and cell state: "linear", "relu", "leaky_relu", "relu6", "elu", "celu",
        "selu", "softplus", "softsign", "tanh", "hard_tanh", "sigmoid", "hard_sigmoid",
        "sparse_sigmoid" or "exponential", as in Keras; None is "linear".
    recurrent_activation : str or None, default "sigmoid"
        Of the gates, likewise.
    use_bias : bool, default True
        Whether a bias is added.
    kernel_initializer : str or Initializer, default "glorot_uniform"
        Of the kernel (I, 4*H).
    recurrent_initializer : str or Initializer, default "orthogonal"
        Of the recurrent kernel (H, 4*H).
    bias_initializer : str or Initializer, default "zeros"
        Of the bias (4*H,).
    unit_forget_bias : bool, default True
        Whether the bias of the forget gate starts at 1 instead (Jozefowicz et al., 2015).
    kernel_regularizer, recurrent_regularizer, bias_regularizer : str or Regularizer, optional
        What each of them adds to the loss, see `rnnfast.regularizers`; nothing by default.
    return_sequences : bool, default False
        Whether the result is all states (batch, time, H) or the last one (batch, H).
    return_state : bool, default False
        Whether the layer, when it is called, gives (y, h, c) instead of y.
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
    zoneout : float or (float, float), default 0.0
        Share of h, and of c, that keeps the value of the step before while training; at inference
        the mean of both. Not in Keras.
    projection : int, optional
        R: h is R numbers, a product of what the cell gives and the projection kernel (H, R), and
        has the size R wherever H is its size above (LSTMP; torch's `proj_size`). Not in Keras.
    projection_initializer : str or Initializer, default "glorot_uniform"
        Of the projection kernel.
    peephole : bool, default False
        Whether the gates see c, each unit its own, with weights that start at zero (Gers et al.,
        2002); see `rnnfast.lstm`. Not in Keras.
    layer_norm : bool, default False
        Whether both products and c, on its way to h, are normalized (Ba et al., 2016); see
        `rnnfast.lstm`. Not in Keras.
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
    Weights: kernel (I, 4*H), recurrent_kernel (H, 4*H), bias (4*H,), gates in Keras's order
    i, f, c, o, which is the kernels' i, f, g, o; last, where they are there, projection_kernel
    (H, R), peephole (3*H,) in the order i, f, o, layer_norm (10*H,): gains of the input and of the
    recurrent product, gain and bias of c. Input (batch, time, I).
    """

    gate_order: ClassVar[tuple[int, ...]] = GATE_ORDER["lstm"]
    kind: ClassVar[str] = "lstm"
    function: ClassVar[Callable[..., Any]] = staticmethod(lstm)
    function_vjp: ClassVar[Callable[..., Any]] = staticmethod(lstm_vjp)
    function_trace: ClassVar[Callable[..., Any]] = staticmethod(lstm_trace)
    initial_state_names: ClassVar[tuple[str, ...]] = ("h0", "c0")
    state_gradient_names: ClassVar[tuple[str, ...]] = ("dh_n", "dc_n")

    def __init__(
        self,
        units: int,
        activation: str | None = "tanh",
        recurrent_activation: str | None = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: object = "glorot_uniform",
        recurrent_initializer: object = "orthogonal",
        bias_initializer: object = "zeros",
        unit_forget_bias: bool = True,
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
        zoneout: float | tuple[float, float] = 0.0,
        projection: int | None = None,
        projection_initializer: object = "glorot_uniform",
        peephole: bool = False,
        layer_norm: bool = False,
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
        candidate = of_keras("activation", activation)
        recurrent = of_keras("recurrent_activation", recurrent_activation)
        self._activations = (recurrent, candidate, candidate)
        self.activation = activation
        self.recurrent_activation = recurrent_activation
        self.unit_forget_bias = flag("unit_forget_bias", unit_forget_bias)
        self.projection = None if projection is None else require_positive("projection", projection)
        self.projection_initializer = initializers.get(projection_initializer)
        self.peephole = flag("peephole", peephole)
        self.layer_norm = flag("layer_norm", layer_norm)
        for name, chosen in (("projection", projection is not None), ("peephole", self.peephole)):
            if self.layer_norm and chosen:
                raise ValueError(f"layer_norm and {name} do not go together, choose one of them")

    @property
    def state_sizes(self) -> list[int]:
        """Sizes of h and c."""
        return [self.projection or self.units, self.units]

    def twin(self, name: str, *, go_backwards: bool) -> LSTM:
        """Make a layer of the same arguments that has no weights yet; see `Unidirectional.twin`."""
        layer = super().twin(name, go_backwards=go_backwards)
        layer.projection_initializer = own_copy(self.projection_initializer)
        return layer

    def _create_weights(self, input_shape: Shape) -> None:
        super()._create_weights(input_shape)
        if self.projection is not None:
            shape = (self.units, self.projection)
            self.add_weight("projection_kernel", shape, self.projection_initializer)
        if self.peephole:
            self.add_weight("peephole", (3 * self.units,), initializers.get("zeros"))
        if self.layer_norm:
            self.add_weight("layer_norm", (10 * self.units,), self._initial_norm)

    def _initial_norm(self, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """Give gains of one and, last, a bias of zero."""
        values = np.ones(shape, dtype)
        values[-self.units :] = 0
        return values

    def _reorder_gates(self, value: Array) -> Array:
        return value  # the same inside and outside

    @property
    def _further_weights(self) -> dict[str, str]:
        options = {
            "w_hr": ("projection_kernel", self.projection is not None),
            "peephole": ("peephole", self.peephole),
            "layer_norm": ("layer_norm", self.layer_norm),
        }
        return {argument: name for argument, (name, chosen) in options.items() if chosen}

    def _cell_options(self) -> dict[str, Any]:
        return {**super()._cell_options(), "activations": self._activations}

    def _initial_bias(self, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        if not self.unit_forget_bias:
            return self.bias_initializer(shape, dtype)
        return remembering(self.bias_initializer, self.units, dtype)


def remembering(initializer: Callable[..., Array], units: int, dtype: DTypeLike) -> Array:
    """Make a bias (4*H,) that is 1 for the forget gate, and else what an initializer gives."""
    input_gate = initializer((units,), dtype)
    candidate_and_output = initializer((2 * units,), dtype)
    return np.concatenate([input_gate, np.ones(units, dtype), candidate_and_output])
