"""The shortest way of a call with gradients: an autograd function, without the dispatcher."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from . import _kernels, _single
from ._batches import one_by_one
from ._call import Call, Operands
from ._gradients import Tape, gradients_of
from ._modes import are_plain, in_transforms


class _Recurrence(torch.autograd.Function):  # type: ignore[misc]  # torch is not looked into
    """y, h_n and c_n, for autograd: the results of a forward pass, of which it has the tape."""

    @staticmethod
    def forward(
        ctx: Any, call: Call, passed: tuple[tuple[Tensor, ...], Tape], *tensors: Tensor | None
    ) -> tuple[Tensor, ...]:
        outputs, tape = passed
        ctx.call, ctx.tape = call, tape
        ctx.save_for_backward(*tensors)
        ctx.set_materialize_grads(False)
        return outputs

    @staticmethod
    def backward(ctx: Any, *d_outputs: Tensor | None) -> tuple[Any, ...]:
        operands = Operands.of_flat(*ctx.saved_tensors)
        pull = partial(gradients_of, ctx.call, ctx.tape, ctx.needs_input_grad[5:], operands)
        return (None, None, None, None, None, *one_by_one(pull, d_outputs))


def recurrence(call: Call, operands: Operands) -> tuple[Tensor, ...]:
    """Return y, h_n and, where there is one, c_n, with gradients."""
    result: tuple[Tensor, ...] = _Recurrence.apply(
        call, _kernels.forward_saving(call, operands), *operands.flat()
    )
    return result


class _SingleRecurrence(torch.autograd.Function):  # type: ignore[misc]
    """The same of one layer in one direction, `_single`: one call of the core there, one back."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        h0: Tensor | None,
        c0: Tensor | None,
        w_ih: Tensor,
        w_hh: Tensor,
        b_ih: Tensor | None,
        b_hh: Tensor | None,
        call: Call,
        passed: tuple[tuple[Tensor, ...], Any],
    ) -> tuple[Tensor, ...]:
        outputs, ctx.tape = passed
        ctx.call = call
        ctx.save_for_backward(x, h0, c0, w_ih, w_hh, b_ih, b_hh)
        ctx.set_materialize_grads(False)
        return outputs

    @staticmethod
    def backward(ctx: Any, *d_outputs: Tensor | None) -> Any:
        tape, tensors, needed = ctx.tape, ctx.saved_tensors, ctx.needs_input_grad
        if not torch.is_grad_enabled() and not in_transforms():
            found = _single.backward(tape, tensors, needed, d_outputs)
            if found is not NotImplemented:
                return found
        x, h0, c0, *weights = tensors
        count = len(ctx.call.weight_names)
        operands = Operands(x, h0, c0, weights[:count])
        tape = _single.SingleTape(tape)
        pull = partial(gradients_of, ctx.call, tape, needed[: 3 + count], operands)
        return (*one_by_one(pull, d_outputs), *[None] * (6 - count))


# As no transform is at work: what `Function.apply` does beside this takes 2 us.
_apply_single = super(torch.autograd.Function, _SingleRecurrence).apply


def forward_single(
    call: Call, x: Tensor, state: Any, weights: Sequence[Tensor]
) -> tuple[Tensor, ...] | None:
    """One layer in one direction by the core, x being (T, B, I); None for the longer way."""
    if not are_plain(x, weights) or not any(weight.requires_grad for weight in weights):
        return None
    states = _single.states_of(call.has_c, state)
    if states is None:
        return None
    operands = _single.flat_operands(x, *states, weights)
    passed = _single.forward_saving(call, operands)
    if passed is NotImplemented:
        return None
    result: tuple[Tensor, ...] = _apply_single(*operands, call, passed)
    return result
