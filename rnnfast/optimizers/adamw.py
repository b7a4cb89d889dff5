"""AdamW: Adam whose weights decay beside the gradient, not through it.

With learning rate a, decay d and the step s that Adam makes from the gradient alone::

    w = w - a d w
    w = w - s

References
----------
I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnfast.optimizers.adam import Adam
from rnnfast.optimizers.options import SharedOptions
from rnnfast.optimizers.schedules import LearningRateSchedule

if TYPE_CHECKING:
    from typing_extensions import Unpack


class AdamW(Adam):
    """Adam with decoupled weight decay, Keras's `AdamW`.

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule, default 0.001
        Step size.
    weight_decay : float, default 0.004
        Share of each parameter, times the learning rate, that each step takes from it.
        `exclude_from_weight_decay` leaves some alone.
    beta_1, beta_2, epsilon, amsgrad
        As those of `Adam`.
    **options
        `clipnorm`, `clipvalue`, `global_clipnorm`, `gradient_accumulation_steps` and `name`, see
        `Optimizer`.

    Raises
    ------
    ValueError
        When `weight_decay` is None: that is `Adam`.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **options: Unpack[SharedOptions],
    ) -> None:
        if weight_decay is None:
            raise ValueError("weight_decay must be a number, got None; without decay, use Adam")
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **options
        )
