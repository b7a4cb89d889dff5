"""Calls in bfloat16: of modules whose weights are, and under autocast.

The kernels take and give float32, and round what enters a product. Results have the types that
torch gives, and gradients, computed in float32, those of the tensors that they are of:

    weights                  module                          y, h_n        c_n
    bfloat16                 any                             bfloat16      bfloat16
    float32, under autocast  RNN                             bfloat16
    (or bfloat16)            LSTM                            bfloat16      bfloat16
                             LSTM with a projection          bfloat16      as carried
                             LSTM, packed; LSTMCell; GRU     as carried    as carried

where carried is the type of the initial state, or of the input where there is none.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.modules.rnn import RNNCellBase

from ._call import Call, Operands

LOW = torch.bfloat16


def under_autocast() -> bool:
    """Return whether autocast asks for bfloat16."""
    return torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu") is LOW


def lowered(call: Call, weight: Tensor) -> Call:
    """Return the call in the precision that its weights, or autocast, ask for."""
    asked = weight.dtype is LOW or (weight.dtype is torch.float32 and under_autocast())
    return call._replace(precision="bfloat16") if asked else call


def type_on_device(weight: Tensor) -> torch.dtype:
    """Return the type of a call on a GPU: that of its weights, or what autocast makes of them."""
    asked: torch.dtype = weight.dtype
    if torch.is_autocast_enabled("cuda") and asked is not torch.float64:
        asked = torch.get_autocast_dtype("cuda")
    return asked


def as_autocast_asks(operands: Operands) -> Operands:
    """Return sequences, states and weights of a call on a GPU in the type that it has."""
    if not torch.is_autocast_enabled("cuda"):
        return operands
    x, h0, c0, weights, *rest = operands
    dtype = type_on_device(weights[0])
    x, h0, c0, *weights = (None if t is None else t.to(dtype) for t in (x, h0, c0, *weights))
    return Operands(x, h0, c0, weights, *rest)


def result_types(module: object, call: Call, operands: Operands) -> tuple[torch.dtype, ...]:
    """Return the types of y, h_n and c_n, as in the table above."""
    if not torch.is_autocast_enabled("cpu"):
        return (LOW, LOW, LOW)
    x, h0, *_ = operands
    carried = x.dtype if h0 is None else h0.dtype
    if call.kind == "gru":
        return (carried, carried)
    if call.kind != "lstm":
        return (LOW, LOW)
    if "w_hr" in call.weight_names:
        return (LOW, LOW, carried)
    by_steps = operands.lengths is not None or isinstance(module, RNNCellBase)
    return (carried,) * 3 if by_steps else (LOW,) * 3


def widened(operands: Operands) -> Operands:
    """Return sequences and states in float32, exactly; the weights stay as they are."""
    x, h0, c0 = (None if t is None else t.float() for t in operands[:3])
    return operands._replace(x=x, h0=h0, c0=c0)


def widened_weights(operands: Operands) -> Operands:
    """Return the weights in float32 as well."""
    return operands._replace(weights=[weight.float() for weight in operands.weights])


def narrowed(results: tuple[Tensor, ...], types: tuple[torch.dtype, ...]) -> tuple[Tensor, ...]:
    """Return results in the types that torch gives."""
    return tuple(one.to(dtype) for one, dtype in zip(results, types, strict=False))
