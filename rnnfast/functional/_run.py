"""The engine that all cells share: allocate the results, call the core, hand them over.

Results are fresh arrays in C order, the caller's to change; nothing saved aliases them. The core
knows no direction: running in reverse is running over views flipped in time.
"""

from __future__ import annotations

from typing import TypeAlias, TypeVar

from .. import _core
from .._check import Array, cells, empty, inputs
from ._no_steps import NoTape, carry

SequenceT = TypeVar("SequenceT", Array, Array | None)
Results: TypeAlias = tuple[Array, ...]
Tape: TypeAlias = _core.Tape | NoTape


def forward(cell: cells.Cell, given: inputs.Inputs, reverse: bool) -> Results:
    """Return (y, h_n) or (y, h_n, c_n)."""
    y, h_n, c_n = _allocate(cell, given)
    if given.x.size == 0:
        return _without_steps(given, y, h_n, c_n)
    _core.forward(
        cell.name,
        in_time(given.x, reverse),
        *given.weights,
        given.h0,
        given.c0,
        in_time(y, reverse),
        h_n,
        c_n,
    )
    return _present(y, h_n, c_n)


def forward_saving(cell: cells.Cell, given: inputs.Inputs, reverse: bool) -> tuple[Results, Tape]:
    """As `forward`, with what the backward pass needs."""
    y, h_n, c_n = _allocate(cell, given)
    if given.x.size == 0:
        return _without_steps(given, y, h_n, c_n), NoTape()
    tape = _core.forward_saving(
        cell.name,
        in_time(given.x, reverse),
        *given.weights,
        given.h0,
        given.c0,
        in_time(y, reverse),
        h_n,
        c_n,
    )
    return _present(y, h_n, c_n), tape


def forward_packed(
    packed: _core.Packed, cell: cells.Cell, given: inputs.Inputs, reverse: bool
) -> Results:
    """As `forward`, on weights that the core has packed already."""
    y, h_n, c_n = _allocate(cell, given)
    if given.x.size == 0:
        return _without_steps(given, y, h_n, c_n)
    packed.forward(in_time(given.x, reverse), given.h0, given.c0, in_time(y, reverse), h_n, c_n)
    return _present(y, h_n, c_n)


def in_time(sequence: SequenceT, reverse: bool) -> SequenceT:
    """Return the sequence in the order in which its steps are taken."""
    return sequence[::-1] if reverse and sequence is not None else sequence


def _allocate(cell: cells.Cell, given: inputs.Inputs) -> tuple[Array, Array, Array | None]:
    steps, batch, _ = given.x.shape
    hidden_size = given.weights.hidden_size
    dtype = given.x.dtype
    y = empty("y", (steps, batch, hidden_size), dtype)
    h_n = empty("h_n", (batch, hidden_size), dtype)
    c_n = empty("c_n", (batch, hidden_size), dtype) if cell.has_c else None
    return y, h_n, c_n


def _without_steps(given: inputs.Inputs, y: Array, h_n: Array, c_n: Array | None) -> Results:
    carry(given.h0, h_n)
    carry(given.c0, c_n)
    return _present(y, h_n, c_n)


def _present(y: Array, h_n: Array, c_n: Array | None) -> Results:
    return (y, h_n) if c_n is None else (y, h_n, c_n)
