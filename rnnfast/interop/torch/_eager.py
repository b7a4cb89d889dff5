"""The shortest way of a call with gradients: an autograd function, without the dispatcher."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from . import _kernels
from ._batches import one_by_one
from ._call import Call, Given
from ._gradients import Tape, gradients_of


class _Recurrence(torch.autograd.Function):  # type: ignore[misc]  # torch is not looked into
    """y, h_n and c_n of `_kernels.forward`; `begun` has them where they were made before."""

    @staticmethod
    def forward(
        ctx: Any,
        call: Call,
        begun: tuple[tuple[Tensor, ...], Tape] | None,
        lengths: Tensor | None,
        resets: Tensor | None,
        seed: Tensor | None,
        x: Tensor,
        h0: Tensor | None,
        c0: Tensor | None,
        *weights: Tensor,
    ) -> tuple[Tensor, ...]:
        outputs, tape = begun or _kernels.forward_saving(
            call, Given(x, h0, c0, weights, lengths, resets, seed)
        )
        ctx.call, ctx.tape = call, tape
        ctx.save_for_backward(x, h0, c0, lengths, resets, seed, *weights)
        ctx.set_materialize_grads(False)
        return outputs

    @staticmethod
    def backward(ctx: Any, *d_outputs: Tensor | None) -> tuple[Any, ...]:
        x, h0, c0, lengths, resets, seed, *weights = ctx.saved_tensors
        given = Given(x, h0, c0, weights, lengths, resets, seed)
        call, tape, needed = ctx.call, ctx.tape, ctx.needs_input_grad[5:]
        found = one_by_one(partial(gradients_of, call, tape, needed, given), d_outputs)
        return (None, None, None, None, None, *found)


def recurrence(
    call: Call, given: Given, begun: tuple[tuple[Tensor, ...], Tape] | None = None
) -> tuple[Tensor, ...]:
    """Return y, h_n and, where there is one, c_n, with gradients.

    What was `begun` are the results, without gradients, and a tape.
    """
    x, h0, c0, weights, *rest = given
    result: tuple[Tensor, ...] = _Recurrence.apply(call, begun, *rest, x, h0, c0, *weights)
    return result
