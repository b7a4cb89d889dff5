"""RMSprop: steps scaled by the root of a moving mean of squared gradients.

With learning rate a, decay r and momentum b, as Keras defines them::

    v = r v + (1 - r) g**2
    m = r m + (1 - r) g                       centered
    u = a g / sqrt(v - m**2 + epsilon)        m = 0 unless centered
    q = b q + u                               momentum
    w = w - q                                 w = w - u without momentum

References
----------
G. Hinton, "Neural Networks for Machine Learning", lecture 6e, 2012.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rnnfast.optimizers.optimizer import Array, Optimizer
from rnnfast.optimizers.options import OptimizerOptions
from rnnfast.optimizers.schedules import LearningRateSchedule
from rnnfast.utils.hyperparameters import above_zero, share

if TYPE_CHECKING:
    from typing_extensions import Unpack


class RMSprop(Optimizer):
    """Hinton's RMSprop, Keras's `RMSprop`.

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule, default 0.001
        Step size.
    rho : float, default 0.9
        Share of the moving mean, from 0 to 1, that the next step keeps.
    momentum : float, default 0.0
        Share of the last step, from 0 to 1, that is added to the next.
    epsilon : float, default 1e-7
        Added to the mean of squares, inside the root.
    centered : bool, default False
        Whether to divide by the deviation of the gradients rather than their root mean square.
    **options
        `weight_decay`, `clipnorm`, `clipvalue`, `global_clipnorm`, `gradient_accumulation_steps`
        and `name`, see `Optimizer`.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **options: Unpack[OptimizerOptions],
    ) -> None:
        self.rho = share("rho", rho)
        self.momentum = share("momentum", momentum)
        self.epsilon = above_zero("epsilon", epsilon)
        self.centered = centered
        super().__init__(learning_rate, **options)

    @property
    def states(self) -> tuple[str, ...]:
        """Names of the states; see `Optimizer.states`."""
        kept = {
            "velocity": True,
            "average_gradient": self.centered,
            "momentum": self.momentum > 0,
        }
        return tuple(name for name in kept if kept[name])

    def update_step(
        self,
        gradient: Array,
        variable: Array,
        learning_rate: float,
        states: tuple[Array, ...],
        scratch: Array,
    ) -> None:
        """Update a piece of one parameter; see `Optimizer.update_step`."""
        state = dict(zip(self.states, states, strict=True))
        velocity = state["velocity"]
        np.multiply(gradient, gradient, out=scratch)
        _move(velocity, scratch, self.rho)
        denominator = np.add(velocity, self.epsilon, out=np.empty_like(velocity))
        if self.centered:
            mean = state["average_gradient"]
            np.copyto(scratch, gradient)
            _move(mean, scratch, self.rho)
            denominator -= np.multiply(mean, mean, out=scratch)
        np.sqrt(denominator, out=denominator)
        np.multiply(gradient, learning_rate, out=scratch)
        scratch /= denominator
        if self.momentum:
            step = state["momentum"]
            step *= self.momentum
            step += scratch
            variable -= step
        else:
            variable -= scratch

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal optimizer, without its state."""
        return {
            **super().get_config(),
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }


def _move(mean: Array, value: Array, keep: float) -> None:
    """Set `mean` to `keep * mean + (1 - keep) * value`; `value` is used up."""
    mean *= keep
    value *= 1.0 - keep
    mean += value
