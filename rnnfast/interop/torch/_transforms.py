"""Calls under the function transforms of torch: `grad`, `vmap`, `jacrev` and so on, nested anyhow.

Autograd functions in the form that transforms ask for, where all that a pass hands on is tensors;
so the backward pass runs the forward pass once more. `vmap` takes element after element.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from . import _kernels
from ._batches import OneByOne, Tensors, one_by_one
from ._call import Call, Operands
from ._gradients import from_kernels, pull_back


def recurrence(
    call: Call,
    operands: Operands,
) -> tuple[Tensor, ...]:
    """Return y, h_n and, where there is one, c_n."""
    x, h0, c0, weights, *rest = operands
    result: tuple[Tensor, ...] = _Forward.apply(call, *rest, x, h0, c0, *weights)
    return result


class _Forward(OneByOne):
    @staticmethod
    def forward(
        call: Call,
        lengths: Tensor | None,
        resets: Tensor | None,
        seed: Tensor | None,
        x: Tensor,
        h0: Tensor | None,
        c0: Tensor | None,
        *weights: Tensor,
    ) -> tuple[Tensor, ...]:
        return _kernels.forward(call, Operands(x, h0, c0, weights, lengths, resets, seed))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.call = inputs[0]
        ctx.save_for_backward(*inputs[1:])

    @staticmethod
    def backward(ctx: Any, *d_outputs: Tensor) -> tuple[Any, ...]:
        call, saved, needed = ctx.call, ctx.saved_tensors, tuple(ctx.needs_input_grad[4:])

        def pull(d_outputs: Tensors) -> Tensors:
            found: Tensors = _Backward.apply(call, needed, len(d_outputs), *d_outputs, *saved)
            return found

        return (None, None, None, None, *one_by_one(pull, d_outputs))


class _Backward(OneByOne):
    @staticmethod
    def forward(
        call: Call, needed: tuple[bool, ...], count: int, *tensors: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        d_outputs, (lengths, resets, seed, x, h0, c0, *weights) = tensors[:count], tensors[count:]
        assert x is not None
        there = [weight for weight in weights if weight is not None]
        operands = Operands(x, h0, c0, there, lengths, resets, seed)
        _, tape = _kernels.forward_saving(call, operands)
        return tuple(from_kernels(call, tape, needed, operands, d_outputs))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Any, ...]) -> None:
        ctx.call, ctx.needed, ctx.count = inputs[:3]
        ctx.save_for_backward(*inputs[3:])

    @staticmethod
    def backward(ctx: Any, *d_gradients: Tensor | None) -> tuple[Any, ...]:
        return (None, None, None, *pull_back(ctx, d_gradients))
