"""Calls drawn by hypothesis, which shrinks them to the smallest that fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from rnnfast.testing.cells import BIASES, CELLS, Array, Cell
from rnnfast.testing.options import OPTIONS, Option
from rnnfast.testing.random import DTYPES, LAYOUTS, Problem, border_sizes

# There are many of these tests, and `make fuzz` is for more: a fourth of what the profile asks for.
in_part = settings(max_examples=max(1, settings().max_examples // 4))

seeds = st.integers(0, 2**32 - 1)


def some_of(options: tuple[Option, ...]) -> st.SearchStrategy[list[Option]]:
    """A few of them, or none."""
    return st.lists(st.sampled_from(options), unique=True, max_size=4) if options else st.just([])


@st.composite
def problems(
    draw: st.DrawFn, options: tuple[Option, ...] = OPTIONS, cells: tuple[Cell, ...] = CELLS
) -> Problem:
    """A cell, its sizes, and what is given: any of it, but a few options at most."""
    cell, dtype = draw(st.sampled_from(cells)), draw(st.sampled_from(DTYPES))
    sizes = st.integers(1, 8) | st.sampled_from(border_sizes(dtype))
    return Problem(
        cell,
        dtype,
        T=draw(st.integers(1, 12) | st.just(45)),
        B=draw(st.integers(1, 9) | st.sampled_from((16, 17, 33))),
        I=draw(sizes),
        H=draw(sizes),
        biases=draw(st.sampled_from(BIASES)),
        states=tuple(state for state in cell.states if draw(st.booleans())),
        reverse=draw(st.booleans()),
        options=tuple(draw(some_of(options))),
    )


def layouts(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, str]]:
    """How each of these arrays lies in memory; those that are left out lie plainly."""
    return st.dictionaries(st.sampled_from(names), st.sampled_from(sorted(LAYOUTS)))


def held(arrays: Mapping[str, Array], layout: Mapping[str, str]) -> dict[str, Array]:
    """The same numbers in those layouts."""
    return {n: LAYOUTS[layout[n]](a) if n in layout else a for n, a in arrays.items()}


def plans(partitions: tuple[str, ...], steps: int) -> st.SearchStrategy[dict[str, Any]]:
    """What `rnnfast.testing.plans.forced_plan` takes."""
    return st.fixed_dictionaries(
        {"threads": st.integers(1, 4)},
        optional={
            "partition": st.sampled_from(partitions),
            "chunk": st.integers(1, steps),
            "interleaves_input": st.booleans(),
            "pipelines": st.booleans(),
        },
    )


@dataclass(frozen=True)
class Damage:
    """Something done to an argument.

    Parameters
    ----------
    name : str
        What it is, as an example that fails shows it.
    of : callable
        From the argument as it should be to what is given in its place.
    """

    name: str
    of: Callable[[Any], Any]

    def __repr__(self) -> str:
        """Return the name."""
        return self.name


def _longer(axis: int) -> Callable[[Array], Array]:
    return lambda a: np.concatenate([a, np.take(a, [0], axis % a.ndim)], axis % a.ndim)


def _without(axis: int) -> Callable[[Array], Array]:
    return lambda a: np.take(a, [], axis % a.ndim)


def _shorter(axis: int) -> Callable[[Array], Array]:
    return lambda a: np.delete(a, 0, axis % a.ndim)


def _endless(axis: int, size: int) -> Callable[[Array], Array]:
    """Pretend to a size that no machine has: all strides are zero."""

    def endless(a: Array) -> Array:
        shape = list(a.shape)
        shape[axis % a.ndim] = size
        return np.broadcast_to(np.zeros((), a.dtype), shape)

    return endless


def _as(dtype: str) -> Damage:
    def convert(a: Array) -> Array:
        # NaN has no integer, complex numbers no place on the line: nobody asks for their values.
        with np.errstate(all="ignore"):
            return np.zeros(a.shape, dtype) if dtype[0] in "MmSUV" else a.astype(dtype)

    return Damage(f"as {dtype}", convert)


_OF_SHAPE = [
    Damage(f"{word} on axis {axis}", make(axis))
    for word, make in (("longer", _longer), ("shorter", _shorter), ("empty", _without))
    for axis in (0, 1, 2)
]
_ENDLESS = [
    Damage(f"{size:#x} on axis {axis}", _endless(axis, size))
    for size in (2**45, 2**52)
    for axis in (0, 1, 2)
]

DAMAGES: tuple[Damage, ...] = (
    *_OF_SHAPE,
    *_ENDLESS,
    Damage("transposed", lambda a: a.T),
    Damage("without its first axis", lambda a: a[0] if a.shape[0] else a),
    Damage("with one more axis", lambda a: a[None]),
    Damage("flat", lambda a: a.ravel()),
    Damage("one number", lambda a: a.dtype.type(1)),
    *map(_as, ("float16", "longdouble", "complex64", "int64", "uint8", "bool", "object")),
    *map(_as, ("float32", "float64", "S3", "U3", "V8", "datetime64[s]")),
    Damage("a record", lambda a: a.astype([("re", a.dtype), ("im", a.dtype)])),
    Damage("masked", lambda a: np.ma.masked_array(a, mask=np.ones(a.shape, bool))),
    Damage("nested lists", lambda a: a.tolist()),
    Damage("a ragged list", lambda a: [[1.0], [1.0, 2.0]]),
    Damage("a tuple of arrays", lambda a: (a, a)),
    Damage("a list of one array", lambda a: [a]),
    Damage("None", lambda a: None),
    Damage("a string", lambda a: "text"),
    Damage("bytes", lambda a: a.tobytes()),
    Damage("a class", lambda a: type(a)),
    Damage("full of NaN", lambda a: np.full_like(a, np.nan)),
    Damage("full of infinity", lambda a: np.full_like(a, np.inf)),
    Damage("full of the largest number", lambda a: np.full_like(a, np.finfo(a.dtype).max)),
    Damage("full of subnormal numbers", lambda a: np.full_like(a, np.finfo(a.dtype).tiny / 8)),
    Damage("overlapping itself", lambda a: np.broadcast_to(a.ravel()[:1], a.shape)),
    Damage("negative strides", lambda a: a[(slice(None, None, -1),) * a.ndim]),
)
"""Ways to give another array than was wanted, some of which a call has to take all the same."""

_numbers = st.sampled_from([-1, 0, 1, 2, 2**31, 2**63, -(2**63), 2**70, 0.5, 1.0, -0.1, 1e300])
_odd = st.sampled_from(
    [np.nan, np.inf, True, None, "text", b"", (), [], (0.1, 0.2), {}, 1j, object]
)
odd_values: st.SearchStrategy[Any] = (
    _numbers
    | _odd
    | st.lists(st.integers(-(2**65), 2**65), max_size=4)
    | st.lists(st.floats(), max_size=4)
    | st.integers(0, 5).map(lambda n: np.arange(n) - 1)
    | st.tuples(st.integers(0, 4), st.integers(0, 4)).map(lambda shape: np.ones(shape, bool))
)
"""Values for options: some are right for some."""
