"""A layer by the operations, and their gradients.

    RnnfastForward          operands -> y, h_n, c_n
    RnnfastForwardSaving    operands -> y, h_n, c_n, tape
    RnnfastBackward         operands, tape, dy, dh_n, dc_n -> those gradients that are wanted

An operation has all operands of the core, in its order; an empty vector stands for one that is
absent. Shapes are looked at when it runs: a graph may not know them. A pass saves where a
`tf.GradientTape` watches an operand; the gradient of one that did not runs it once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeAlias

import tensorflow as tf

from ... import _core
from ..._check import cells
from ._layer import Layer
from ._refusals import refuse_second_derivative
from ._registration import operations

Tensor: TypeAlias = Any

_DIFFERENTIABLE = 10  # the first: x, h0, c0 and the weights
_LENGTHS, _RESETS = 10, 11
_ATTRIBUTES = ("cell", "batch_first", "reverse", "truncate")


def run(layer: Layer, given: Sequence[Any]) -> list[Tensor]:
    """Return y, h_n and, where there is one, c_n; `given` are all operands or None."""
    x = given[0]
    absent = [_absent(x.dtype)] * len(given)
    absent[_LENGTHS], absent[_RESETS] = _absent(tf.int32), _absent(tf.bool)
    operands = [none if one is None else one for one, none in zip(given, absent, strict=True)]
    ops = operations()
    forward = ops.rnnfast_forward_saving if _is_watched(operands) else ops.rnnfast_forward
    cell, *others = layer
    results = forward(*operands, _words(cell), *others)
    return list(results[: layer.results])


def _is_watched(tensors: list[Any]) -> bool:
    """Return whether a `tf.GradientTape` watches any of these; True where nobody knows."""
    try:
        from tensorflow.python.eager.record import should_record_backprop
    except ImportError:
        return True
    return bool(should_record_backprop(tensors))


def _absent(dtype: tf.DType) -> Tensor:
    return _eager_absent(dtype) if tf.executing_eagerly() else tf.constant((), dtype)


@cache
def _eager_absent(dtype: tf.DType) -> Tensor:
    with tf.device("CPU:0"):
        return tf.constant((), dtype)


@cache
def _words(cell: cells.Cell) -> list[int]:
    return _core.hosts.cell_words(cell.core)


@tf.RegisterGradient("RnnfastForwardSaving")  # type: ignore[untyped-decorator]
def _of_forward_saving(op: Any, *above: Tensor) -> list[Tensor | None]:
    return _gradients(op, op.outputs[-1], above[:-1])


@tf.RegisterGradient("RnnfastForward")  # type: ignore[untyped-decorator]
def _of_forward(op: Any, *above: Tensor) -> list[Tensor | None]:
    attributes = map(op.get_attr, _ATTRIBUTES)
    *_, tape = operations().rnnfast_forward_saving(*op.inputs, *attributes)
    return _gradients(op, tape, above)


tf.RegisterGradient("RnnfastBackward")(refuse_second_derivative)


def _gradients(op: Any, tape: Tensor, above: Sequence[Tensor | None]) -> list[Tensor | None]:
    """Return one for each operand, None where there is none or nobody asks for it."""
    operands = list(op.inputs)
    unneeded = getattr(op, "skip_input_indices", None) or ()  # a tape tells, a graph does not
    wanted = [i not in unneeded and operands[i].shape != (0,) for i in range(_DIFFERENTIABLE)]
    gradients: list[Any] = [None] * len(operands)
    if any(wanted):
        none = _absent(operands[0].dtype)
        above = [none if one is None else tf.convert_to_tensor(one) for one in above]
        found = operations().rnnfast_backward(*operands, tape, *above, wanted=wanted, N=sum(wanted))
        for i in reversed(range(_DIFFERENTIABLE)):
            if wanted[i]:
                gradients[i] = found.pop()
                if not tf.executing_eagerly():
                    gradients[i].set_shape(operands[i].shape)
    return gradients
