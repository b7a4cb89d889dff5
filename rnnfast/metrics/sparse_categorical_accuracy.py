"""How often the most likely class is the target's, for targets given as class numbers."""

from __future__ import annotations

import numpy as np

from rnnfast.metrics.mean_metric import Array, MeanMetric
from rnnfast.utils.labels import labels_of_rows


class SparseCategoricalAccuracy(MeanMetric):
    """Share of right classes with class numbers, Keras's `SparseCategoricalAccuracy`.

    Predictions `(..., V)` are probabilities or logits; labels are whole numbers, of an integer or
    a floating-point type, and have the shape `(...)` or `(..., 1)`.

    Parameters
    ----------
    name : str, default "sparse_categorical_accuracy"
        Name of the metric.
    dtype : None
        See `Metric`.
    """

    direction = "max"

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: None = None) -> None:
        super().__init__(name, dtype)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """Compare the largest element's place along the last axis with the label."""
        labels = labels_of_rows(y_true, y_pred, "CategoricalAccuracy")
        return np.asarray(labels == y_pred.argmax(axis=-1))
