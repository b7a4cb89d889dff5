"""Random problems: a cell, its sizes, which optional arguments are there, and the arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from .cells import BIASES, CELLS, Array, Cell
from .options import OPTIONS, Option, drawn

__all__ = ["DTYPES", "LAYOUTS", "DType", "Problem", "border_sizes", "random_problem"]

DType: TypeAlias = type[np.floating[Any]]

DTYPES: tuple[DType, ...] = (np.float32, np.float64)


def border_sizes(dtype: DType) -> tuple[int, ...]:
    """Sizes around which panels of N lanes begin, fill and spill: 1, N-1, N, N+1, 2N+5.

    N belongs to the widest vector of any target, 64 bytes; narrower ones divide it.
    """
    n = 64 // np.dtype(dtype).itemsize
    return (1, n - 1, n, n + 1, 2 * n + 5)


@dataclass(frozen=True)
class Problem:
    """One call of a cell, without the numbers.

    Parameters
    ----------
    cell : Cell
        What is computed.
    dtype : type
        float32 or float64.
    T, B, I, H : int
        Steps, rows, inputs, hidden units.
    biases, states : tuple of str
        Which of the optional arguments are given.
    reverse : bool
        Whether the steps are taken from last to first.
    options : tuple of Option
        Other options that are given.
    """

    cell: Cell
    dtype: DType
    T: int = 5
    B: int = 3
    I: int = 7  # noqa: E741
    H: int = 9
    biases: tuple[str, ...] = ("b_ih", "b_hh")
    states: tuple[str, ...] = ("h0", "c0")
    reverse: bool = False
    options: tuple[Option, ...] = ()

    def call(self, rng: np.random.Generator) -> dict[str, Any]:
        """Draw the options of the call."""
        return {"reverse": self.reverse} | drawn(self.options, rng, self.T, self.B)

    def arguments(self, rng: np.random.Generator) -> dict[str, Array]:
        """Draw the arguments, scaled so that gates lie neither dead nor saturated.

        Weights are normal with variance ``1/I`` and ``1/H``: pre-activations then have variance
        near 2 at every size, so each term of the backward pass carries weight.
        """
        scales = {"w_ih": self.I**-0.5, "w_hh": self.H**-0.5}
        given = ("x", "w_ih", "w_hh", *self.biases, *self.states, *self.cell.beside)
        return {
            name: scales.get(name, 1.0) * self._normal(name, rng)
            for name in self.cell.arguments
            if name in given
        }

    def cotangents(
        self, rng: np.random.Generator, names: tuple[str, ...] | None = None
    ) -> dict[str, Array]:
        """Draw the derivatives of the named results, ``dy`` and so on; of all by default."""
        wanted = self.cell.cotangents if names is None else names
        return {name: self._normal(name, rng) for name in wanted}

    def with_all_states(self, arguments: Mapping[str, Array]) -> dict[str, Array]:
        """Return the arguments with absent initial states written out as zeros."""
        zeros = np.zeros((self.B, self.H), self.dtype)
        return {**arguments, **{s: arguments.get(s, zeros) for s in self.cell.states}}

    def _normal(self, name: str, rng: np.random.Generator) -> Array:
        shape = self.cell.shape(name, self.T, self.B, self.I, self.H)
        return rng.standard_normal(shape).astype(self.dtype)


def random_problem(rng: np.random.Generator, cells: tuple[Cell, ...] = CELLS) -> Problem:
    """Draw everything, sizes from small ones and ones beyond a panel, T and B from 1 up."""
    cell = cells[rng.integers(len(cells))]
    states = tuple(state for state in cell.states if rng.random() < 0.7)
    return Problem(
        cell,
        dtype=DTYPES[rng.integers(len(DTYPES))],
        T=int(rng.integers(1, 13)),
        B=int(rng.choice([1, 2, 5, 8, 17, 33])),
        I=int(rng.integers(1, 81)),
        H=int(rng.integers(1, 81)),
        biases=BIASES[rng.integers(len(BIASES))],
        states=states,
        reverse=bool(rng.integers(2)),
        options=tuple(option for option in OPTIONS if rng.random() < 0.25),
    )


def _misaligned(a: Array) -> Array:
    raw = np.empty(a.nbytes + 1, np.uint8)
    view = raw[1:].view(a.dtype).reshape(a.shape)
    view[...] = a
    return view


def _strided(a: Array) -> Array:
    spaced = np.full((*a.shape[:-1], 2 * a.shape[-1]), np.nan, a.dtype)
    spaced[..., ::2] = a
    return spaced[..., ::2]


def _negative(a: Array) -> Array:
    backwards = (slice(None, None, -1),) * a.ndim
    return np.ascontiguousarray(a[backwards])[backwards]


def _padded(a: Array) -> Array:
    wide = np.full((*a.shape[:-1], a.shape[-1] + 3), np.nan, a.dtype)
    wide[..., :-3] = a
    return wide[..., :-3]


def _batch_first(a: Array) -> Array:
    return np.ascontiguousarray(a.swapaxes(0, 1)).swapaxes(0, 1) if a.ndim > 1 else a.copy()


def _read_only(a: Array) -> Array:
    copy = a.copy()
    copy.flags.writeable = False
    return copy


LAYOUTS: Mapping[str, Callable[[Array], Array]] = {
    "misaligned": _misaligned,
    "fortran": np.asfortranarray,
    "strided": _strided,
    "negative": _negative,
    "padded": _padded,
    "batch_first": _batch_first,
    "read_only": _read_only,
    "byte_swapped": lambda a: a.astype(a.dtype.newbyteorder()),
}
"""Ways to hold the same numbers in memory; gaps are filled with NaN, to show if they are read."""
