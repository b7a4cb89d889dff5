"""Sequences of any lengths as one array, samples first: `keras.utils.pad_sequences`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from rnnfast._check.spelling import meant
from rnnfast.utils.hyperparameters import require_positive

_SIDES = ("pre", "post")


def pad_sequences(
    sequences: Iterable[Any],
    maxlen: int | None = None,
    dtype: DTypeLike = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: float | str = 0.0,
) -> NDArray[Any]:
    """Bring sequences to one length, as `keras.utils.pad_sequences` does.

    Parameters
    ----------
    sequences : iterable of array_like
        B sequences, each of any length and of steps of one shape, numbers by default.
    maxlen : int, optional
        Length of the result, T; by default that of the longest sequence.
    dtype : dtype, default "int32"
        Of the result; `object` for strings of any length.
    padding : {"pre", "post"}
        Where a short sequence is filled up: before its first step, or after its last one.
    truncating : {"pre", "post"}
        Where a long one loses steps: at its beginning, or at its end.
    value : float or str, default 0.0
        What fills it up.

    Returns
    -------
    ndarray, shape (B, T, ...)
        The sequences. `Embedding(mask_zero=True)` and `Masking` make a mask of them.

    Raises
    ------
    TypeError
        When `sequences`, or one of them, is no sequence.
    ValueError
        When steps differ in shape, `dtype` cannot hold a number or `value`, or an option is none
        of these.

    Examples
    --------
    >>> from rnnfast.utils import pad_sequences
    >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
    array([[0, 1],
           [2, 3],
           [5, 6]], dtype=int32)
    """
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in _SIDES:
            raise ValueError(f"{name} must be 'pre' or 'post', got {side!r}{meant(side, _SIDES)}")
    target = np.dtype(dtype)
    arrays = [_sequence(one, target, f"sequences[{i}]") for i, one in enumerate(sequences)]
    steps = _longest(arrays) if maxlen is None else require_positive("maxlen", maxlen)
    filled = [i for i, array in enumerate(arrays) if len(array)]
    step_shape = arrays[filled[0]].shape[1:] if filled else ()
    padded = np.full(
        (len(arrays), steps, *step_shape), _held(np.asarray(value), target, "value"), target
    )
    for i in filled:
        if arrays[i].shape[1:] != step_shape:
            raise ValueError(
                f"all steps must have one shape: {step_shape} in sequences[{filled[0]}], "
                f"{arrays[i].shape[1:]} in sequences[{i}]"
            )
        kept = arrays[i][-steps:] if truncating == "pre" else arrays[i][:steps]
        place = slice(steps - len(kept), None) if padding == "pre" else slice(len(kept))
        padded[i, place] = kept
    return padded


def _longest(arrays: list[NDArray[Any]]) -> int:
    if not arrays:
        raise ValueError("maxlen must be given when there are no sequences")
    return max(map(len, arrays))


def _sequence(value: Any, dtype: np.dtype[Any], name: str) -> NDArray[Any]:
    if isinstance(value, str) or not hasattr(value, "__len__"):
        raise TypeError(
            f"{name} must be a sequence, such as a list of numbers, got {value!r} of type "
            f"{type(value).__name__}"
        )
    try:
        array = np.asarray(value, dtype if dtype.kind in "OSU" else None)
    except ValueError as error:
        raise ValueError(f"all steps of {name} must have one shape: {error}") from error
    return _held(array, dtype, name)


def _held(array: NDArray[Any], dtype: np.dtype[Any], name: str) -> NDArray[Any]:
    """Return numbers in a dtype, unless integers are wanted and these are others."""
    if array.dtype.kind in "OSU" and dtype.kind not in "OSU":
        raise ValueError(
            f"{name} must be numbers for dtype {dtype}, got {array.tolist()!r:.60}; "
            "dtype=object takes strings of any length"
        )
    with np.errstate(invalid="ignore"):  # NaN among them
        held = array.astype(dtype)
    if dtype.kind in "biu" and (lost := np.asarray(held != array)).any():
        raise ValueError(
            f"{name} must hold numbers that {dtype} can, got {array[lost].flat[0]}; pass "
            f"dtype={str(array.dtype)!r}"
        )
    return held
