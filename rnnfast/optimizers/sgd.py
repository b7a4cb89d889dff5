"""Stochastic gradient descent, with momentum.

With learning rate a, momentum b and velocity v, as Keras defines them::

    v = b v - a g
    w = w + v              plain momentum
    w = w + b v - a g      Nesterov momentum
    w = w - a g            b = 0
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rnnfast.optimizers.optimizer import Array, Optimizer
from rnnfast.optimizers.options import OptimizerOptions
from rnnfast.optimizers.schedules import LearningRateSchedule
from rnnfast.utils.hyperparameters import share

if TYPE_CHECKING:
    from typing_extensions import Unpack


class SGD(Optimizer):
    """Gradient descent with momentum, Keras's `SGD`.

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule, default 0.01
        Step size.
    momentum : float, default 0.0
        Share of the velocity, from 0 to 1, that the next step keeps.
    nesterov : bool, default False
        Whether to step along the velocity looked ahead.
    **options
        `weight_decay`, `clipnorm`, `clipvalue`, `global_clipnorm`, `gradient_accumulation_steps`
        and `name`, see `Optimizer`.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **options: Unpack[OptimizerOptions],
    ) -> None:
        self.momentum = share("momentum", momentum)
        self.nesterov = nesterov
        super().__init__(learning_rate, **options)

    @property
    def states(self) -> tuple[str, ...]:
        """Names of the states; see `Optimizer.states`."""
        return ("momentum",) if self.momentum else ()

    def update_step(
        self,
        gradient: Array,
        variable: Array,
        learning_rate: float,
        states: tuple[Array, ...],
        scratch: Array,
    ) -> None:
        """Update a piece of one parameter; see `Optimizer.update_step`."""
        np.multiply(gradient, -learning_rate, out=scratch)
        for velocity in states:
            velocity *= self.momentum
            velocity += scratch
            if self.nesterov:
                variable += scratch
                np.multiply(velocity, self.momentum, out=scratch)
            else:
                np.copyto(scratch, velocity)
        variable += scratch

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal optimizer, without its state."""
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
