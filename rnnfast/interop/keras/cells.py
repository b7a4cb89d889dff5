"""Cells with what Keras lacks: peepholes, layer normalization, zoneout.

    N(v) = gain (v - mean) / sqrt(variance + 1e-5) + bias     over all gates of a product together,
                                                              of a GRU over z r, and over the third
    i, f += p_i c_{t-1}, p_f c_{t-1};   o += p_o c_t
    s_t = d s_{t-1} + (1 - d) s~                              d drawn in training, else its mean

Dropout, of the inputs and of h, has one mask for all gates, as in the rest of rnnfast.
What they are by themselves is written in operations of Keras; layers run them by the kernels.
Source: Ba, Kiros and Hinton, "Layer normalization", 2016; Gers, Schraudolph and Schmidhuber,
"Learning precise timing with LSTM recurrent networks", 2002; Krueger et al., "Zoneout", 2016.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from ..._check import cells, options
from ...weights.keras_order import GATE_ORDER
from ._activations import choice
from ._cells import Options, Plan, float_policy, in_order, plain_weights

register = keras.saving.register_keras_serializable(package="rnnfast")


@register
class LSTMCell(keras.layers.LSTMCell):  # type: ignore[misc]  # Keras is not looked into
    """`keras.layers.LSTMCell` with what Keras lacks.

    Parameters
    ----------
    units : int
        Number of hidden units, H.
    peephole : bool, default False
        Whether the gates see c, each unit its own: a weight (3*H,), in the order i f o.
    layer_norm : bool, default False
        Whether both products and c, on its way to h, are normalized: a weight (10*H,), gains of the
        input and of the recurrent product, gain and bias of c. It goes with `peephole` not.
    zoneout : float or (float, float), default 0.0
        Share of h and of c that keeps the value of the step before, drawn in training.
    **others
        As of `keras.layers.LSTMCell`.

    Raises
    ------
    ValueError, TypeError
        When an argument is none of these.
    """

    core_order = GATE_ORDER["lstm"]

    def __init__(
        self,
        units: int,
        *,
        peephole: bool = False,
        layer_norm: bool = False,
        zoneout: float | tuple[float, float] = 0.0,
        **others: Any,
    ) -> None:
        super().__init__(units, **others)
        _one_mask_for_all_gates(self)
        self.peephole = options.flag("peephole", peephole)
        self.layer_norm = options.flag("layer_norm", layer_norm)
        self.zoneout = options.rates("zoneout", _pair(zoneout), ("h", "c"))
        if self.peephole and self.layer_norm:
            raise ValueError("layer_norm and peephole do not go together, choose one of them")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights."""
        super().build(input_shape)
        if self.peephole:
            self.peephole_weight = self.add_weight(
                shape=(3 * self.units,), name="peephole", initializer="zeros"
            )
        if self.layer_norm:
            self.norm_weight = self.add_weight(
                shape=(10 * self.units,), name="layer_norm", initializer=_ones_but_last(self.units)
            )

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:
        """Take one step: x_t (B, I) and [h, c] to h and [h, c]."""
        h, c = states
        x, h_in = _masked(self, inputs, h, training)
        w_ih, w_hh, bias = _operands(self)
        both = x @ w_ih, h_in @ w_hh
        gains = None
        if self.layer_norm:
            gains = ops.split(ops.convert_to_tensor(self.norm_weight), 10)
            of_x, of_h = ops.concatenate(gains[:4]), ops.concatenate(gains[4:8])
            both = _norm(both[0], of_x, bias), _norm(both[1], of_h, 0.0)
            bias = 0.0
        peep_i, peep_f, peep_o = 0.0, 0.0, 0.0
        if self.peephole:
            peep_i, peep_f, peep_o = ops.split(ops.convert_to_tensor(self.peephole_weight), 3)
        i, f, g, o = ops.split(both[0] + both[1] + bias, 4, axis=-1)
        i, f = self.recurrent_activation(i + peep_i * c), self.recurrent_activation(f + peep_f * c)
        c_new = f * c + i * self.activation(g)
        seen = c_new if gains is None else _norm(c_new, gains[8], gains[9])
        h_new = self.recurrent_activation(o + peep_o * c_new) * self.activation(seen)
        states = _zoned(self, (h, c), (h_new, c_new), training)
        return states[0], states

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"peephole": self.peephole, "layer_norm": self.layer_norm}
        return {**super().get_config(), **own, "zoneout": list(self.zoneout)}

    def rnnfast_plan(self) -> Plan:
        """Return how the kernels run it."""
        float_policy(self)
        inner, gates = choice(self.activation), choice(self.recurrent_activation)
        own: Options = {"activations": (gates, inner, inner)}
        peephole, layer_norm = self.peephole or None, self.layer_norm or None
        core = cells.choose("lstm", peephole=peephole, layer_norm=layer_norm, **own)
        return Plan(core, own, self.core_order, lambda: self._core_weights(), self.zoneout)

    def _core_weights(self) -> tuple[Any, ...]:
        plain = plain_weights(self, self.core_order)
        peephole = ops.convert_to_tensor(self.peephole_weight) if self.peephole else None
        norm = ops.convert_to_tensor(self.norm_weight) if self.layer_norm else None
        return (*plain, None, peephole, norm)


@register
class GRUCell(keras.layers.GRUCell):  # type: ignore[misc]  # Keras is not looked into
    """`keras.layers.GRUCell` with what Keras lacks.

    Parameters
    ----------
    units : int
        Number of hidden units, H.
    layer_norm : bool, default False
        Whether both products are normalized, which needs `reset_after`: a weight (6*H,), gains of
        the input and of the recurrent product, in the order r, z, candidate.
    zoneout : float, default 0.0
        Share of h that keeps the value of the step before, drawn in training.
    **others
        As of `keras.layers.GRUCell`.

    Raises
    ------
    ValueError, TypeError
        When an argument is none of these.
    """

    core_order = GATE_ORDER["gru"]

    def __init__(
        self, units: int, *, layer_norm: bool = False, zoneout: float = 0.0, **others: Any
    ) -> None:
        super().__init__(units, **others)
        _one_mask_for_all_gates(self)
        self.layer_norm = options.flag("layer_norm", layer_norm)
        self.zoneout = options.rates("zoneout", _pair(zoneout), ("h",))
        if self.layer_norm and not self.reset_after:
            raise ValueError("layer_norm needs reset_after=True, got False")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights."""
        super().build(input_shape)
        if self.layer_norm:
            self.norm_weight = self.add_weight(
                shape=(6 * self.units,), name="layer_norm", initializer="ones"
            )

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:
        """Take one step: x_t (B, I) and [h] to h and [h]."""
        (h,) = states
        x, h_in = _masked(self, inputs, h, training)
        w_ih, w_hh, _ = _operands(self)
        x_z, x_r, x_n = self._parts(x @ w_ih, 0)
        h_z, h_r, h_n = self._parts(h_in @ w_hh, 1)
        z, r = self.recurrent_activation(x_z + h_z), self.recurrent_activation(x_r + h_r)
        recurrent = r * h_n if self.reset_after else (r * h_in) @ w_hh[:, 2 * self.units :]
        h_new = z * h + (1 - z) * self.activation(x_n + recurrent)
        states = _zoned(self, (h,), (h_new,), training)
        return states[0], states

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"layer_norm": self.layer_norm, "zoneout": self.zoneout[0]}
        return {**super().get_config(), **own}

    def rnnfast_plan(self) -> Plan:
        """Return how the kernels run it."""
        float_policy(self)
        activations = choice(self.recurrent_activation), choice(self.activation)
        own: Options = {"reset_after": self.reset_after, "activations": activations}
        core = cells.choose("gru", layer_norm=self.layer_norm or None, **own)
        return Plan(core, own, self.core_order, lambda: self._core_weights(), self.zoneout)

    def _core_weights(self) -> tuple[Any, ...]:
        norm = ops.convert_to_tensor(self.norm_weight) if self.layer_norm else None
        return (*plain_weights(self, self.core_order), None, None, norm)

    def _parts(self, product: Any, which: int) -> list[Any]:
        """Return the parts z r n of the product of x, 0, or of h, 1."""
        bias = ops.zeros_like(product[0])
        if self.bias is not None and (self.reset_after or which == 0):
            both = ops.convert_to_tensor(self.bias)
            bias = both[which] if self.reset_after else both
        if not self.layer_norm:
            return list(ops.split(product + bias, 3, axis=-1))
        gains = ops.split(ops.convert_to_tensor(self.norm_weight), 2)[which]
        gain, two = in_order(self.core_order, gains), 2 * self.units
        gates = _norm(product[:, :two], gain[:two], bias[:two])
        return [*ops.split(gates, 2, axis=-1), _norm(product[:, two:], gain[two:], bias[two:])]


def _pair(zoneout: Any) -> Any:
    return tuple(zoneout) if isinstance(zoneout, list) else zoneout  # as of a file


def _ones_but_last(units: int) -> Any:
    def values(shape: tuple[int, ...], dtype: Any = None) -> Any:
        ones = ops.ones((shape[0] - units,), dtype)
        return ops.concatenate([ones, ops.zeros((units,), dtype)])

    return values


def _one_mask_for_all_gates(cell: Any) -> None:
    """Undo what recurrent dropout makes Keras's constructor ask for."""
    cell.implementation = 2
    vars(cell).pop("dropout_mask_count", None)


def _masked(cell: Any, x: Any, h: Any, training: bool) -> tuple[Any, Any]:
    if training and cell.dropout:
        x = x * cell.get_dropout_mask(x)
    if training and cell.recurrent_dropout:
        return x, h * cell.get_recurrent_dropout_mask(h)
    return x, h


def _zoned(cell: Any, before: tuple[Any, ...], after: tuple[Any, ...], training: bool) -> list[Any]:
    """Return states after zoneout, by its mean: what is drawn for each step, layers draw."""
    if training and any(cell.zoneout):
        raise NotImplementedError(
            f"{type(cell).__name__} with zoneout is trained by the kernels alone, as a layer's "
            "cell in float32 or float64 on the CPU"
        )
    return [
        d * old + (1 - d) * new for d, old, new in zip(cell.zoneout, before, after, strict=True)
    ]


def _operands(cell: Any) -> tuple[Any, Any, Any]:
    bias = 0.0 if cell.bias is None else ops.convert_to_tensor(cell.bias)
    return ops.convert_to_tensor(cell.kernel), ops.convert_to_tensor(cell.recurrent_kernel), bias


def _norm(v: Any, gain: Any, bias: Any) -> Any:
    centred = v - ops.mean(v, axis=-1, keepdims=True)
    variance = ops.mean(centred * centred, axis=-1, keepdims=True)
    return gain * centred / ops.sqrt(variance + 1e-5) + bias
