"""Gradients of a pass, which may have gradients themselves.

What the kernels give has none. Where autograd asks for some, of `create_graph=True`, they come from
the equations in operations of torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from . import _equations
from ._batches import OneByOne, Tensors, one_by_one
from ._call import Call, Operands
from ._modes import in_transforms
from ._passes import Tape, forward_saving


def gradients_of(
    call: Call,
    tape: Tape | None,
    needed: Sequence[bool],
    operands: Operands,
    d_outputs: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """Return the gradients of x, h0, c0 and the weights, None where they are not needed.

    Without a tape, the forward pass is run once more.
    """
    if torch.is_grad_enabled() or in_transforms():
        tensors = (*d_outputs, *operands.flat())
        return list(_Gradients.apply(call, tape, tuple(needed), len(d_outputs), *tensors))
    return from_kernels(call, tape, needed, operands, d_outputs)


def from_kernels(
    call: Call,
    tape: Tape | None,
    needed: Sequence[bool],
    operands: Operands,
    d_outputs: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """As `gradients_of`, without gradients of their own."""
    if tape is None:
        _, tape = forward_saving(call, operands)
    return tape.gradients(needed, operands, d_outputs)


class _Gradients(OneByOne):
    @staticmethod
    def forward(
        call: Call, tape: Tape | None, needed: tuple[bool, ...], count: int, *tensors: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        operands = Operands.of_flat(*tensors[count:])
        return tuple(from_kernels(call, tape, needed, operands, tensors[:count]))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Any, ...]) -> None:
        ctx.call, _, ctx.needed, ctx.count, *tensors = inputs
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*tensors)

    @staticmethod
    def backward(ctx: Any, *d_gradients: Tensor | None) -> tuple[Any, ...]:
        found = pull_back(ctx.call, ctx.needed, ctx.count, ctx.saved_tensors, d_gradients)
        return (None, None, None, None, *found)


def pull_back(
    call: Call, needed: Sequence[bool], count: int, tensors: Tensors, d_gradients: Tensors
) -> list[Tensor | None]:
    """Pull `d_gradients` back to `tensors`: the gradients of `count` results, and flat operands."""
    rest, pulled = tensors[count : count + 3], [*tensors[:count], *tensors[count + 3 :]]

    def pull(d_gradients: Tensors) -> Tensors:
        return _second_order(call, needed, rest, count, pulled, d_gradients)

    found = one_by_one(pull, d_gradients)
    return [*found[:count], None, None, None, *found[count:]]


def _second_order(
    call: Call,
    needed: Sequence[bool],
    rest: Sequence[Tensor | None],
    count: int,
    tensors: Sequence[Tensor | None],
    d_gradients: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """Pull `d_gradients`, of the gradients, back to `tensors`.

    These are the gradients of `count` results, then x, h0, c0 and the weights. As they come from
    function transforms, they have derivatives of any order themselves.
    """
    there = [i for i, tensor in enumerate(tensors) if tensor is not None]
    pulled = [
        i
        for i, (n, d_gradient) in enumerate(zip(needed, d_gradients, strict=True))
        if n and d_gradient is not None
    ]
    found: list[Tensor | None] = [None] * len(tensors)
    if not pulled:
        return found

    def first_order(*values: Tensor) -> tuple[Tensor, ...]:
        all_of_them = list(tensors)
        for i, value in zip(there, values, strict=True):
            all_of_them[i] = value
        d_outputs, own = all_of_them[:count], all_of_them[count:]

        def results(*sources: Tensor) -> tuple[Tensor, ...]:
            moved = list(own)
            for i, source in zip(pulled, sources, strict=True):
                moved[i] = source
            x, h0, c0, *weights = moved
            return _equations.outputs(call, Operands(x, h0, c0, weights, *rest))

        outputs, pull = torch.func.vjp(results, *(own[i] for i in pulled))
        gradients: tuple[Tensor, ...] = pull(
            tuple(
                torch.zeros_like(output) if d is None else d
                for output, d in zip(outputs, d_outputs, strict=True)
            )
        )
        return gradients

    _, pull = torch.func.vjp(first_order, *(tensors[i] for i in there))
    for i, gradient in zip(there, pull(tuple(d_gradients[i] for i in pulled)), strict=True):
        found[i] = gradient
    return found
