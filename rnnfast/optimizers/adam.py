"""Adam: steps from moving means of gradients and of their squares.

With learning rate a, decays b1 and b2, at step t = 1, 2, ..., as Keras defines them::

    m = m + (1 - b1) (g - m)
    v = v + (1 - b2) (g**2 - v)
    u = max(u, v)                                     AMSGrad; else u = v
    w = w - a sqrt(1 - b2**t) / (1 - b1**t) * m / (sqrt(u) + epsilon)

So epsilon is the paper's "epsilon hat": added after the bias correction has been moved into the
step size.

References
----------
D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, end of section 2.
S. J. Reddi, S. Kale and S. Kumar, "On the Convergence of Adam and Beyond", ICLR 2018.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnfast.optimizers.constants import constant
from rnnfast.optimizers.optimizer import Array, Optimizer
from rnnfast.optimizers.options import OptimizerOptions
from rnnfast.optimizers.schedules import LearningRateSchedule
from rnnfast.utils.hyperparameters import above_zero, share

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Adam(Optimizer):
    """Adaptive moment estimation, Keras's `Adam`.

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule, default 0.001
        Step size.
    beta_1 : float, default 0.9
        Share of the mean of gradients, from 0 to below 1, that the next step keeps.
    beta_2 : float, default 0.999
        The same for the mean of squares.
    epsilon : float, default 1e-7
        Added to the root of the mean of squares before its bias is corrected, Keras's (the
        paper's "epsilon hat"); see the notes for PyTorch's.
    amsgrad : bool, default False
        Whether to divide by the largest mean of squares so far.
    **options
        `weight_decay`, `clipnorm`, `clipvalue`, `global_clipnorm`, `gradient_accumulation_steps`
        and `name`, see `Optimizer`.

    Notes
    -----
    PyTorch adds its epsilon, 1e-8 by default, after the bias correction. That is the rule here
    with another epsilon at each step t = 1, 2, ...::

        epsilon = PyTorch's epsilon * sqrt(1 - beta_2**t)

    so no constant gives PyTorch's numbers at all steps. ``Adam(epsilon=1e-8)`` gives them for
    large t. Its first steps are shorter than PyTorch's: of constant gradients g, by the share
    3e-7 / |g| at t = 1 (3e-4 where g is 0.001), 1.5e-7 / |g| at t = 4, 2e-8 / |g| at t = 100. To
    have them from the first step on, set ``optimizer.epsilon`` by the formula before each call of
    `apply`, with ``t = optimizer.iterations + 1``.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **options: Unpack[OptimizerOptions],
    ) -> None:
        self.beta_1 = share("beta_1", beta_1)
        self.beta_2 = share("beta_2", beta_2)
        if 1.0 in (self.beta_1, self.beta_2):
            raise ValueError(f"beta_1 and beta_2 must be below 1, got {beta_1} and {beta_2}")
        self.epsilon = above_zero("epsilon", epsilon)
        self.amsgrad = amsgrad
        super().__init__(learning_rate, **options)

    @property
    def states(self) -> tuple[str, ...]:
        """Names of the states; see `Optimizer.states`."""
        maximum = ("velocity_hat",) if self.amsgrad else ()
        return ("momentum", "velocity", *maximum)

    def update_step(
        self,
        gradient: Array,
        variable: Array,
        learning_rate: float,
        states: tuple[Array, ...],
        scratch: Array,
    ) -> None:
        """Update a piece of one parameter; see `Optimizer.update_step`."""
        momentum, velocity, *maximum = states
        dtype = variable.dtype
        np.subtract(gradient, momentum, out=scratch)
        scratch *= constant(1.0 - self.beta_1, dtype)
        momentum += scratch
        np.multiply(gradient, gradient, out=scratch)
        scratch -= velocity
        scratch *= constant(1.0 - self.beta_2, dtype)
        velocity += scratch
        for largest in maximum:
            np.maximum(largest, velocity, out=largest)
            velocity = largest
        np.sqrt(velocity, out=scratch)
        scratch += constant(self.epsilon, dtype)
        np.divide(momentum, scratch, out=scratch)
        scratch *= learning_rate * self._correction()
        variable -= scratch

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal optimizer, without its state."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "amsgrad": self.amsgrad,
        }

    def _correction(self) -> float:
        step = self.iterations + 1
        return math.sqrt(1.0 - self.beta_2**step) / (1.0 - self.beta_1**step)
