"""One array at a time: from what the user gave to what the kernels take.

The kernels take native, aligned float32 or float64. Whatever holds the same numbers in another
layout is copied; whatever holds other kinds of numbers is refused, because a silent conversion
hides either lost precision or a doubled run time.

What is returned is never the caller's own ndarray but another over the same memory, made before
anything is checked: `x.shape = ...` and its like, in another thread or before a pullback, change
nothing of what was checked. Counts, from which the core makes addresses, are copied first.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .. import _devices

Array: TypeAlias = npt.NDArray[np.floating[Any]]
DType: TypeAlias = np.dtype[np.floating[Any]]
Integers: TypeAlias = npt.NDArray[np.intp]
Booleans: TypeAlias = npt.NDArray[np.bool_]

_FLOAT32 = np.dtype(np.float32)
_FLOAT64 = np.dtype(np.float64)


def real(name: str, value: npt.ArrayLike) -> Array:
    """Return `value` as a plain, native, aligned ndarray of float32 or float64, our own."""
    if type(value) is np.ndarray:
        array = value.view()
    elif (there := _devices.array_of(name, value)) is not None:
        return there  # type: ignore[return-value]  # with what is asked of an ndarray
    else:
        array = _plain(name, value).view()
    if array.dtype is not _FLOAT32 and array.dtype is not _FLOAT64:
        array = _canonical(name, array)
    return array if array.flags.aligned else array.copy()


def real_on_host(name: str, value: npt.ArrayLike) -> Array:
    """As `real`, of what is there for the host alone."""
    _devices.require_host(name, value)
    return real(name, value)


def real_like(name: str, value: npt.ArrayLike, model_name: str, dtype: DType) -> Array:
    """As `real`, and of `dtype`, which the argument `model_name` has set, and where that is."""
    array = real(name, value)
    if array.dtype is not dtype:
        raise _devices.mismatch(name, array, model_name, dtype) or TypeError(
            f"{name} must be {dtype} like {model_name}, got {array.dtype}; "
            f"convert one of them, for example {_conversion(name, dtype)}"
        )
    return array


def require_shape(name: str, array: Array, symbols: str, shape: tuple[int, ...]) -> None:
    """Raise unless `array` has `shape`; `symbols` is how the documentation writes it."""
    if array.shape != shape:
        raise misshapen(name, array, symbols, shape)


def misshapen(
    name: str, array: Array, symbols: str, shape: tuple[int, ...], otherwise: str = ""
) -> ValueError:
    """Return what to raise of an array that should have `shape`, with the likely fix.

    `otherwise` is the fix where the array alone suggests none.
    """
    fix = _likely_fix(name, array, shape) or otherwise
    return ValueError(f"{name} must be {symbols} = {shape}, got {array.shape}{fix}")


def integers(
    name: str,
    value: npt.ArrayLike,
    symbols: str,
    shape: tuple[int, ...],
    largest: int,
    limit: str = "T",
) -> Integers:
    """Return a copy of counts between 0 and `largest`, which the documentation writes `limit`."""
    if _devices.is_on_device(value):
        raise TypeError(
            f"{name} must be on the host, since it tells what is to be launched, got an array on a "
            f"device; copy it, for example {name}.cpu() or {name}.get()"
        )
    array = _of_any_kind(name, value, "integers").view()
    if array.dtype.kind not in "iu" and array.size:
        convert = f"; convert them, for example np.asarray({name}).astype(int)"
        fix = convert if array.dtype.kind == "f" else ""
        raise TypeError(f"{name} must be integers, got {array.dtype}{fix}")
    if array.shape != shape:
        raise ValueError(f"{name} must be {symbols} = {shape}, got {array.shape}")
    counts = array.copy()  # first: what is checked is what is used
    wrong = (counts < 0) | (counts > largest)
    if wrong.any():
        raise ValueError(
            f"{name} must be between 0 and {limit} = {largest}, got {counts[wrong][0]}"
        )
    return counts.astype(np.intp, copy=False)


def booleans(name: str, value: npt.ArrayLike, symbols: str, shape: tuple[int, ...]) -> Booleans:
    """Return truth values, which are nothing but bools, with any strides; our own, as `real`."""
    there = _devices.booleans_of(name, value)
    array: Any = _of_any_kind(name, value, "bools").view() if there is None else there
    if there is None and array.dtype != np.bool_ and array.size:
        raise TypeError(f"{name} must be bool, got {array.dtype}; compare first: {name} != 0")
    if array.shape != shape:
        raise ValueError(f"{name} must be {symbols} = {shape}, got {array.shape}")
    found: Booleans = array.astype(np.bool_, copy=False) if there is None else array
    return found


def contiguous(array: Array) -> Array:
    """Return `array` C-contiguous, itself where it is."""
    return array if array.flags.c_contiguous else array.copy()


def unit_last_stride(array: Array) -> Array:
    """Return `array` with adjacent elements along the last axis, itself where they are.

    Strides over the other axes stay, so that a batch-first view costs nothing. The flags would not
    do here: NumPy calls an array contiguous whatever the stride of an axis of length 1.
    """
    return array if array.strides[-1] == array.itemsize else array.copy()


def zeros(name: str, shape: tuple[int, ...], dtype: DType) -> Array:
    """Return an array of zeros; memory that cannot be had is a MemoryError."""
    try:
        return np.zeros(shape, dtype)
    except ValueError:
        raise _too_large(name, shape, dtype) from None


def empty(name: str, shape: tuple[int, ...], dtype: DType) -> Array:
    """Return an uninitialised array; memory that cannot be had is a MemoryError."""
    try:
        return np.empty(shape, dtype)
    except ValueError:
        raise _too_large(name, shape, dtype) from None


def _conversion(name: str, dtype: DType) -> str:
    """Return how an array becomes one of a dtype."""
    if _devices.is_of_device(dtype):
        return f"{name}.to or {name}.astype"
    return f"np.asarray({name}, np.{dtype})"


def _too_large(name: str, shape: tuple[int, ...], dtype: DType) -> MemoryError:
    # NumPy speaks of a ValueError past this size and of a MemoryError below it.
    return MemoryError(f"{name} {shape} of {dtype} is larger than the address space")


def _of_any_kind(name: str, value: npt.ArrayLike, kinds: str) -> npt.NDArray[Any]:
    try:
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        kind = type(value).__name__
        raise TypeError(
            f"{name} must be an array of {kinds}, but np.asarray refuses this {kind}: {error}"
        ) from error


def _plain(name: str, value: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return any array-like as an ndarray proper."""
    if value is None:
        raise TypeError(f"{name} must be an array of float32 or float64, got None")
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise ValueError(
            f"{name} must have no masked elements, got {value.size - value.count()} masked of "
            f"{value.size}; give them a value first, for example {name}.filled(0)"
        )
    try:
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        kind = type(value).__name__
        raise TypeError(
            f"{name} must be an array of float32 or float64, "
            f"but np.asarray refuses this {kind}: {error}"
        ) from error


def _canonical(name: str, array: npt.NDArray[Any]) -> Array:
    """Return floats under NumPy's own dtype object, in native order; refuse other numbers."""
    for dtype in (_FLOAT32, _FLOAT64):
        if array.dtype == dtype:
            return array.view(dtype)
        if array.dtype == dtype.newbyteorder():
            return array.astype(dtype)
    raise TypeError(
        f"{name} must be float32 or float64, got {array.dtype}; "
        f"convert it, for example np.asarray({name}, np.float32)"
    )


def _likely_fix(name: str, array: Array, shape: tuple[int, ...]) -> str:
    if array.ndim == 2 and array.shape == shape[::-1]:
        return f"; it looks transposed, pass {name}.T"
    if array.shape == (1, *shape):
        return f"; drop the leading axis, pass {name}[0]"
    return ""
