"""What checkpoints leave of the memory that training takes."""

from __future__ import annotations

import math

from ..cases import Case, Shape
from ..memory import measure_memory
from ..peers import Ours, OursWithCheckpoints
from .ratios import BoundedRatio

__all__ = ["memory_beside_saving_all"]

_SHAPE = Shape(2048, 32, 128, 128)


def memory_beside_saving_all(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare what is saved, and the workspaces, with and without checkpoints.

    Parameters
    ----------
    ours : Ours
        rnnfast, for its threads.
    rounds : int
        Not used: peaks differ little.

    Returns
    -------
    list of BoundedRatio
        None if the system does not tell a process its peak memory.
    """
    found = []
    for cell in ("lstm", "gru"):
        case = Case("training", cell, _SHAPE)
        names = (Ours.name, OursWithCheckpoints.name)
        peaks = measure_memory(case, names, ours.threads).peaks
        if not peaks:
            return []
        plain, checkpoints = (peaks[name] - _results(case) for name in names)
        about = f"saved states and workspaces with checkpoints / without, {case}"
        found.append(BoundedRatio(about, checkpoints / plain, "at most", 0.1))
    return found


def _results(case: Case) -> int:
    """Bytes of the results and gradients."""
    cell, shape = case.cell, case.shape
    names = (*cell.outputs, *cell.arguments)
    return 4 * sum(math.prod(cell.shape(n, shape.T, shape.B, shape.I, shape.H)) for n in names)
