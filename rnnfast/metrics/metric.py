"""What every metric is: a number gathered batch by batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Literal

from numpy.typing import ArrayLike

from rnnfast.utils.naming import auto_name


class Metric(ABC):
    """A number over all samples since the last reset.

    Parameters
    ----------
    name : str, optional
        By default the name of the class in snake case, numbered.

    Attributes
    ----------
    direction : {"min", "max"} or None
        Whether smaller or larger is better, for callbacks that monitor it; None does not say.
    """

    direction: Literal["min", "max"] | None = None

    def __init__(self, name: str | None = None) -> None:
        self.name = name or auto_name(self)

    @abstractmethod
    def reset_state(self) -> None:
        """Forget all samples."""

    @abstractmethod
    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike) -> None:
        """Take in a batch.

        Parameters
        ----------
        y_true : array_like
            Targets, samples along the first axis.
        y_pred : array_like
            Predictions.

        Raises
        ------
        ValueError
            When the shapes do not fit each other.
        """

    @abstractmethod
    def result(self) -> float:
        """Return the number; 0 before the first sample."""

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike) -> float:
        """Take in a batch and return the number over all samples so far."""
        self.update_state(y_true, y_pred)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """Make a metric from what `get_config` returned."""
        return cls(**config)
