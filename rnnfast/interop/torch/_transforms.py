"""Calls under the function transforms of torch: `grad`, `vmap`, `jacrev` and so on, nested anyhow.

Autograd functions in the form that transforms ask for, where all that a pass hands on is tensors;
so the backward pass runs the forward pass once more. `vmap` takes element after element: what
differs between them may be weights.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from . import _kernels
from ._call import Call, Given
from ._gradients import from_kernels, second_order


def recurrence(
    call: Call,
    given: Given,
) -> tuple[Tensor, ...]:
    """Return y, h_n and, where there is one, c_n."""
    x, h0, c0, weights, *rest = given
    result: tuple[Tensor, ...] = _Forward.apply(call, *rest, x, h0, c0, *weights)
    return result


class _OneByOne(torch.autograd.Function):  # type: ignore[misc]  # torch is not looked into
    @classmethod
    def vmap(cls, info: Any, in_dims: tuple[int | None, ...], *arguments: Any) -> tuple[Any, Any]:
        results = [
            cls.apply(
                *(
                    argument.select(dim, i)
                    if isinstance(argument, Tensor) and dim is not None
                    else argument
                    for argument, dim in zip(arguments, in_dims, strict=True)
                )
            )
            for i in range(info.batch_size)
        ]
        stacked = tuple(
            None if of_all[0] is None else torch.stack(of_all)
            for of_all in zip(*results, strict=True)
        )
        return stacked, tuple(None if s is None else 0 for s in stacked)


class _Forward(_OneByOne):
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
        return _kernels.forward(call, Given(x, h0, c0, weights, lengths, resets, seed))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.call = inputs[0]
        ctx.save_for_backward(*inputs[1:])

    @staticmethod
    def backward(ctx: Any, *d_outputs: Tensor) -> tuple[Any, ...]:
        needed = tuple(ctx.needs_input_grad[4:])
        found = _Backward.apply(ctx.call, needed, len(d_outputs), *d_outputs, *ctx.saved_tensors)
        return (None, None, None, None, *found)


class _Backward(_OneByOne):
    @staticmethod
    def forward(
        call: Call, needed: tuple[bool, ...], count: int, *tensors: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        d_outputs, (lengths, resets, seed, x, h0, c0, *weights) = tensors[:count], tensors[count:]
        assert x is not None
        there = [weight for weight in weights if weight is not None]
        given = Given(x, h0, c0, there, lengths, resets, seed)
        _, tape = _kernels.forward_saving(call, given)
        return tuple(from_kernels(call, tape, needed, given, d_outputs))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Any, ...]) -> None:
        ctx.call, ctx.needed, ctx.count = inputs[:3]
        ctx.save_for_backward(*inputs[3:])

    @staticmethod
    def backward(ctx: Any, *bars: Tensor | None) -> tuple[Any, ...]:
        d_outputs, rest = ctx.saved_tensors[: ctx.count], ctx.saved_tensors[ctx.count :]
        tensors, rest = (*d_outputs, *rest[3:]), rest[:3]
        found = second_order(ctx.call, ctx.needed, rest, ctx.count, tensors, bars)
        return (None, None, None, *found[: ctx.count], None, None, None, *found[ctx.count :])
