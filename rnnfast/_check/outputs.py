"""Arrays of the caller's that results are written to, as NumPy's ``out=``.

They must be of the dtype and shape of the results: nothing is converted. They may have any strides,
and may be the inputs: then results are made in fresh arrays and copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _devices
from .arrays import Array, DType


def outputs(
    out: object, names: Sequence[str], shapes: Sequence[tuple[int, ...]], dtype: DType
) -> tuple[Array, ...]:
    """Return the arrays of `out`: one, or of several results a tuple of as many."""
    if _devices.is_of_device(dtype):
        raise NotImplementedError(
            "out must be None where arrays are on a device; results come in new arrays there"
        )
    several = len(names) > 1
    if several and (not isinstance(out, (tuple, list)) or len(out) != len(names)):
        got = f"{len(out)} of them" if isinstance(out, (tuple, list)) else _kind(out)
        raise TypeError(f"out must be None or a tuple of arrays ({', '.join(names)}), got {got}")
    given: Sequence[Any] = out if several else (out,)  # type: ignore[assignment]  # seen above
    found: list[Array] = []
    for name, array, shape in zip(names, given, shapes, strict=True):
        place = f"{name} of out" if several else "out"
        if not isinstance(array, np.ndarray):
            raise TypeError(f"{place} must be an ndarray to write to, got {_kind(array)}")
        if array.dtype != dtype:
            raise TypeError(f"{place} must be {dtype} like the results, got {array.dtype}")
        if array.shape != shape:
            raise ValueError(f"{place} must have shape {shape}, got {array.shape}")
        if not array.flags.writeable:
            raise ValueError(f"{place} must be writeable, got a read-only array")
        found.append(array.view(np.ndarray))
    for i, array in enumerate(found):
        for other in found[:i]:
            if np.may_share_memory(array, other) and np.shares_memory(array, other):
                raise ValueError("the arrays of out must not overlap each other")
    return tuple(found)


def overlap(arrays: Sequence[Array], inputs: Sequence[Array | None]) -> bool:
    """Return whether some of the arrays may lie where an input does."""
    return any(
        one is not None and np.may_share_memory(array, one) for array in arrays for one in inputs
    )


def are_dense(arrays: Sequence[Array]) -> bool:
    """Return whether kernels can write to y, with dense rows, and to states, which are dense."""
    y, *states = arrays
    return all(one.flags.aligned for one in arrays) and (
        (y.shape[-1] == 1 or y.strides[-1] == y.itemsize)
        and all(state.flags.c_contiguous for state in states)
    )


def write(results: Sequence[Array], arrays: Sequence[Array]) -> None:
    """Copy results to the arrays of the caller."""
    for result, array in zip(results, arrays, strict=True):
        array[...] = result


def _kind(value: object) -> str:
    return "None" if value is None else type(value).__name__
