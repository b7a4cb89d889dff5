"""One layer in one direction on TensorFlow's tensors, by the operations or as they would."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import tensorflow as tf

from ..._check import cells
from . import _numpy_function, _operations
from ._registration import operations

Tensor: TypeAlias = Any

_WEIGHTS = 7


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

    Parameters
    ----------
    cell : Cell
        Which equations.
    x : Tensor, shape (T, B, I)
        float32 or float64, which goes for all numbers.
    weights : sequence of Tensor or None
        In the core's order; those at the end may be missing.
    h0, c0 : Tensor, shapes (B, R) and (B, H), or None
        The states before the first step; zeros by default.
    lengths : Tensor of integers, shape (B,), optional
        The steps that each sequence takes, from 0 to T.
    resets : Tensor of booleans, shape (T, B), optional
        Steps before which states are zero.
    recurrent_mask : Tensor, shape (B, R), optional
        Factors of h where it enters the recurrent product.
    batch_first : bool, default False
        Whether x, y and `resets` are (B, T, ...).
    reverse : bool, default False
        Whether the last step is taken first.

    Raises
    ------
    TypeError
        For an `x` of another type.
    tf.errors.InvalidArgumentError
        For operands that do not fit; of a graph, when it runs.
    """
    x = tf.convert_to_tensor(x)
    if x.dtype not in (tf.float32, tf.float64):
        raise TypeError(f"x must be float32 or float64, got {x.dtype.name}; cast it")
    weights = (*weights, *[None] * (_WEIGHTS - len(weights)))
    types = [x.dtype] * (3 + _WEIGHTS) + [tf.int32, tf.bool, x.dtype]
    given = (x, h0, c0, *weights, lengths, resets, recurrent_mask)
    operands = [
        None if tensor is None else _converted(tensor, dtype)
        for tensor, dtype in zip(given, types, strict=True)
    ]
    if operations() is None:
        present = tuple(operand is not None for operand in operands)
        layer = _numpy_function.Layer(cell, batch_first, reverse, present)
        results = _numpy_function.recurrence(layer, [o for o in operands if o is not None])
    else:
        results = _operations.recurrence(cell, operands, types, batch_first, reverse)
    y, h_n, *c_n = results
    if not tf.executing_eagerly():
        *places, _ = x.shape.with_rank(3)
        rows = places[0 if batch_first else 1]
        _, _, _, _, w_hh, _, _, w_hr, *_ = operands
        y.set_shape((*places, w_hh.shape[1]))
        h_n.set_shape((rows, w_hh.shape[1]))
        if c_n:
            c_n[0].set_shape((rows, (w_hh if w_hr is None else w_hr).shape[1]))
    return y, h_n, c_n[0] if c_n else None


def _converted(tensor: Any, dtype: tf.DType) -> Tensor:
    if dtype.is_floating:
        return tf.convert_to_tensor(tensor, dtype)
    return tf.cast(tensor, dtype)
