"""A layer by the operations, and their gradients.

    RnnfastForward          operands -> y, h_n, c_n
    RnnfastForwardSaving    operands -> y, h_n, c_n, tape
    RnnfastBackward         operands, tape, dy, dh_n, dc_n -> those gradients that are wanted

An operation has all operands of the core, in its order; an empty vector stands for one that is
absent. Their shapes are looked at when it runs: a graph may not know them. A pass saves where a
`tf.GradientTape` watches an operand; the gradient of one that did not runs it once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeAlias

import tensorflow as tf

from ... import _core
from ..._check import cells
from ._refusals import refuse_second_derivative
from ._registration import operations

Tensor: TypeAlias = Any

_DIFFERENTIABLE = 10  # the first: x, h0, c0 and the weights
_KEPT = 2  # factors of states step by step, the last operands, which nobody gives here


def recurrence(
    cell: cells.Cell,
    given: Sequence[Tensor | None],
    types: Sequence[tf.DType],
    batch_first: bool,
    reverse: bool,
) -> list[Tensor]:
    """Return y, h_n and, where there is one, c_n."""
    absent = {dtype: tf.constant((), dtype) for dtype in set(types)}
    operands = [absent[types[i]] if one is None else one for i, one in enumerate(given)]
    operands += [absent[types[0]]] * _KEPT
    ops = operations()
    run = ops.rnnfast_forward_saving if _is_watched(operands) else ops.rnnfast_forward
    results = run(*operands, cell=_words(cell), batch_first=batch_first, reverse=reverse)
    return list(results[: 3 if cell.has_c else 2])


def _is_watched(tensors: list[Any]) -> bool:
    """Return whether a `tf.GradientTape` watches any of these; True where nobody knows."""
    try:
        from tensorflow.python.eager.record import should_record_backprop
    except ImportError:
        return True
    return bool(should_record_backprop(tensors))


@cache
def _words(cell: cells.Cell) -> list[int]:
    return _core.hosts.cell_words(cell.core)


@tf.RegisterGradient("RnnfastForwardSaving")  # type: ignore[untyped-decorator]
def _of_forward_saving(op: Any, *above: Tensor) -> list[Tensor | None]:
    return _gradients(op, op.outputs[-1], above[:-1])


@tf.RegisterGradient("RnnfastForward")  # type: ignore[untyped-decorator]
def _of_forward(op: Any, *above: Tensor) -> list[Tensor | None]:
    attributes = {name: op.get_attr(name) for name in ("cell", "batch_first", "reverse")}
    *_, tape = operations().rnnfast_forward_saving(*op.inputs, **attributes)
    return _gradients(op, tape, above)


tf.RegisterGradient("RnnfastBackward")(refuse_second_derivative)


def _gradients(op: Any, tape: Tensor, above: Sequence[Tensor | None]) -> list[Tensor | None]:
    """Return one for each operand, None where there is none or nobody asks for it."""
    operands = list(op.inputs)
    unneeded = getattr(op, "skip_input_indices", None) or ()  # a tape tells, a graph does not
    wanted = [i not in unneeded and operands[i].shape != (0,) for i in range(_DIFFERENTIABLE)]
    gradients: list[Tensor | None] = [None] * len(operands)
    if any(wanted):
        none = tf.constant((), operands[0].dtype)
        above = [none if one is None else tf.convert_to_tensor(one) for one in above]
        found = operations().rnnfast_backward(*operands, tape, *above, wanted=wanted, N=sum(wanted))
        for i in reversed(range(_DIFFERENTIABLE)):
            if wanted[i]:
                gradients[i] = found.pop()
                if not tf.executing_eagerly():
                    gradients[i].set_shape(operands[i].shape)
    return gradients
