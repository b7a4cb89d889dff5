"""Which options of a call are tried on which cell.

Each alone on every cell, and all pairs, many at once, on the cells that differ in structure. Tests
of every pair by itself on every cell are marked `full`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rnnfast.testing.cells import CELLS, Cell
from rnnfast.testing.options import Option, alone, covering, pairs
from rnnfast.testing.random import DTYPES, DType, Problem

# The first cell of each public function, and of each set of weights that the function takes.
STRUCTURES = tuple({(cell.function, cell.beside): cell for cell in reversed(CELLS)}.values())[::-1]


def _called(chosen: tuple[Option, ...]) -> str:
    return "+".join(map(str, chosen)) or "none"


every_option_alone = pytest.mark.parametrize("chosen", alone(), ids=_called)

# Float64 says the most. Where only the numbers of a kernel differ, single options tell.
_AT_ONCE = [(cell, np.float64, chosen) for cell in STRUCTURES for chosen in covering()]
_ALONE = [(cell, dtype, chosen) for cell in CELLS for dtype in DTYPES for chosen in alone()]


def _case(cell: Any, dtype: Any, chosen: Any, *marks: pytest.MarkDecorator) -> Any:
    return pytest.param(
        cell, dtype, chosen, id=f"{cell}-{dtype.__name__}-{_called(chosen)}", marks=marks
    )


every_cell_and_choice = pytest.mark.parametrize(
    ("cell", "dtype", "chosen"),
    [
        *(_case(*case) for case in _ALONE),
        *(_case(*case, pytest.mark.slow) for case in _AT_ONCE),
    ],
)


def check_batches(
    check: Callable[[Problem, int], None], cell: Cell, dtype: DType, chosen: tuple[Option, ...]
) -> None:
    """Check a choice of options on one row, on a few, and on more than a tile."""
    batches = (1, 5, 34)
    if any(option.belongs_to == "memory" for option in chosen):
        batches += (200,)  # of which four steps make a stretch
    for seed, rows in enumerate(batches):
        check_or_shrink(check, Problem(cell, dtype, T=9, B=rows, options=chosen), seed)


def check_or_shrink(check: Callable[[Problem, int], None], problem: Problem, seed: int) -> None:
    """Check a problem, or fail with the fewest of its options that fail."""
    try:
        check(problem, seed)
    except AssertionError:
        for fewer in ((), *alone(problem.options), *pairs(problem.options)):
            try:
                check(replace(problem, options=fewer), seed)
            except AssertionError as failure:
                raise AssertionError(f"with {_called(fewer)}: {failure}") from failure
        raise
