"""A metric that is a mean over samples, of the mean over whatever else a sample has.

    result = sum_b mean_t(w_bt v_bt) / sum_b mean_t(w_bt)

for values v of sample b, at steps t, and weights w, 1 unless given.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnfast.metrics.metric import Metric, State
from rnnfast.utils.labels import require_numbers
from rnnfast.utils.ranks import match_ranks
from rnnfast.utils.sample_weights import fit_weights

Array = NDArray[Any]


class MeanMetric(Metric):
    """Mean over samples; a metric of one's own extends this class with `values`.

    Parameters
    ----------
    name : str, optional
        By default the name of the class in snake case, numbered.
    dtype : None
        See `Metric`.
    """

    adds_up: ClassVar[bool] = True

    def __init__(self, name: str | None = None, dtype: None = None) -> None:
        super().__init__(name, dtype)
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
            One number or more for each sample, along the first axis. A single number counts as
            one sample.
        """

    def reset_state(self) -> None:
        """Forget all samples."""
        self._total = 0.0
        self._samples: float = 0

    def update_state(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Take in a batch; see `Metric.update_state`."""
        targets, predictions = np.asarray(y_true), np.asarray(y_pred)
        require_numbers("y_true", targets)
        require_numbers("y_pred", predictions)
        values = np.atleast_1d(self.values(targets, predictions))
        self._add(
            values, None if sample_weight is None else fit_weights(sample_weight, values.shape)
        )

    def _add(self, values: Array, weights: Array | None) -> None:
        """Add a batch's values, and their weights of the same shape."""
        if not values.size:
            return
        if weights is None:
            self._total += float(values.mean(dtype=np.float64)) * len(values)
            self._samples += len(values)
        else:
            # A product of float32 would be rounded before it is added up.
            weighed = weights.astype(np.float64) * values
            self._total += float(weighed.mean()) * len(values)
            self._samples += float(weights.mean(dtype=np.float64)) * len(values)

    def result(self) -> float:
        """Return the mean; 0 before the first sample."""
        return self._total / self._samples if self._samples else 0.0

    def get_state(self) -> State:
        """Return the sum of the values and the number of samples; see `Metric.get_state`."""
        return {"total": self._total, "samples": self._samples}

    def set_state(self, state: State) -> None:
        """Take back what was gathered; see `Metric.set_state`."""
        self._total, self._samples = state["total"], state["samples"]


def same_shape(y_true: Array, y_pred: Array) -> tuple[Array, Array]:
    """Match the ranks of two arrays and check that their shapes are equal."""
    targets, predictions = match_ranks(y_true, y_pred)
    if targets.shape != predictions.shape:
        raise ValueError(
            f"y_true must have the shape of y_pred, {y_pred.shape}, got {y_true.shape}"
        )
    return targets, predictions
