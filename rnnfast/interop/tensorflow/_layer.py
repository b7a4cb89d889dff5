"""What is known of a layer before its operands."""

from __future__ import annotations

from typing import NamedTuple

from ..._check import cells


class Layer(NamedTuple):
    """A cell, and how it takes its steps."""

    cell: cells.Cell
    batch_first: bool
    reverse: bool
    truncate: int

    @property
    def results(self) -> int:
        """How many: y, h_n and, where there is one, c_n."""
        return 1 + len(self.cell.states)
