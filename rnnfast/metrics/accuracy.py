"""How often predictions equal targets."""

from __future__ import annotations

import numpy as np

from rnnfast.metrics.mean_metric import Array, MeanMetric, same_shape


class Accuracy(MeanMetric):
    """Share of predictions that equal their targets exactly, Keras's `Accuracy`.

    The name "accuracy", given to `compile`, does not mean this metric but the fitting one of
    `BinaryAccuracy`, `CategoricalAccuracy` and `SparseCategoricalAccuracy`.

    Parameters
    ----------
    name : str, default "accuracy"
        Name of the metric.
    dtype : None
        See `Metric`.
    """

    direction = "max"

    def __init__(self, name: str = "accuracy", dtype: None = None) -> None:
        super().__init__(name, dtype)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """Compare element by element."""
        targets, predictions = same_shape(y_true, y_pred)
        return np.asarray(targets == predictions)
