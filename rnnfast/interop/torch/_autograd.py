"""The shortest way of a call with gradients: an autograd function, without the dispatcher."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor

from ... import _core
from ..._core import Extent
from . import _kernels, _single
from ._batches import Tensors, one_by_one
from ._call import Call, Operands
from ._gradients import gradients_of
from ._modes import are_plain, in_transforms
from ._passes import Tape


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
    """The results of one layer in one direction, or of a cell: `_single`.

    One call of the core there, and one back. Operands come first, so that what autograd needs to
    know of them does as well.
    """

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
        extent: Extent,
        call: Call,
        passed: tuple[Any, _core.Tape],
    ) -> Any:
        outputs, ctx.tape = passed
        ctx.extent, ctx.call = extent, call
        ctx.save_for_backward(x, h0, c0, w_ih, w_hh, b_ih, b_hh)
        ctx.set_materialize_grads(False)
        return outputs

    @staticmethod
    def backward(ctx: Any, *d_outputs: Tensor | None) -> Any:
        tensors, needed = ctx.saved_tensors, ctx.needs_input_grad
        if not torch.is_grad_enabled() and not in_transforms():
            found = _single.backward(ctx.extent, ctx.tape, tensors, needed, d_outputs)
            if found is not NotImplemented:
                return found
        return _by_gradients_of(ctx, tensors, d_outputs)


def _by_gradients_of(ctx: Any, tensors: Tensors, d_outputs: Tensors) -> Tensors:
    """Go the longer way back, with time first; a step is a sequence of one."""
    count = 3 + len(ctx.call.weight_names)
    (x, h0, c0, *weights), needed = tensors[:count], ctx.needs_input_grad
    d_y, *d_last = d_outputs
    if ctx.extent is Extent.step:
        x, h0, c0, d_y, *d_last = map(_in_a_sequence, (x, h0, c0, d_y, None, *d_last))
    elif ctx.extent is Extent.batch_first:
        x, d_y = map(_swapped, (x, d_y))
    operands, tape = Operands(x, h0, c0, weights), _single.SingleTape(ctx.tape)
    pull = partial(gradients_of, ctx.call, tape, needed[:count], operands)
    d_x, d_h0, d_c0, *d_weights = one_by_one(pull, (d_y, *d_last))
    if ctx.extent is Extent.step:
        d_x, d_h0, d_c0 = (None if d is None else d[0] for d in (d_x, d_h0, d_c0))
    elif ctx.extent is Extent.batch_first:
        d_x = _swapped(d_x)
    return (d_x, d_h0, d_c0, *d_weights, *[None] * (len(needed) - count))


def _in_a_sequence(tensor: Tensor | None) -> Tensor | None:
    return None if tensor is None else tensor[None]


def _swapped(tensor: Tensor | None) -> Tensor | None:
    return None if tensor is None else tensor.transpose(0, 1)


_requires_grad = attrgetter("requires_grad")

# What `Function.apply` does beside this, 2 us, is for transforms, which are asked after before.
_apply_single = super(torch.autograd.Function, _SingleRecurrence).apply


def forward_single(
    extent: Extent, call: Call, x: Tensor, state: Any, weights: Sequence[Tensor]
) -> Any:
    """One layer in one direction, or a cell, by the core.

    Returns y, h_n and, where there is one, c_n; of a cell h, or h and c; None for the longer way.
    """
    if not are_plain(x, weights) or not any(map(_requires_grad, weights)):
        return None
    states = _single.states_of(call.has_c, state)
    if states is None:
        return None
    operands = _single.flat_operands(x, *states, weights)
    passed = _single.forward_saving(extent, call, operands)
    return None if passed is NotImplemented else _apply_single(*operands, extent, call, passed)
