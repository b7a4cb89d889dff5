"""A metric that is a mean over samples, of the mean over whatever else a sample has."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnfast.metrics.metric import Metric
from rnnfast.utils.options import refuse
from rnnfast.utils.ranks import match_ranks

Array = NDArray[Any]


class MeanMetric(Metric):
    """Mean over samples; a metric of one's own extends this class with `values`.

    Parameters
    ----------
    name : str, optional
        By default the name of the class in snake case, numbered.
    dtype : None
        Metrics add up in float64.

    Raises
    ------
    NotImplementedError
        When `dtype` is given.
    """

    def __init__(self, name: str | None = None, dtype: None = None) -> None:
        refuse(type(self).__name__, {"dtype": dtype}, {"dtype": None})
        super().__init__(name)
        self.reset_state()

    @abstractmethod
    def values(self, y_true: Array, y_pred: Array) -> Array:
        """Compute the numbers to average.

        Parameters
        ----------
        y_true, y_pred : numpy.ndarray
            Targets and predictions of a batch, samples along the first axis.

        Returns
        -------
        numpy.ndarray
            One number or more for each sample, along the first axis.
        """

    def reset_state(self) -> None:
        """Forget all samples."""
        self._total = 0.0
        self._samples = 0

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike) -> None:
        """Take in a batch; see `Metric.update_state`."""
        values = np.atleast_1d(self.values(np.asarray(y_true), np.asarray(y_pred)))
        if values.size:
            self._total += float(values.mean(dtype=np.float64)) * len(values)
            self._samples += len(values)

    def result(self) -> float:
        """Return the mean; 0 before the first sample."""
        return self._total / max(self._samples, 1)


def same_shape(y_true: Array, y_pred: Array) -> tuple[Array, Array]:
    """Match the ranks of two arrays and check that their shapes are equal."""
    targets, predictions = match_ranks(y_true, y_pred)
    if targets.shape != predictions.shape:
        raise ValueError(
            f"y_true must have the shape of y_pred, {y_pred.shape}, got {y_true.shape}"
        )
    return targets, predictions
