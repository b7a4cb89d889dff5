"""Whether numbers close to zero cost time.

Processors may take a hundred cycles over a subnormal operand, and states decay into that range
wherever an input falls silent. A case is timed on inputs, states and output gradients scaled from
around 1 to around 1e-40, beside the same on normal numbers. There are no biases, which would lift
the states out of the range at once.
"""

from __future__ import annotations

import numpy as np

from rnnfast.testing.cells import CELLS_BY_NAME

from .cases import Case, Mode, Shape
from .peers import Ours
from .results import Subnormals
from .timing import play_rounds, spread

__all__ = ["CASES", "measure_subnormals"]

_SHAPES: dict[Mode, Shape] = {
    "training": Shape(100, 32, 128, 128),
    "inference": Shape(100, 32, 128, 128),
    "step": Shape(1, 1, 64, 64),
}

CASES: tuple[Case, ...] = tuple(
    Case(mode, cell, shape) for mode, shape in _SHAPES.items() for cell in CELLS_BY_NAME
)
"""Every cell in every mode."""

_SCALE = np.float32(1e-40)
_SCALED = ("x", "h0", "c0", "dy")


def measure_subnormals(case: Case, ours: Ours, rounds: int) -> Subnormals:
    """Time a case on subnormal and on normal numbers, in turns.

    Parameters
    ----------
    case : Case
        What is timed.
    ours : Ours
        rnnfast.
    rounds : int
        Turns of each.

    Returns
    -------
    Subnormals
    """
    normal = {name: array for name, array in case.inputs().items() if name not in ("b_ih", "b_hh")}
    subnormal = {**normal, **{name: normal[name] * _SCALE for name in _SCALED if name in normal}}
    calls = {
        "normal": ours.prepare(case, normal).call,
        "subnormal": ours.prepare(case, subnormal).call,
    }
    ratios = [times["subnormal"] / times["normal"] for times in play_rounds(calls, rounds)]
    return Subnormals(case, spread(ratios))
