"""What products in shorter types multiply: numbers rounded to the nearest, ties to even."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnfast._check.precision import SHORTER

from .cells import Array, Cell

__all__ = ["SHORTER", "meeting", "rounded", "rounds_within_a_step"]

_MATRICES = ("w_ih", "w_hh", "w_hr")


def rounded(a: Array, precision: str) -> Array:
    """Round to a shorter type, in the type of the array."""
    if precision == "float16":
        halves: Array = a.astype(np.float16).astype(a.dtype)
        return halves
    bits = a.astype(np.float32).view(np.uint32)
    nearest = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    kept = np.where(np.isnan(a), bits, nearest)
    wide: Array = kept.view(np.float32).astype(a.dtype)
    return wide


class _Rounding(np.ndarray[Any, Any]):
    """A transposed matrix that rounds what is multiplied with it."""

    def __rmatmul__(self, rows: Any) -> Any:
        return rounded(np.asarray(rows), "bfloat16") @ np.asarray(self)


def meeting(arguments: dict[str, Array], precision: str) -> dict[str, Array]:
    """Return arguments for the reference: matrices rounded, which round what they meet if so."""
    changed = dict(arguments)
    for name in _MATRICES:
        if name in arguments:
            matrix = rounded(arguments[name], precision)
            changed[name] = matrix.view(_Rounding) if precision == "bfloat16" else matrix
    return changed


def rounds_within_a_step(cell: Cell) -> bool:
    """Whether what a step has computed is an operand of the same step."""
    return cell.projects or not cell.one_phase
