"""What every metric is: a number gathered batch by batch."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Literal

from numpy.typing import ArrayLike

from rnnfast.utils.known_attributes import KnownAttributes
from rnnfast.utils.naming import auto_name
from rnnfast.utils.options import refuse

State = dict[str, Any]
"""What a metric has gathered: numbers, strings and arrays by name."""


class Metric(KnownAttributes):
    """A number over all samples since the last reset.

    Parameters
    ----------
    name : str, optional
        By default the name of the class in snake case, numbered.
    dtype : None
        Metrics add up in float64.

    Attributes
    ----------
    direction : {"min", "max"} or None
        Whether smaller or larger is better, for callbacks that monitor it; None does not say.
    adds_up : bool
        Whether the numbers of `get_state` are sums over samples, to which those that another
        process has gathered can be added. A class of one's own that says so is reported over all
        processes of a `fit` with `reducer`, others over the samples of each.

    Raises
    ------
    NotImplementedError
        When `dtype` is given.
    """

    direction: Literal["min", "max"] | None = None
    adds_up: ClassVar[bool] = False

    def __init__(self, name: str | None = None, dtype: None = None) -> None:
        refuse(type(self).__name__, {"dtype": dtype}, {"dtype": None})
        self.name = name or auto_name(self)

    @abstractmethod
    def reset_state(self) -> None:
        """Forget all samples."""

    @abstractmethod
    def update_state(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Take in a batch.

        Parameters
        ----------
        y_true : array_like
            Targets, samples along the first axis.
        y_pred : array_like
            Predictions.
        sample_weight : array_like, optional
            Weights of at least 0, one for each sample, or for each step.

        Raises
        ------
        TypeError
            When an argument holds no numbers.
        ValueError
            When the shapes do not fit each other.
        """

    @abstractmethod
    def result(self) -> float | Any:
        """Return the number, for some metrics an array of them; 0 before the first sample."""

    def get_state(self) -> State:
        """Return what has been gathered, so that an interrupted epoch goes on with the same bits.

        Returns
        -------
        dict of str to number, str or ndarray
            For `set_state`; a copy.

        Raises
        ------
        NotImplementedError
            When a class of one's own does not say what it gathers.
        """
        raise NotImplementedError(
            f"{type(self).__name__} does not say what it has gathered; give it get_state(), which "
            "returns a dict of numbers and arrays, and set_state(state), which takes it back"
        )

    def set_state(self, state: State) -> None:
        """Take back what `get_state` returned.

        Parameters
        ----------
        state : dict
            The numbers, strings and arrays.
        """
        raise NotImplementedError(f"{type(self).__name__} has no set_state; see get_state")

    def __call__(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float | Any:
        """Take in a batch and return the number over all samples so far."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """Make a metric from what `get_config` returned."""
        return cls(**config)
