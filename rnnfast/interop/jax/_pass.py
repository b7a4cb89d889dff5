"""What of a pass of one layer in one direction is known before its data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ... import _core
from ..._check import cells

Names: TypeAlias = tuple[str, ...]

OPERANDS: Names = tuple(_core.hosts.operands)
"""All operands that a pass may have, in the order in which it takes them."""

WEIGHTS = ("w_ih", "w_hh", "b_ih", "b_hh", "w_hr", "of_units", "of_norms")
DIFFERENTIABLE = ("x", "h0", "c0", *WEIGHTS)
RESULTS = ("y", "h_n", "c_n")
OF_ROWS = ("h0", "c0", "lengths", "mask", "h_n", "c_n")
"""What has a row for each sequence, (B, ...), and no steps."""


def named(names: Names, arrays: Sequence[Any]) -> dict[str, Any]:
    """Return the operands, which are the first of some arrays, by their names."""
    return dict(zip(names, arrays, strict=False))


class Planned(NamedTuple):
    """A call with the plan by which the kernels run it, as words, and the bytes of its tape."""

    words: tuple[int, ...]
    tape_bytes: int


class Pass(NamedTuple):
    """What is computed.

    Parameters
    ----------
    cell : Cell
        Of the layer.
    axes : {"time_first", "batch_first"}
        Whether sequences are (T, B, ...) or (B, T, ...).
    direction : {"forward", "reverse"}
        Which step is taken first.
    truncate : int
        Steps after which the gradient is cut, 0 for never.
    """

    cell: cells.Cell
    axes: str = "time_first"
    direction: str = "forward"
    truncate: int = 0

    def sizes(self, operands: Mapping[str, Any]) -> tuple[int, int, int, int, int]:
        """Return T, B, I, H and R, which is 0 without a projection."""
        steps, batch, inputs = operands["x"].shape
        if self.axes == "batch_first":
            steps, batch = batch, steps
        if "w_hr" in operands:
            outputs, units = operands["w_hr"].shape
            return steps, batch, inputs, units, outputs
        return steps, batch, inputs, operands["w_hh"].shape[1], 0

    def result_shapes(self, operands: Mapping[str, Any]) -> list[tuple[int, ...]]:
        """Return the shapes of y, h_n and, where the cell has one, c_n."""
        _, batch, _, units, projection = self.sizes(operands)
        outputs = projection or units
        shapes = [(*operands["x"].shape[:2], outputs), (batch, outputs)]
        return [*shapes, (batch, units)] if self.cell.has_c else shapes

    def planned(self, operands: Mapping[str, Any], purpose: str) -> Planned:
        """Return the plan of a call, for inference or training, on as many threads as there are."""
        words, tape_bytes = _core.hosts.plan_call(
            self.cell.core,
            np.dtype(operands["x"].dtype),
            self.sizes(operands),
            self.axes,
            self.direction,
            self.truncate,
            [name for name in OPERANDS if name in operands],
            purpose,
        )
        return Planned(tuple(words), tape_bytes or 0)
