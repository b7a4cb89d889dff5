"""The size of the next step: a number that can be set, or what a schedule says of the step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast.optimizers.schedules import LearningRateSchedule, deserialize, serialize
from rnnfast.utils.hyperparameters import at_least_zero


class LearningRate:
    """A learning rate, with Keras's rules of what may be set in place of what.

    Attributes
    ----------
    number : float64 array of shape (), or None
        The rate; None where a schedule knows it.
    """

    def __init__(self) -> None:
        self.number: NDArray[Any] | None = np.zeros(())
        self._schedule: LearningRateSchedule

    def at(self, step: int) -> float:
        """Give the rate of a step, counted from 0."""
        if self.number is not None:
            return float(self.number)
        return at_least_zero(f"the rate of {type(self._schedule).__name__}", self._schedule(step))

    def set(self, value: float | LearningRateSchedule | Mapping[str, Any]) -> None:
        """Put a number in place of a number, or a schedule, or what it serializes to, of either."""
        if isinstance(value, Mapping):
            value = deserialize(value)
        if isinstance(value, LearningRateSchedule):
            self._schedule = value
            self.number = None
        elif callable(value):
            raise TypeError(
                f"learning_rate must be a number or a LearningRateSchedule of "
                f"rnnfast.optimizers.schedules, got {value!r}; for a rule of one's own, derive "
                f"from LearningRateSchedule"
            )
        elif self.number is None:
            raise TypeError(
                f"learning_rate is a schedule, {type(self._schedule).__name__}, and not to be set "
                f"to {value!r}; make the optimizer with a number to set it later"
            )
        else:
            self.number[...] = at_least_zero("learning_rate", value)

    def config(self) -> float | dict[str, Any]:
        """Describe it by what JSON can hold."""
        return serialize(self._schedule) if self.number is None else float(self.number)
