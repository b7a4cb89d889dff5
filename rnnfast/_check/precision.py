"""What weights are kept in, and multiplied: the type of the arrays, or a shorter one.

    bfloat16    both operands of a product rounded to it, weights once and x and h where they meet
                them
    float16     weights rounded to it, and widened where they are multiplied
    int8        both operands whole numbers with scales (`quantized`)

Sums, states, gates, biases and all else beside the matrices stay float32.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from .. import _devices
from .inputs import LayerWeights

__all__ = ["SHORTER", "Precision", "chosen", "require_held"]

Precision: TypeAlias = Literal["float32", "float64", "bfloat16", "float16", "int8"]

SHORTER: Final = ("bfloat16", "float16")
"""Those of floating point with which calls of float32 may multiply."""

# The largest numbers of each.
_LARGEST: Final = {"bfloat16": float(np.uint32(0x7F7F0000).view(np.float32)), "float16": 65504.0}
_MATRICES: Final = ("w_ih", "w_hh", "w_hr")


def chosen(precision: str | None, dtype: np.dtype[Any]) -> str:
    """Return what weights of a dtype are to be kept in; None is what they are."""
    shorter = (*SHORTER, "int8")
    known = (*shorter, "float32", "float64")
    if precision is None:
        return dtype.name
    if not isinstance(precision, str):
        raise TypeError(f"precision must be a str or None, got {precision!r}")
    if precision not in known:
        raise ValueError(f"precision must be None or one of {', '.join(known)}, got {precision!r}")
    if precision == dtype.name:
        return precision
    if precision in shorter and _devices.is_of_device(dtype):
        raise NotImplementedError(
            f"precision must be None where arrays are on a device, which are multiplied in the "
            f"type that they have, got {precision!r} and arrays of {dtype}; convert these, or copy "
            "them to the host"
        )
    if precision in shorter and dtype != np.float32:
        raise TypeError(
            f"precision={precision!r} takes float32 arrays, got {dtype} ones: convert weights, "
            "x and states by astype(np.float32)"
        )
    if precision not in shorter:
        raise TypeError(
            f"precision={precision!r} is that of {precision} arrays, got {dtype} ones: leave it "
            f"None, or convert them by astype(np.{precision})"
        )
    return precision


def of_training(precision: str | None, dtype: np.dtype[Any]) -> Literal["bfloat16"] | None:
    """Return what operands are rounded to in both passes; None where they are not."""
    wanted = chosen(precision, dtype)
    if wanted == dtype.name:
        return None
    if wanted != "bfloat16":
        raise ValueError(
            f"precision must be None or 'bfloat16' in training, got {wanted!r}, which is for "
            "inference: prepack takes it"
        )
    return "bfloat16"


def require_held(precision: str, layers: Iterable[LayerWeights]) -> None:
    """Refuse finite weights that would become infinite."""
    largest = _LARGEST.get(precision)
    if largest is None:
        return
    for weights in layers:
        if weights.dtype.name == precision:
            continue
        for name in _MATRICES:
            matrix = getattr(weights, name)
            if matrix is None:
                continue
            sizes = np.abs(matrix)
            beyond = sizes[(sizes > largest) & np.isfinite(sizes)]
            if beyond.size:
                raise ValueError(
                    f"{name} must be within {largest:g} for precision={precision!r}, got "
                    f"{beyond.max():g}"
                )
