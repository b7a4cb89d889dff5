"""The shortest way of a call with gradients: an autograd function, without the dispatcher."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from . import _kernels, _single
from ._call import Call, Given
from ._gradients import gradients_of


class _Recurrence(torch.autograd.Function):  # type: ignore[misc]  # torch is not looked into
    """y, h_n and c_n of `_kernels.forward`."""

    @staticmethod
    def forward(
        ctx: Any,
        call: Call,
        lengths: Tensor | None,
        resets: Tensor | None,
        seed: Tensor | None,
        x: Tensor,
        h0: Tensor | None,
        c0: Tensor | None,
        *weights: Tensor,
    ) -> tuple[Tensor, ...]:
        given = Given(x, h0, c0, weights, lengths, resets, seed)
        outputs, tape = _single.forward_saving(call, given) or _kernels.forward_saving(call, given)
        ctx.call, ctx.tape = call, tape
        ctx.save_for_backward(x, h0, c0, lengths, resets, seed, *weights)
        ctx.set_materialize_grads(False)
        return outputs

    @staticmethod
    def backward(ctx: Any, *d_outputs: Tensor | None) -> tuple[Any, ...]:
        x, h0, c0, lengths, resets, seed, *weights = ctx.saved_tensors
        found = gradients_of(
            ctx.call,
            ctx.tape,
            ctx.needs_input_grad[4:],
            Given(x, h0, c0, weights, lengths, resets, seed),
            d_outputs,
        )
        return (None, None, None, None, *found)


def recurrence(
    call: Call,
    given: Given,
) -> tuple[Tensor, ...]:
    """Return y, h_n and, where there is one, c_n, with gradients."""
    x, h0, c0, weights, *rest = given
    result: tuple[Tensor, ...] = _Recurrence.apply(call, *rest, x, h0, c0, *weights)
    return result
