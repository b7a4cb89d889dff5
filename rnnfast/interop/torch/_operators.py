"""The operators `torch.ops.rnnfast.forward` and `backward`, for whoever looks at a program.

The compiler and `export` see one operator for all layers of a module. What a pass keeps for its
backward pass, its tape, is a tensor on a GPU (`_device.py`), and none on the processor: `token`,
a result without a meaning of its own, stands for it there. As long as that very tensor lives, so
does the tape; where it was copied, or never stood for one, the backward pass runs the forward pass
once more.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from . import _device, _passes
from ._batches import Tensors, element_by_element, one_by_one
from ._call import Call, Operands
from ._gradients import from_kernels, pull_back
from ._passes import Tape

_CALL = "str cell, str names, bool bidirectional, float[] rates, bool checkpoint, str? precision"
_OPERANDS = (
    "Tensor x, Tensor? h0, Tensor? c0, Tensor[] weights, Tensor? lengths, Tensor? resets, "
    "Tensor? seed"
)
_COUNT = 6  # of what describes the call

torch.library.define(
    "rnnfast::forward", f"({_CALL}, {_OPERANDS}, bool saves) -> (Tensor, Tensor, Tensor, Tensor)"
)
torch.library.define(
    "rnnfast::backward",
    f"({_CALL}, {_OPERANDS}, Tensor token, Tensor dy, Tensor dh_n, Tensor dc_n, bool[] needed) "
    "-> Tensor[]",
)

_tapes: dict[int, Tape] = {}


def recurrence(call: Call, operands: Operands) -> tuple[Tensor, ...]:
    """Return y, h_n and, where there is one, c_n, by the operator."""
    y, h_n, c_n, _ = torch.ops.rnnfast.forward(
        *_described(call), *operands, torch.is_grad_enabled()
    )
    return (y, h_n, c_n) if call.has_c else (y, h_n)


def _described(call: Call) -> tuple[Any, ...]:
    kind, names, *others = call
    return (kind, ",".join(names), *others)


def _call(cell: str, names: str, bidirectional: bool, rates: Any, *others: Any) -> Call:
    return Call(cell, tuple(names.split(",")), bidirectional, tuple(rates), *others)


def _forward(*arguments: Any) -> tuple[Tensor, ...]:
    *described_and_operands, saves = arguments
    call, operands = (
        _call(*described_and_operands[:_COUNT]),
        Operands(*described_and_operands[_COUNT:]),
    )
    x = operands.x
    if not saves:
        outputs, token = _passes.forward(call, operands), _no_token(x)
    else:
        outputs, tape = _passes.forward_saving(call, operands)
        token = _token_of(tape)
    return (*outputs, *([] if call.has_c else [x.new_empty(0)]), token)


def _token_of(tape: Tape) -> Tensor:
    if isinstance(tape, _device.DeviceTape):
        return tape.memory
    memory = np.zeros(1, np.int64)
    token = torch.from_numpy(memory)  # whose storage holds on to `memory`
    _tapes[token.data_ptr()] = tape
    weakref.finalize(memory, _tapes.pop, token.data_ptr(), None).atexit = False
    return token


def _tape_of(call: Call, token: Tensor) -> Tape | None:
    """Return the tape that a token is, or stands for; None if there is none."""
    if not token.numel():
        return None
    if _device.takes(token):
        return _device.DeviceTape(call, token)
    return _tapes.get(token.data_ptr())


def _fake_forward(*arguments: Any) -> tuple[Tensor, ...]:
    *described_and_operands, saves = arguments
    call, operands = _call(*described_and_operands[:_COUNT]), described_and_operands[_COUNT:]
    x, _, _, weights, _, _, seed = operands
    parts = len(weights) // len(call.weight_names)
    steps, batch, _ = x.shape
    output_size = weights[1].shape[1]
    hidden_size = (
        weights[call.weight_names.index("w_hr")].shape[1]
        if "w_hr" in call.weight_names
        else output_size
    )
    c_n = x.new_empty(parts, batch, hidden_size) if call.has_c else x.new_empty(0)
    return (
        x.new_empty(steps, batch, call.directions * output_size),
        x.new_empty(parts, batch, output_size),
        c_n,
        _fake_token(call, x, weights, seed is not None) if saves else _no_token(x),
    )


def _no_token(x: Tensor) -> Tensor:
    return x.new_empty(0, dtype=torch.int64)


def _fake_token(call: Call, x: Tensor, weights: Sequence[Tensor], draws: bool) -> Tensor:
    if _device.takes(x):
        return x.new_empty(_device.tape_bytes(call, x, weights, draws), dtype=torch.uint8)
    return x.new_empty(1, dtype=torch.int64)


def _backward(*arguments: Any) -> list[Tensor]:
    call, operands = _call(*arguments[:_COUNT]), Operands(*arguments[_COUNT:-5])
    token, dy, dh_n, dc_n, needed = arguments[-5:]
    d_outputs = (dy, dh_n, dc_n) if call.has_c else (dy, dh_n)
    found = from_kernels(call, _tape_of(call, token), needed, operands, d_outputs)
    return [gradient for gradient in found if gradient is not None]


def _fake_backward(*arguments: Any) -> list[Tensor]:
    x, h0, c0, weights, *_ = arguments[_COUNT:-5]
    tensors = (x, h0, c0, *weights)
    needed = arguments[-1]
    return [
        torch.empty(t.shape, dtype=t.dtype, device=t.device)
        for t, n in zip(tensors, needed, strict=True)
        if n
    ]


def _keep(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    *_, token = output
    ctx.described = inputs[:_COUNT]
    ctx.save_for_backward(token, *Operands(*inputs[_COUNT:-1]).flat())
    ctx.mark_non_differentiable(token)


def _pull(ctx: Any, dy: Tensor, dh_n: Tensor, dc_n: Tensor, _: Any) -> tuple[Any, ...]:
    token, *saved = ctx.saved_tensors
    operands = Operands.of_flat(*saved)
    x, h0, c0, weights, *_ = operands
    needs = ctx.needs_input_grad[_COUNT:]
    of_weights = needs[3] if isinstance(needs[3], (list, tuple)) else [needs[3]] * len(weights)
    needed = [*needs[:3], *of_weights]
    needed = [n and t is not None for n, t in zip(needed, (x, h0, c0, *weights), strict=True)]

    def pull(d_outputs: Tensors) -> Tensors:
        arguments = (*ctx.described, *operands, token, *d_outputs, needed)
        found = iter(torch.ops.rnnfast.backward(*arguments))
        return [next(found) if n else None for n in needed]

    of_x, of_h0, of_c0, *of_weights = one_by_one(pull, (dy, dh_n, dc_n))
    return (*[None] * _COUNT, of_x, of_h0, of_c0, of_weights, None, None, None, None)


def _keep_of_backward(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    _, dy, dh_n, dc_n, ctx.needed = inputs[-5:]
    ctx.described = inputs[:_COUNT]
    ctx.save_for_backward(dy, dh_n, dc_n, *Operands(*inputs[_COUNT:-5]).flat())


def _pull_of_backward(ctx: Any, d_gradients: Sequence[Tensor | None]) -> tuple[Any, ...]:
    call = _call(*ctx.described)
    count = 3 if call.has_c else 2  # of results
    dy, dh_n, dc_n, *operands = ctx.saved_tensors
    tensors = (*(dy, dh_n, dc_n)[:count], *operands)
    remaining = iter(d_gradients)
    of_needed = [next(remaining) if n else None for n in ctx.needed]
    found = pull_back(call, ctx.needed, count, tensors, of_needed)
    of_dy, of_dh_n, of_dc_n = (*found[:count], None)[:3]
    _, _, _, of_x, of_h0, of_c0, *of_weights = found[count:]
    return (
        *[None] * _COUNT,
        *(of_x, of_h0, of_c0, of_weights, None, None, None, None),
        *(of_dy, of_dh_n, of_dc_n, None),
    )


def _vmap(operator: Any, info: Any, in_dims: Any, *arguments: Any) -> tuple[Any, Any]:
    return element_by_element(operator, info.batch_size, in_dims, arguments)


torch.library.impl("rnnfast::forward", ("cpu", "cuda"), _forward)
torch.library.impl("rnnfast::backward", ("cpu", "cuda"), _backward)
torch.library.register_fake("rnnfast::forward", _fake_forward)
torch.library.register_fake("rnnfast::backward", _fake_backward)
torch.library.register_autograd("rnnfast::forward", _pull, setup_context=_keep)
torch.library.register_autograd(
    "rnnfast::backward", _pull_of_backward, setup_context=_keep_of_backward
)
if hasattr(torch.library, "register_vmap"):  # torch 2.5 and later
    for _name in ("forward", "backward"):
        _operator = getattr(torch.ops.rnnfast, _name)
        torch.library.register_vmap(f"rnnfast::{_name}", partial(_vmap, _operator))
