"""Calls under the function transforms of torch: `grad`, `vmap`, `jacrev` and so on, nested anyhow.

An autograd function in the form that transforms ask for, where all that a pass hands on is tensors;
so the backward pass runs the forward pass once more. `vmap` takes element after element.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor

from . import _passes
from ._batches import OneByOne, one_by_one
from ._call import Call, Operands
from ._gradients import gradients_of


def recurrence(call: Call, operands: Operands) -> tuple[Tensor, ...]:
    """Return y, h_n and, where there is one, c_n."""
    result: tuple[Tensor, ...] = _Recurrence.apply(call, *operands.flat())
    return result


class _Recurrence(OneByOne):
    @staticmethod
    def forward(call: Call, *tensors: Tensor | None) -> tuple[Tensor, ...]:
        return _passes.forward(call, Operands.of_flat(*tensors))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.call, *tensors = inputs
        ctx.save_for_backward(*tensors)

    @staticmethod
    def backward(ctx: Any, *d_outputs: Tensor) -> tuple[Any, ...]:
        operands = Operands.of_flat(*ctx.saved_tensors)
        pull = partial(gradients_of, ctx.call, None, ctx.needs_input_grad[4:], operands)
        return (None, None, None, None, *one_by_one(pull, d_outputs))
