"""What every schedule is: a function from the step to the learning rate."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from rnnfast.utils.known_attributes import KnownAttributes


class LearningRateSchedule(KnownAttributes):
    """A learning rate that changes from step to step, Keras's `LearningRateSchedule`.

    A schedule of one's own extends this class with `__call__`, and with `get_config` where the
    optimizer is to be saved.
    """

    @abstractmethod
    def __call__(self, step: int) -> float:
        """Give the learning rate of a step.

        Parameters
        ----------
        step : int
            The number of calls of `Optimizer.apply` before it: 0 for the first.

        Returns
        -------
        float
            The rate, at least 0.
        """

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal schedule: numbers, strings and lists.

        Raises
        ------
        NotImplementedError
            When the class does not say.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define get_config() for its optimizer to be saved"
        )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LearningRateSchedule:
        """Make a schedule.

        Parameters
        ----------
        config : dict
            What `get_config` returned.

        Returns
        -------
        LearningRateSchedule
            An equal one.
        """
        return cls(**config)
