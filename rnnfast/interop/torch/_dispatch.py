"""Which way a call takes: the same numbers on all of them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from . import _autograd, _device, _operators, _packed, _passes, _precision, _transforms
from ._call import Call, Operands
from ._modes import are_plain, in_forward_mode, in_transforms, is_recorded


def recurrence(module: object, call: Call, operands: Operands) -> tuple[Tensor, ...]:
    """Return y, h_n and, where there is one, c_n, of the layers of a module."""
    if _device.takes(operands.x):
        return _on_device(call, operands)
    call = _precision.lowered(call, operands.weights[0])
    if call.precision is None:
        return _as_the_weights(module, call, operands)
    types = _precision.result_types(module, call, operands)
    return _precision.narrowed(_run(module, call, _precision.widened(operands)), types)


def _on_device(call: Call, operands: Operands) -> tuple[Tensor, ...]:
    """Run a call on a GPU. What it keeps, autograd saves with the arguments."""
    operands = _precision.as_autocast_asks(operands)
    x, h0, c0, weights, *_ = operands
    compiling = torch.compiler.is_compiling()
    if not compiling and in_transforms():
        return _transforms.recurrence(call, operands)
    recorded = compiling or is_recorded() or not are_plain(x, weights)
    if recorded or needs_grad(x, h0, c0, *weights):
        return _operators.recurrence(call, operands)
    return _passes.forward(call, operands)


def _as_the_weights(module: object, call: Call, operands: Operands) -> tuple[Tensor, ...]:
    """Run a call in the type of the weights, also under autocast."""
    x, h0, c0, weights, *_ = operands
    if torch.is_autocast_enabled("cpu"):
        dtype = weights[0].dtype
        h0, c0 = (None if state is None else state.to(dtype) for state in (h0, c0))
        operands = operands._replace(x=x.to(dtype), h0=h0, c0=c0)
    return _run(module, call, operands)


def _run(module: object, call: Call, operands: Operands) -> tuple[Tensor, ...]:
    x, h0, c0, weights, *_ = operands
    if "_is_fsdp_managed_module" in module.__dict__:
        # FSDP takes the memory of its parameters back after a call; a tape would still read it.
        weights = [weight.clone() for weight in weights]
        operands = operands._replace(weights=weights)
    transformed = not torch.compiler.is_compiling() and in_transforms()
    recorded = torch.compiler.is_compiling() or is_recorded() or not are_plain(x, weights)
    if not (recorded or transformed or needs_grad(x, h0, c0, *weights)):
        return _packed.forward(module, call, operands)
    if call.precision is not None:
        operands = _precision.widened_weights(operands)
    if transformed:
        return _transforms.recurrence(call, operands)
    if recorded:
        return _operators.recurrence(call, operands)
    return _autograd.recurrence(call, operands)


def states_in(hx: Any, has_c: bool) -> tuple[Tensor, ...] | None:
    """Return h and, where there is one, c, in the form that torch takes; None for another."""
    if has_c:
        if not isinstance(hx, (tuple, list)) or len(hx) != 2:
            return None
    else:
        hx = (hx,)
    return tuple(hx) if all(isinstance(state, Tensor) for state in hx) else None


def needs_grad(*tensors: Tensor | None) -> bool:
    """Return whether autograd wants to know of a call on these."""
    if in_forward_mode():  # for autograd to refuse
        return True
    return torch.is_grad_enabled() and any(
        tensor is not None and tensor.requires_grad for tensor in tensors
    )
