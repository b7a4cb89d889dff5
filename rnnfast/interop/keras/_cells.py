"""Keras's cells as the core's: which, and their weights.

Keras has kernel (I, G*H), recurrent kernel (H, G*H) and bias (G*H,); the core has W_ih (G*H, I),
W_hh (G*H, H) and biases (G*H,). The GRU's gates are z r h there and r z n here, and its bias is
(2, 3*H), of either product, where the reset comes after it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import keras
from keras import ops

from ..._check import cells
from ...weights.keras_order import GATE_ORDER
from ._activations import choice
from ._fallback import CannotRun

Tensors = tuple[Any, ...]
Options = dict[str, Any]


class Kind(NamedTuple):
    """A kind of cell that Keras has.

    `order` are the gates of Keras in the core's order; `equations` the methods that a subclass
    must have left as they are, `gated` whether gates have an activation of their own.
    """

    function: str
    order: tuple[int, ...]
    gated: bool = True
    equations: tuple[str, ...] = ("call",)


_FUSED = ("call", "_compute_carry_and_output", "_compute_carry_and_output_fused")
KINDS = {
    keras.layers.LSTMCell: Kind("lstm", GATE_ORDER["lstm"], equations=_FUSED),
    keras.layers.GRUCell: Kind("gru", GATE_ORDER["gru"]),
    keras.layers.SimpleRNNCell: Kind("rnn", GATE_ORDER["rnn"], gated=False),
}


class Plan(NamedTuple):
    """How a cell runs: as which of the core's, with which of its gates, and its weights.

    `options` are what chose it of the cells that its function offers, beside weights; `zoneout` are
    the rates of its states, if it has any.
    """

    core: cells.Cell
    options: Options
    order: tuple[int, ...]
    weights: Callable[[], Tensors]
    zoneout: tuple[float, ...] = ()


def plan(cell: Any) -> Plan:
    """Return how a cell of Keras's, or of ours, runs.

    Raises
    ------
    CannotRun
        Where it does not.
    """
    own = getattr(cell, "rnnfast_plan", None)
    if own is not None:
        found: Plan = own()
        return found
    kind = _kind(cell)
    float_policy(cell)
    inner = choice(cell.activation)
    gates = choice(cell.recurrent_activation) if kind.gated else None
    core, options = _core_cell(kind.function, inner, gates, getattr(cell, "reset_after", None))
    return Plan(core, options, kind.order, lambda: plain_weights(cell, kind.order))


def float_policy(cell: Any) -> None:
    """Raise `CannotRun` unless a cell computes in one of the types of the kernels."""
    policy = cell.dtype_policy
    one = policy.compute_dtype == policy.variable_dtype and policy.quantization_mode is None
    if not one or policy.compute_dtype not in ("float32", "float64"):
        raise CannotRun(f"the dtype policy {policy.name}")


def _kind(cell: Any) -> Kind:
    for base, kind in KINDS.items():
        if isinstance(cell, base):
            for name in kind.equations:
                if getattr(type(cell), name) is not getattr(base, name) or name in vars(cell):
                    raise CannotRun(f"equations of its own ({type(cell).__name__}.{name})")
            return kind
    raise CannotRun(f"a cell that rnnfast does not have ({type(cell).__name__})")


@lru_cache(maxsize=64)
def _core_cell(
    function: str, inner: Any, gates: Any, reset_after: bool | None
) -> tuple[cells.Cell, Options]:
    options: Options = {"activations": (inner,)}
    if function == "lstm":
        options = {"activations": (gates, inner, inner)}
    if function == "gru":
        options = {"reset_after": reset_after, "activations": (gates, inner)}
    return cells.choose(function, **options), options


def plain_weights(cell: Any, order: tuple[int, ...]) -> Tensors:
    """Return W_ih, W_hh and both biases of the core."""
    kernel, recurrent = map(ops.convert_to_tensor, (cell.kernel, cell.recurrent_kernel))
    matrices = _rows(order, kernel), _rows(order, recurrent)
    if not cell.use_bias:
        return (*matrices, None, None)
    bias = ops.convert_to_tensor(cell.bias)
    if len(bias.shape) == 1:
        return (*matrices, in_order(order, bias), None)
    return (*matrices, in_order(order, bias[0]), in_order(order, bias[1]))


def _rows(order: tuple[int, ...], columns: Any) -> Any:
    """Return a matrix of the core (G*H, K) of one of Keras's (K, G*H)."""
    return ops.transpose(in_order(order, columns))


def in_order(order: tuple[int, ...], of_gates: Any) -> Any:
    """Return what has G gates on its last axis with these in another order."""
    if order == tuple(range(len(order))):
        return of_gates
    parts = ops.split(of_gates, len(order), axis=-1)
    return ops.concatenate([parts[gate] for gate in order], axis=-1)
