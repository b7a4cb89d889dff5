"""The engine that all cells share: allocate the results, call the core, hand them over.

Results are fresh arrays in C order, the caller's to change; nothing saved aliases them.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from .. import _core
from .._check import Array, cells, empty, inputs
from ._no_steps import NoTape, carry
from ._time import Time

Results: TypeAlias = tuple[Array, ...]
Tape: TypeAlias = _core.Tape | NoTape


def forward(cell: cells.Cell, given: inputs.Inputs, reverse: bool) -> Results:
    """Return (y, h_n) or (y, h_n, c_n)."""
    y, h_n, c_n = _allocate(cell, given)
    if _no_steps(given):
        return _without_steps(given, y, h_n, c_n)
    _core.forward(cell.name, *_arguments(given, Time(given, reverse), y, h_n, c_n))
    return _present(y, h_n, c_n)


def forward_saving(cell: cells.Cell, given: inputs.Inputs, reverse: bool) -> tuple[Results, Tape]:
    """As `forward`, with what the backward pass needs."""
    y, h_n, c_n = _allocate(cell, given)
    if _no_steps(given):
        return _without_steps(given, y, h_n, c_n), NoTape()
    arguments = _arguments(given, Time(given, reverse), y, h_n, c_n)
    return _present(y, h_n, c_n), _core.forward_saving(cell.name, *arguments)


def forward_packed(
    packed: _core.Packed, cell: cells.Cell, given: inputs.Inputs, reverse: bool
) -> Results:
    """As `forward`, on weights that the core has packed already."""
    y, h_n, c_n = _allocate(cell, given)
    if _no_steps(given):
        return _without_steps(given, y, h_n, c_n)
    x, _, _, _, _, *others = _arguments(given, Time(given, reverse), y, h_n, c_n)
    packed.forward(x, *others)
    return _present(y, h_n, c_n)


def _arguments(
    given: inputs.Inputs, time: Time, y: Array, h_n: Array, c_n: Array | None
) -> tuple[Any, ...]:
    """Return what the core's forward passes take after the cell."""
    return (
        time(given.x),
        *given.weights,
        given.h0,
        given.c0,
        time.spans,
        time(given.resets),
        time.results(y),
        h_n,
        c_n,
    )


def _allocate(cell: cells.Cell, given: inputs.Inputs) -> tuple[Array, Array, Array | None]:
    steps, batch, _ = given.x.shape
    hidden_size = given.weights.hidden_size
    dtype = given.x.dtype
    y = empty("y", (steps, batch, hidden_size), dtype)
    h_n = empty("h_n", (batch, hidden_size), dtype)
    c_n = empty("c_n", (batch, hidden_size), dtype) if cell.has_c else None
    return y, h_n, c_n


def _no_steps(given: inputs.Inputs) -> bool:
    return given.x.size == 0 or given.steps == 0


def _without_steps(given: inputs.Inputs, y: Array, h_n: Array, c_n: Array | None) -> Results:
    carry(None, y)
    carry(given.h0, h_n)
    carry(given.c0, c_n)
    return _present(y, h_n, c_n)


def _present(y: Array, h_n: Array, c_n: Array | None) -> Results:
    return (y, h_n) if c_n is None else (y, h_n, c_n)
