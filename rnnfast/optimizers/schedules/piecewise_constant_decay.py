"""Piecewise constant rates.

With boundaries b and one more value v, at step t = 0, 1, ...::

    rate = v[i]        i the number of boundaries below t: v[0] up to step b[0], included
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from rnnfast.optimizers.schedules.schedule import LearningRateSchedule
from rnnfast.utils.hyperparameters import at_least_zero


class PiecewiseConstantDecay(LearningRateSchedule):
    """A rate that is set anew after some steps, Keras's `PiecewiseConstantDecay`.

    Parameters
    ----------
    boundaries : sequence of int
        The last step of each rate but the last one, increasing.
    values : sequence of float
        The rates, one more than `boundaries`.
    name : str, default "PiecewiseConstant"
        Kept for Keras's sake.

    Raises
    ------
    ValueError
        When the boundaries do not increase, are no whole numbers, or are not one fewer than the
        values, or a rate is below 0.
    TypeError
        When one is no number.
    """

    def __init__(
        self,
        boundaries: Sequence[int],
        values: Sequence[float],
        name: str = "PiecewiseConstant",
    ) -> None:
        steps = [at_least_zero(f"boundaries[{i}]", step) for i, step in enumerate(boundaries)]
        if any(step != int(step) for step in steps) or any(a >= b for a, b in pairwise(steps)):
            raise ValueError(f"boundaries must be increasing whole numbers, got {boundaries}")
        if len(values) != len(steps) + 1:
            raise ValueError(
                f"values must be one more than the {len(steps)} boundaries, got {len(values)}"
            )
        self.boundaries = [int(step) for step in steps]
        self.values = [at_least_zero(f"values[{i}]", value) for i, value in enumerate(values)]
        self.name = name

    def __call__(self, step: int) -> float:
        """Give the learning rate of a step; see `LearningRateSchedule`."""
        return self.values[bisect_left(self.boundaries, step)]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal schedule."""
        return {"boundaries": self.boundaries, "values": self.values, "name": self.name}
