"""The arguments of connectionist temporal classification.

Sizes: T steps, B rows, C classes, S labels of a target. `x` (T, B, C) sets the first three.
"""

from __future__ import annotations

import operator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .arrays import Array, Integers, integers, real_on_host, unit_last_stride
from .inputs import in_order


class Logits(NamedTuple):
    """What classes are read from: `x` (T, B, C), steps first, and the steps of each row."""

    x: Array
    lengths: Integers
    blank: int


class Targets(NamedTuple):
    """Labels of all rows in turn; `starts` (B + 1,) is where each row's begin and the last end."""

    labels: Integers
    starts: Integers


def logits(
    x: npt.ArrayLike, lengths: npt.ArrayLike | None, blank: int, batch_first: bool
) -> Logits:
    """Return `x` (T, B, C), (B, T, C) with `batch_first`, and what goes with it."""
    array = real_on_host("x", x)
    if array.ndim != 3 or array.shape[2] == 0:
        symbols = in_order("T, B, C", batch_first)
        raise ValueError(f"x must be 3-D {symbols} with C at least 1, got {array.shape}")
    array = unit_last_stride(array.swapaxes(0, 1) if batch_first else array)
    steps, batch, classes = array.shape
    given = np.full(batch, steps) if lengths is None else lengths
    spans = integers("lengths", given, "(B,)", (batch,), steps)
    return Logits(array, spans, _blank(blank, classes))


def targets(value: npt.ArrayLike, target_lengths: npt.ArrayLike | None, given: Logits) -> Targets:
    """Return the labels, from (B, S) or from those of all rows in turn."""
    batch, classes = given.x.shape[1:]
    array = _labels(value)
    if array.ndim == 2 and len(array) == batch:
        counts = _counts(target_lengths, batch, array.shape[1])
        labels = array[np.arange(array.shape[1]) < counts[:, None]]
    elif array.ndim == 1 and target_lengths is not None:
        counts = _counts(target_lengths, batch, len(array))
        if counts.sum() != len(array):
            raise ValueError(
                f"targets must have the sum of target_lengths, {counts.sum()}, labels, "
                f"got {len(array)}"
            )
        labels = array
    else:
        raise ValueError(
            f"targets must be (B, S) with B = {batch}, or 1-D with the labels of all rows in turn "
            f"and target_lengths, got {array.shape}"
        )
    wrong = (labels < 0) | (labels >= classes) | (labels == given.blank)
    if wrong.any():
        row = int(np.repeat(np.arange(batch), counts)[wrong][0])
        raise ValueError(
            f"targets must be labels from 0 to {classes - 1} other than the blank, {given.blank}, "
            f"got {labels[wrong][0]} in row {row}; what follows the labels of a row is left out "
            f"by target_lengths"
        )
    starts = np.concatenate([[0], np.cumsum(counts)])
    return Targets(*(np.ascontiguousarray(one, np.intp) for one in (labels, starts)))


def _labels(value: npt.ArrayLike) -> npt.NDArray[np.integer]:
    try:
        array = np.array(value)  # a copy: what is checked is what is used
    except ValueError as error:
        raise ValueError(
            "targets of different lengths must be padded to (B, S), or concatenated, and come "
            f"with target_lengths; NumPy says: {error}"
        ) from error
    if array.dtype.kind not in "iu":
        if array.size:
            raise TypeError(f"targets must be integers, got {array.dtype}")
        array = array.astype(np.intp)
    return array


def _counts(value: npt.ArrayLike | None, batch: int, most: int) -> Integers:
    counts = np.full(batch, most) if value is None else value
    return integers("target_lengths", counts, "(B,)", (batch,), most, "S")


def _blank(value: int, classes: int) -> int:
    wrong_kind = TypeError(f"blank must be an integer, the class that is no label, got {value!r}")
    if isinstance(value, (bool, np.bool_)):
        raise wrong_kind
    try:
        blank = operator.index(value)
    except TypeError:
        raise wrong_kind from None
    if not 0 <= blank < classes:
        raise ValueError(f"blank must be a class from 0 to {classes - 1}, got {blank}")
    return blank
