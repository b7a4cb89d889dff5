"""The shortest way of a call with gradients: an autograd function, without the dispatcher."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from . import _kernels
from ._batches import one_by_one
from ._call import Call, Operands
from ._gradients import Tape, gradients_of


class _Recurrence(torch.autograd.Function):  # type: ignore[misc]  # torch is not looked into
    """y, h_n and c_n; `finished` is the forward pass where it has been run already."""

    @staticmethod
    def forward(
        ctx: Any,
        call: Call,
        finished: tuple[tuple[Tensor, ...], Tape] | None,
        lengths: Tensor | None,
        resets: Tensor | None,
        seed: Tensor | None,
        x: Tensor,
        h0: Tensor | None,
        c0: Tensor | None,
        *weights: Tensor,
    ) -> tuple[Tensor, ...]:
        outputs, tape = finished or _kernels.forward_saving(
            call, Operands(x, h0, c0, weights, lengths, resets, seed)
        )
        ctx.call, ctx.tape = call, tape
        ctx.save_for_backward(x, h0, c0, lengths, resets, seed, *weights)
        ctx.set_materialize_grads(False)
        return outputs

    @staticmethod
    def backward(ctx: Any, *d_outputs: Tensor | None) -> tuple[Any, ...]:
        x, h0, c0, lengths, resets, seed, *weights = ctx.saved_tensors
        operands = Operands(x, h0, c0, weights, lengths, resets, seed)
        call, tape, needed = ctx.call, ctx.tape, ctx.needs_input_grad[5:]
        found = one_by_one(partial(gradients_of, call, tape, needed, operands), d_outputs)
        return (None, None, None, None, None, *found)


def recurrence(
    call: Call, operands: Operands, finished: tuple[tuple[Tensor, ...], Tape] | None = None
) -> tuple[Tensor, ...]:
    """Return y, h_n and, where there is one, c_n, with gradients.

    `finished` is a forward pass that has been run already: results without gradients, and a tape.
    """
    x, h0, c0, weights, *rest = operands
    result: tuple[Tensor, ...] = _Recurrence.apply(call, finished, *rest, x, h0, c0, *weights)
    return result
