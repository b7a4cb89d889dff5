"""Sequences of any lengths as the functional API takes them: time first, beside their lengths."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnfast.utils.hyperparameters import require_positive


class Padded(NamedTuple):
    """Sequences in one array.

    Attributes
    ----------
    x : ndarray, shape (T, B, ...)
        Sequence b in `x[:lengths[b], b]`, zeros after it.
    lengths : ndarray of int, shape (B,)
        Steps of each.
    """

    x: NDArray[Any]
    lengths: NDArray[np.intp]


def pad_ragged(sequences: Iterable[ArrayLike]) -> Padded:
    """Put sequences side by side, for the functions on arrays: `lstm(x, ..., lengths=lengths)`.

    Parameters
    ----------
    sequences : iterable of array_like, shape (steps, ...)
        B sequences, each of any number of steps, 0 included. All steps have one shape, such as
        (I,), and one dtype.

    Returns
    -------
    Padded
        x (T, B, ...), with T the steps of the longest, and lengths (B,).

    Raises
    ------
    TypeError
        When one of them holds no numbers, or they differ in dtype.
    ValueError
        When there is none, or steps differ in shape.

    Examples
    --------
    >>> from rnnfast.utils import pad_ragged, sequence_mask
    >>> x, lengths = pad_ragged([[1.0, 2.0], [3.0]])
    >>> x
    array([[1., 3.],
           [2., 0.]])
    >>> sequence_mask(lengths)
    array([[ True,  True],
           [ True, False]])
    """
    arrays = [_numbers(f"sequences[{i}]", one) for i, one in enumerate(sequences)]
    if not arrays:
        raise ValueError("sequences must hold one sequence at least, got none")
    filled = [i for i, array in enumerate(arrays) if len(array)] or [0]
    first = arrays[filled[0]]
    for i in filled[1:]:
        if arrays[i].shape[1:] != first.shape[1:]:
            raise ValueError(
                f"all steps must have one shape: {first.shape[1:]} in sequences[{filled[0]}], "
                f"{arrays[i].shape[1:]} in sequences[{i}]"
            )
        if arrays[i].dtype != first.dtype:
            raise TypeError(
                f"all sequences must have one dtype: {first.dtype} in sequences[{filled[0]}], "
                f"{arrays[i].dtype} in sequences[{i}]; convert one of them"
            )
    lengths = np.array([len(array) for array in arrays], np.intp)
    return Padded(side_by_side(arrays, first), lengths)


def side_by_side(sequences: Sequence[NDArray[Any]], like: NDArray[Any]) -> NDArray[Any]:
    """Return sequences in one array (T, B, ...) of steps and dtype as `like` has, then zeros."""
    longest = max(map(len, sequences), default=0)
    x = np.zeros((longest, len(sequences), *like.shape[1:]), like.dtype)
    for b, sequence in enumerate(sequences):
        if len(sequence):
            x[: len(sequence), b] = sequence
    return x


def _numbers(name: str, value: ArrayLike) -> NDArray[Any]:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"all steps of {name} must have one shape: {error}") from error
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be an array of numbers, got one of dtype {array.dtype}")
    if array.ndim == 0:
        raise ValueError(f"{name} must have an axis of steps, got a single number")
    return array


def sequence_mask(lengths: ArrayLike, steps: int | None = None) -> NDArray[np.bool_]:
    """Tell the steps that sequences have from those that fill them up.

    Parameters
    ----------
    lengths : array_like of int, shape (B,)
        Steps of each sequence.
    steps : int, optional
        T; by default the largest length.

    Returns
    -------
    ndarray of bool, shape (T, B)
        True at steps before the end of their sequence: time first, as `y` of the functions on
        arrays; `.T` is the mask of a layer.

    Raises
    ------
    TypeError
        When `lengths` are no integers.
    ValueError
        When they are not of one axis, or not from 0 to `steps`.
    """
    counts = np.asarray(lengths)
    if counts.dtype.kind not in "iu":
        raise TypeError(f"lengths must be integers, got {counts.dtype}")
    if counts.ndim != 1 or not counts.size:
        raise ValueError(f"lengths must be (B,), B at least 1, got {counts.shape}")
    most = int(counts.max()) if steps is None else require_positive("steps", steps)
    if counts.min() < 0 or counts.max() > most:
        raise ValueError(
            f"lengths must be from 0 to steps = {most}, got {counts.min()} to {counts.max()}"
        )
    mask: NDArray[np.bool_] = np.arange(most)[:, None] < counts
    return mask
