"""One layer in one direction: call the core on results that are there to be written.

Results are arrays in C order but for y, which may be some of the columns of one.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from .. import _core
from .._check import Array, cells, inputs
from ._no_steps import NoTape, carry
from ._time import time_of

Tape: TypeAlias = _core.Tape | NoTape


class Results(NamedTuple):
    """What a forward pass writes: y (T, B, H), h_n and c_n (B, H)."""

    y: Array
    h_n: Array
    c_n: Array | None


def forward(cell: cells.Cell, given: inputs.Inputs, reverse: bool, results: Results) -> None:
    """Write the results."""
    if _takes_steps(given, results):
        _core.forward(cell.name, *_arguments(given, reverse, results))


def forward_saving(cell: cells.Cell, given: inputs.Inputs, reverse: bool, results: Results) -> Tape:
    """As `forward`; return what the backward pass needs."""
    if not _takes_steps(given, results):
        return NoTape()
    return _core.forward_saving(cell.name, *_arguments(given, reverse, results))


def forward_packed(
    packed: _core.Packed, given: inputs.Inputs, reverse: bool, results: Results
) -> None:
    """As `forward`, on weights that the core has packed already."""
    if _takes_steps(given, results):
        x, _, _, _, _, *others = _arguments(given, reverse, results)
        packed.forward(x, *others)


def _arguments(given: inputs.Inputs, reverse: bool, results: Results) -> tuple[Any, ...]:
    """Return what the core's forward passes take after the cell."""
    time = time_of(given, reverse)
    x, weights, h0, c0, _, resets = given
    y, h_n, c_n = results
    return time(x), *weights, h0, c0, time.spans, time(resets), time.results(y), h_n, c_n


def _takes_steps(given: inputs.Inputs, results: Results) -> bool:
    """Return whether there is a step to take; if not, the results are written."""
    if given.x.size and (given.lengths is None or given.steps):
        return True
    carry(None, results.y)
    carry(given.h0, results.h_n)
    carry(given.c0, results.c_n)
    return False
