"""One layer in one direction, differentiable, on tensors of TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf

from ..._check import cells
from . import _numpy_function, _operations
from ._layer import Layer
from ._registration import operations

Tensor: TypeAlias = Any

_WEIGHTS = 7


@tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
def recurrence(
    cell: cells.Cell,
    x: Tensor,
    weights: Sequence[Tensor | None],
    h0: Tensor | None = None,
    c0: Tensor | None = None,
    *,
    lengths: Tensor | None = None,
    resets: Tensor | None = None,
    recurrent_mask: Tensor | None = None,
    kept_h: Tensor | None = None,
    kept_c: Tensor | None = None,
    batch_first: bool = False,
    reverse: bool = False,
    truncate: int = 0,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Run one layer in one direction.

    Parameters
    ----------
    cell : Cell
        What it computes.
    x : Tensor, shape (T, B, I)
        Of float32 or float64, as all others. (B, T, I) with `batch_first`.
    weights : sequence of Tensor or None
        w_ih (G*H, I), w_hh (G*H, R), b_ih and b_hh (G*H,), w_hr (R, H), peephole (U*H,),
        layer_norm; None, or left out at the end, where absent.
    h0, c0 : Tensor, shape (B, R) and (B, H), optional
        States before the first step, zero by default.
    lengths : Tensor of integers, shape (B,), optional
        Steps of each sequence, from 0 to T.
    resets : Tensor of bool, shape (T, B), optional
        Steps before which states are zero; axes as those of x.
    recurrent_mask : Tensor, shape (B, R), optional
        Factors of h where it meets w_hh. It has no gradient, as the two below.
    kept_h, kept_c : Tensor, shape (T, B, R) and (T, B, H), optional
        How much of its state a step keeps of the step before (zoneout); axes as those of x.
    batch_first, reverse : bool, default False
        How sequences lie, and whether the last step is taken first. Nothing is copied for it.
    truncate : int, default 0
        Steps after which the gradient is cut, 0 for never.

    Returns
    -------
    tuple of y (T, B, R), h_n (B, R) and c_n (B, H), None where the cell has none

    Raises
    ------
    TypeError
        For an `x` of another type.
    tf.errors.InvalidArgumentError
        For operands that do not fit, in graphs when these run.
    """
    x = tf.convert_to_tensor(x)
    if x.dtype not in (tf.float32, tf.float64):
        raise TypeError(f"x must be float32 or float64, got {x.dtype.name}; cast it")
    cell.require_held_numbers(np.dtype(x.dtype.as_numpy_dtype))
    layer = Layer(cell, batch_first, reverse, truncate)
    absent = [None] * (_WEIGHTS - len(weights))
    numbers = [_number(one, x.dtype) for one in (x, h0, c0, *weights, *absent)]
    steps = [_cast(lengths, tf.int32), _cast(resets, tf.bool)]
    factors = [_number(one, x.dtype) for one in (recurrent_mask, kept_h, kept_c)]
    way: Any = _numpy_function if operations() is None else _operations
    y, h_n, *c_n = way.run(layer, [*numbers, *steps, *factors])
    if not tf.executing_eagerly():
        *places, _ = x.shape.with_rank(3)
        rows = places[0 if batch_first else 1]
        _, _, _, _, w_hh, _, _, w_hr, *_ = numbers
        y.set_shape((*places, w_hh.shape[1]))
        h_n.set_shape((rows, w_hh.shape[1]))
        for c in c_n:
            c.set_shape((rows, (w_hh if w_hr is None else w_hr).shape[1]))
    return y, h_n, c_n[0] if c_n else None


def _number(given: Any, dtype: tf.DType) -> Any:
    if given is None or (isinstance(given, tf.Tensor) and given.dtype == dtype):
        return given
    return tf.convert_to_tensor(given, dtype)


def _cast(given: Any, dtype: tf.DType) -> Any:
    return None if given is None else tf.cast(given, dtype)
