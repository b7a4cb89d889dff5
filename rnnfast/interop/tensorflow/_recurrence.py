"""One layer in one direction on TensorFlow's tensors, differentiable once.

    RnnfastForward          operands -> y, h_n, c_n
    RnnfastForwardSaving    operands -> y, h_n, c_n, tape
    RnnfastBackward         operands, tape, dy, dh_n, dc_n -> those gradients that are wanted

An operation has all operands of the core in its order; an empty vector stands for one that is
absent. The kernels look at shapes when they run: a graph may not know them. A pass saves where a
`tf.GradientTape` watches an operand; the gradient of one that did not runs it once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeAlias

import tensorflow as tf

from ... import _core
from ..._check import cells
from ._ops import is_watched, wrappers

Tensor: TypeAlias = Any

_ABSENT_FACTORS = 2  # of states, step by step: zoneout
_DIFFERENTIABLE = 10  # x, h0, c0 and seven weights


def recurrence(
    cell: cells.Cell,
    x: Tensor,
    weights: Sequence[Tensor | None],
    h0: Tensor | None,
    c0: Tensor | None,
    *,
    lengths: Tensor | None = None,
    resets: Tensor | None = None,
    recurrent_mask: Tensor | None = None,
    batch_first: bool = False,
    reverse: bool = False,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return y (T, B, R), h_n (B, R) and c_n (B, H), None where the cell has no memory.

    `x` is (T, B, I), `weights` are in the core's order, `lengths` (B,), `resets` (T, B),
    `recurrent_mask` (B, R) are factors of h before the recurrent product. With `batch_first`, x, y
    and `resets` are (B, T, ...).
    """
    x = tf.convert_to_tensor(x)
    none, no_lengths, no_resets = (tf.constant((), d) for d in (x.dtype, tf.int32, tf.bool))
    operands = [x]
    operands += [
        none if t is None else tf.convert_to_tensor(t, x.dtype) for t in (h0, c0, *weights)
    ]
    operands += [no_lengths if lengths is None else tf.cast(lengths, tf.int32)]
    operands += [no_resets if resets is None else tf.cast(resets, tf.bool)]
    operands += [none if recurrent_mask is None else tf.convert_to_tensor(recurrent_mask, x.dtype)]
    operands += [none] * _ABSENT_FACTORS
    ops = wrappers()
    run = ops.rnnfast_forward_saving if is_watched(operands) else ops.rnnfast_forward
    results = run(*operands, cell=_words(cell), batch_first=batch_first, reverse=reverse)
    y, h_n, c_n, *_ = results
    if not tf.executing_eagerly():
        _, _, _, _, w_hh, _, _, w_hr, *_ = operands
        rows = x.shape[0 if batch_first else 1]
        h_n.set_shape((rows, w_hh.shape[1]))
        if cell.has_c:
            c_n.set_shape((rows, (w_hh if w_hr is none else w_hr).shape[1]))
    return y, h_n, c_n if cell.has_c else None


@cache
def _words(cell: cells.Cell) -> list[int]:
    return _core.hosts.cell_words(cell.core)


@tf.RegisterGradient("RnnfastForwardSaving")  # type: ignore[untyped-decorator]
def _of_forward_saving(op: Any, *above: Tensor) -> list[Tensor | None]:
    return _gradients(op, op.outputs[-1], above[:-1])


@tf.RegisterGradient("RnnfastForward")  # type: ignore[untyped-decorator]
def _of_forward(op: Any, *above: Tensor) -> list[Tensor | None]:
    attributes = {name: op.get_attr(name) for name in ("cell", "batch_first", "reverse")}
    *_, tape = wrappers().rnnfast_forward_saving(*op.inputs, **attributes)
    return _gradients(op, tape, above)


@tf.RegisterGradient("RnnfastBackward")  # type: ignore[untyped-decorator]
def _of_backward(op: Any, *above: Tensor) -> list[Tensor | None]:
    raise NotImplementedError(
        "rnnfast has no second derivatives for TensorFlow; take them of the host's own layers, or "
        "of rnnfast.interop.torch"
    )


def _gradients(op: Any, tape: Tensor, above: Sequence[Tensor | None]) -> list[Tensor | None]:
    """Return a gradient for each operand, None where there is none or nobody asks for it."""
    operands = list(op.inputs)
    unneeded = (
        getattr(op, "skip_input_indices", None) or ()
    )  # under a tape; in graphs it is unknown
    wanted = [i not in unneeded and not _is_absent(operands[i]) for i in range(_DIFFERENTIABLE)]
    if not any(wanted):
        return [None] * len(operands)
    none = tf.constant((), operands[0].dtype)
    found = iter(
        wrappers().rnnfast_backward(
            *operands,
            tape,
            *(none if gradient is None else tf.convert_to_tensor(gradient) for gradient in above),
            wanted=wanted,
            N=sum(wanted),
        )
    )
    gradients = [
        _shaped(next(found), operand) if want else None
        for operand, want in zip(operands, wanted, strict=False)
    ]
    return gradients + [None] * (len(operands) - _DIFFERENTIABLE)


def _is_absent(operand: Tensor) -> bool:
    return operand.shape == (0,)


def _shaped(gradient: Tensor, operand: Tensor) -> Tensor:
    if not tf.executing_eagerly():
        gradient.set_shape(operand.shape)
    return gradient
