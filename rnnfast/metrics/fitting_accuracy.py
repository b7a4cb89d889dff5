"""What the name "accuracy" means: the accuracy that fits the shapes, by Keras's rule.

A last axis of length 1 in the predictions makes it binary. Else targets with fewer axes, or a
last axis of length 1, are class numbers. Else they are rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rnnfast.metrics.binary_accuracy import BinaryAccuracy
from rnnfast.metrics.categorical_accuracy import CategoricalAccuracy
from rnnfast.metrics.mean_metric import Array, MeanMetric
from rnnfast.metrics.metric import Metric
from rnnfast.metrics.sparse_categorical_accuracy import SparseCategoricalAccuracy


class FittingAccuracy(Metric):
    """The accuracy that fits the first batch.

    Parameters
    ----------
    name : str, default "accuracy"
        Name of the metric.
    """

    direction = "max"

    def __init__(self, name: str = "accuracy") -> None:
        super().__init__(name)
        self._chosen: MeanMetric | None = None

    def reset_state(self) -> None:
        """Forget all samples."""
        if self._chosen is not None:
            self._chosen.reset_state()

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike) -> None:
        """Take in a batch; see `Metric.update_state`."""
        targets, predictions = np.asarray(y_true), np.asarray(y_pred)
        if self._chosen is None:
            self._chosen = _fitting(targets, predictions)(self.name)
        self._chosen.update_state(targets, predictions)

    def result(self) -> float:
        """Return the share of right predictions; 0 before the first sample."""
        return 0.0 if self._chosen is None else self._chosen.result()


def _fitting(y_true: Array, y_pred: Array) -> type[MeanMetric]:
    if y_pred.shape[-1:] == (1,):
        return BinaryAccuracy
    if y_true.ndim < y_pred.ndim or y_true.shape[-1:] == (1,):
        return SparseCategoricalAccuracy
    return CategoricalAccuracy
