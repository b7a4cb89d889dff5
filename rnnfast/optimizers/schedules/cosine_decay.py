"""Cosine decay, after a linear warm-up.

With first rate a, target b and k steps of warm-up, then n steps down to the share s of b, at
step t = 0, 1, ...::

    rate = a + (b - a) t / k                           t < k
    u    = min(t - k, n) / n                           from then on
    rate = b ((1 - s) (1 + cos(pi u)) / 2 + s)

Without warm-up, b = a and k = 0.

References
----------
I. Loshchilov and F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017.
P. Goyal et al., "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour", 2017 (warm-up).
"""

from __future__ import annotations

import math
from typing import Any

from rnnfast.optimizers.schedules.schedule import LearningRateSchedule
from rnnfast.utils.hyperparameters import above_zero, at_least_zero


class CosineDecay(LearningRateSchedule):
    """A rate that falls along half a cosine, Keras's `CosineDecay`.

    Parameters
    ----------
    initial_learning_rate : float
        Rate of step 0.
    decay_steps : int
        Steps of the fall, above 0; they begin after the warm-up.
    alpha : float, default 0.0
        Where the fall ends, as a share of where it begins.
    name : str, default "CosineDecay"
        Kept for Keras's sake.
    warmup_target : float, optional
        Rate that a warm-up rises to from `initial_learning_rate`; without it there is none.
    warmup_steps : int, default 0
        Steps of the warm-up.

    Raises
    ------
    ValueError
        When a number is out of its range, or `warmup_steps` are given without `warmup_target`.
    TypeError
        When it is none.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        self.initial_learning_rate = at_least_zero("initial_learning_rate", initial_learning_rate)
        self.decay_steps = above_zero("decay_steps", decay_steps)
        self.alpha = at_least_zero("alpha", alpha)
        self.name = name
        self.warmup_steps = at_least_zero("warmup_steps", warmup_steps)
        self.warmup_target = warmup_target
        if warmup_target is not None:
            self.warmup_target = at_least_zero("warmup_target", warmup_target)
        elif warmup_steps:
            raise ValueError(
                f"warmup_steps={warmup_steps!r} needs a warmup_target, the rate to rise to from "
                f"initial_learning_rate"
            )

    def __call__(self, step: int) -> float:
        """Give the learning rate of a step; see `LearningRateSchedule`."""
        first, top = self.initial_learning_rate, self.warmup_target
        if top is None:
            top = first
        elif step < self.warmup_steps:
            return float(first + (top - first) * step / self.warmup_steps)
        done = min(step - self.warmup_steps, self.decay_steps) / self.decay_steps
        share = 0.5 * (1.0 + math.cos(math.pi * done))
        return float(top * ((1.0 - self.alpha) * share + self.alpha))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal schedule."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "alpha": self.alpha,
            "name": self.name,
            "warmup_target": self.warmup_target,
            "warmup_steps": self.warmup_steps,
        }
