"""What precision, recall and AUC count: right and wrong positives, at each of many thresholds.

    tp[i] = sum(w)  where the target is 1 and the prediction above threshold i
    fp[i] = sum(w)  where the target is 0 and the prediction above threshold i
    fn[i] = positives - tp[i]
    tn[i] = negatives - fp[i]

With positives and negatives the weights of all targets that are 1, and 0. A prediction is sorted
in among the thresholds once, rather than compared with each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnfast.metrics.mean_metric import Array, same_shape
from rnnfast.metrics.metric import Metric, State
from rnnfast.utils.labels import require_numbers
from rnnfast.utils.sample_weights import fit_weights

Counts = NDArray[np.float64]


class ConfusionMetric(Metric):
    """A metric of the four counts.

    Parameters
    ----------
    thresholds : sequence of float
        In the order in which the counts have them.
    name : str, optional
        By default the name of the class in snake case, numbered.
    dtype : None
        See `Metric`.
    """

    adds_up: ClassVar[bool] = True

    def __init__(self, thresholds: Sequence[float], name: str | None, dtype: None) -> None:
        super().__init__(name, dtype)
        self.thresholds = list(thresholds)
        self.reset_state()

    def reset_state(self) -> None:
        """Forget all samples."""
        self.true_positives: Counts = np.zeros(len(self.thresholds))
        self.false_positives: Counts = np.zeros(len(self.thresholds))
        self.positives = 0.0
        self.negatives = 0.0

    def update_state(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Take in a batch; see `Metric.update_state`.

        Targets are 0 or 1, and as many as predictions.
        """
        targets, predictions = np.asarray(y_true), np.asarray(y_pred)
        require_numbers("y_true", targets)
        require_numbers("y_pred", predictions)
        # Thresholds do not fit into a float16.
        predictions = predictions.astype(np.result_type(predictions, np.float32), copy=False)
        targets, predictions = self._select(*same_shape(targets, predictions))
        if (strange := (targets != 0) & (targets != 1)).any():
            raise ValueError(f"y_true must be 0 or 1, got {targets[strange][0]!s}")
        shape = predictions.shape
        weights = np.ones(shape) if sample_weight is None else fit_weights(sample_weight, shape)
        one = targets == 1
        above, total = self._weights_above(predictions[one], weights[one])
        self.true_positives += above
        self.positives += total
        above, total = self._weights_above(predictions[~one], weights[~one])
        self.false_positives += above
        self.negatives += total

    @property
    def false_negatives(self) -> Counts:
        """Weight of targets 1 that are predicted as 0, for each threshold."""
        return self.positives - self.true_positives

    def get_state(self) -> State:
        """Return the counts; see `Metric.get_state`."""
        return {
            "true_positives": self.true_positives.copy(),
            "false_positives": self.false_positives.copy(),
            "positives": self.positives,
            "negatives": self.negatives,
        }

    def set_state(self, state: State) -> None:
        """Take back what was gathered; see `Metric.set_state`."""
        self.true_positives = np.array(state["true_positives"], np.float64)
        self.false_positives = np.array(state["false_positives"], np.float64)
        self.positives = float(state["positives"])
        self.negatives = float(state["negatives"])

    def _select(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        """Return those targets and predictions that count, of one shape."""
        return y_true, y_pred

    def _weights_above(self, predictions: Array, weights: Array) -> tuple[Counts, float]:
        """Sum the weights of the predictions above each threshold, and all of them."""
        # Thresholds of the predictions' own type, as Keras compares them.
        thresholds = np.asarray(self.thresholds, predictions.dtype)
        order = np.argsort(thresholds, kind="stable")
        below = np.searchsorted(thresholds[order], predictions)  # how many lie under each
        below[np.isnan(predictions)] = 0
        sums = np.bincount(below, weights, len(order) + 1)[::-1].cumsum()[::-1]
        above = np.empty(len(order))
        above[order] = sums[1:]
        return above, float(sums[0])


def ratio(part: Counts, whole: Counts | float) -> Counts:
    """Divide; where the whole is nothing the share is 0, as in Keras."""
    return np.divide(part, whole, out=np.zeros_like(part), where=np.not_equal(whole, 0))
