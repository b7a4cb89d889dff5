"""How often the most likely class is the target's, for targets given as rows."""

from __future__ import annotations

import numpy as np

from rnnfast.metrics.mean_metric import Array, MeanMetric
from rnnfast.utils.labels import require_rows


class CategoricalAccuracy(MeanMetric):
    """Share of right classes with one-hot targets, Keras's `CategoricalAccuracy`.

    Predictions are probabilities or logits, of the shape of the targets.

    Parameters
    ----------
    name : str, default "categorical_accuracy"
        Name of the metric.
    dtype : None
        See `Metric`.
    """

    direction = "max"

    def __init__(self, name: str = "categorical_accuracy", dtype: None = None) -> None:
        super().__init__(name, dtype)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """Compare the largest element's place along the last axis."""
        require_rows(y_true, y_pred, "SparseCategoricalAccuracy")
        return np.asarray(y_true.argmax(axis=-1) == y_pred.argmax(axis=-1))
