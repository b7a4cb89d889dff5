"""Gradients of a pass, which may have gradients themselves.

What the kernels give has none. Where autograd asks for some, of `create_graph=True`, they come from
the equations in operations of torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor

from . import _equations
from ._batches import OneByOne, Tensors, one_by_one
from ._call import Call, Operands
from ._kernels import LayersTape
from ._single import SingleTape

Tape: TypeAlias = LayersTape | SingleTape


def gradients_of(
    call: Call,
    tape: Tape,
    needed: Sequence[bool],
    operands: Operands,
    d_outputs: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """Return the gradients of x, h0, c0 and the weights, None where they are not needed."""
    if torch.is_grad_enabled() or torch._C._functorch.peek_interpreter_stack() is not None:
        x, h0, c0, weights, *rest = operands
        tensors = (*d_outputs, *rest, x, h0, c0, *weights)
        return list(_Gradients.apply(call, tape, tuple(needed), len(d_outputs), *tensors))
    return from_kernels(call, tape, needed, operands, d_outputs)


def from_kernels(
    call: Call,
    tape: Tape,
    needed: Sequence[bool],
    operands: Operands,
    d_outputs: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """As `gradients_of`, without gradients of their own."""
    if isinstance(tape, SingleTape):
        return tape.gradients(needed, operands, d_outputs)
    of_x, of_h0, of_c0, *of_weights = needed
    width = len(call.weight_names)
    wanted = {name for name, n in (("x", of_x), ("h0", of_h0), ("c0", of_c0)) if n} | {
        name for i, name in enumerate(call.weight_names) if any(of_weights[i::width])
    }
    found = tape.backward(call, frozenset(wanted), d_outputs)
    of_part = (
        found[call.weight_names[i % width]][i // width] if need else None
        for i, need in enumerate(of_weights)
    )
    return [found.get("x"), found.get("h0"), found.get("c0"), *of_part]


class _Gradients(OneByOne):
    @staticmethod
    def forward(
        call: Call, tape: Tape, needed: tuple[bool, ...], count: int, *tensors: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        d_outputs, (lengths, resets, seed, x, h0, c0, *weights) = tensors[:count], tensors[count:]
        assert x is not None
        there = [weight for weight in weights if weight is not None]
        operands = Operands(x, h0, c0, there, lengths, resets, seed)
        return tuple(from_kernels(call, tape, needed, operands, d_outputs))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Any, ...]) -> None:
        ctx.call, _, ctx.needed, ctx.count, *tensors = inputs
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*tensors)

    @staticmethod
    def backward(ctx: Any, *d_gradients: Tensor | None) -> tuple[Any, ...]:
        return (None, None, None, None, *pull_back(ctx, d_gradients))


def pull_back(ctx: Any, d_gradients: Tensors) -> list[Tensor | None]:
    """Pull `d_gradients` back to what `ctx` has saved: d_outputs, then the operands."""
    call, needed, count, saved = ctx.call, ctx.needed, ctx.count, ctx.saved_tensors
    rest, tensors = saved[count : count + 3], (*saved[:count], *saved[count + 3 :])

    def pull(d_gradients: Tensors) -> Tensors:
        return second_order(call, needed, rest, count, tensors, d_gradients)

    found = one_by_one(pull, d_gradients)
    return [*found[:count], None, None, None, *found[count:]]


def second_order(
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
