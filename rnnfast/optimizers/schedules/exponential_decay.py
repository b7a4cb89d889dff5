"""Exponential decay: the rate falls by the same factor over the same number of steps.

With first rate a, factor d and steps n, at step t = 0, 1, ...::

    rate = a d**(t / n)
    rate = a d**floor(t / n)        staircase
"""

from __future__ import annotations

import math
from typing import Any

from rnnfast.optimizers.schedules.schedule import LearningRateSchedule
from rnnfast.utils.hyperparameters import above_zero, at_least_zero


class ExponentialDecay(LearningRateSchedule):
    """A rate that is multiplied by `decay_rate` every `decay_steps`, Keras's `ExponentialDecay`.

    Parameters
    ----------
    initial_learning_rate : float
        Rate of step 0.
    decay_steps : int
        Steps over which the rate falls once, above 0.
    decay_rate : float
        What it is multiplied by.
    staircase : bool, default False
        Whether it falls once every `decay_steps` rather than a little at each step.
    name : str, default "ExponentialDecay"
        Kept for Keras's sake.

    Raises
    ------
    ValueError
        When a number is out of its range.
    TypeError
        When it is none.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate = at_least_zero("initial_learning_rate", initial_learning_rate)
        self.decay_steps = above_zero("decay_steps", decay_steps)
        self.decay_rate = at_least_zero("decay_rate", decay_rate)
        self.staircase = staircase
        self.name = name

    def __call__(self, step: int) -> float:
        """Give the learning rate of a step; see `LearningRateSchedule`."""
        falls = step / self.decay_steps
        if self.staircase:
            falls = math.floor(falls)
        return float(self.initial_learning_rate * self.decay_rate**falls)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal schedule."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }
