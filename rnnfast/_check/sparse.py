"""Recurrent weights that are mostly zero: which blocks of them are kept.

A block is 16 adjacent units of a gate at one k, rows g*H + 16*i to g*H + 16*(i+1) of a column of
w_hh (G*H, R), fewer where units end: a line of a cache in float32, and whole vectors of every
instruction set. The kernels skip those of zeros; nothing but the zeros says which.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from .arrays import Array, DType
from .cells import FACTS, Cell
from .inputs import LayerWeights

UNITS = 16
"""Of a block."""


def kept(w_hh: Array, gates: int) -> npt.NDArray[np.bool_]:
    """Return which blocks (G, ceil(H/16), R) of recurrent weights are not all zero."""
    of_gates = w_hh.reshape(gates, -1, w_hh.shape[1])
    first = np.arange(0, of_gates.shape[1], UNITS)
    return np.logical_or.reduceat(of_gates != 0, first, axis=1)


def magnitudes(w_hh: Array, gates: int) -> npt.NDArray[np.float64]:
    """Return the root of the sum of squares of each block, as `kept` has them."""
    squares = np.square(w_hh.reshape(gates, -1, w_hh.shape[1]), dtype=np.float64)
    first = np.arange(0, squares.shape[1], UNITS)
    return np.sqrt(np.add.reduceat(squares, first, axis=1))


def keep(w_hh: Array, gates: int, mask: npt.NDArray[np.bool_]) -> None:
    """Make zero, in place, all blocks but those of a mask, as `kept` has them."""
    of_gates = w_hh.reshape(gates, -1, w_hh.shape[1])
    of_gates[~np.repeat(mask, UNITS, axis=1)[:, : of_gates.shape[1]]] = 0


def density(cell: Cell, layers: Iterable[LayerWeights]) -> float:
    """Return the share of blocks that are kept."""
    gates = FACTS[cell.name]["gates"]
    found = [kept(one.w_hh, gates) for one in layers]
    return sum(int(one.sum()) for one in found) / sum(one.size for one in found)


def require_sparse(cell: Cell, layers: Iterable[LayerWeights], precision: str | None) -> None:
    """Refuse what `sparse=True` is not for."""
    if not FACTS[cell.name]["sparse"]:
        able = [name for name, facts in FACTS.items() if facts["sparse"]]
        raise ValueError(
            f"sparse=True is for the cells {', '.join(able)}, got {cell.name}; leave it False"
        )
    of_type = [*layers]
    require_plain(precision, of_type[0].dtype)
    if not all(type(one.w_hh) is np.ndarray for one in of_type):
        raise TypeError(
            "sparse=True is for arrays of the host, got w_hh on a device; copy it, for example "
            "w_hh.cpu() or w_hh.get()"
        )
    if density(cell, of_type) == 1:
        raise ValueError(
            "sparse=True needs zeros in w_hh, whole blocks of 16 units of a gate at one k, got "
            "none: rnnfast.callbacks.BlockPruning makes them while a model is trained"
        )


def require_plain(precision: str | None, dtype: DType) -> None:
    """Refuse to keep sparse weights in another type than their own."""
    if precision not in (None, dtype.name):
        raise ValueError(
            f"precision must be None with sparse=True, whose weights stay {dtype}, got "
            f"{precision!r}"
        )
