"""How often the most likely class is the target's, for targets given as rows."""

from __future__ import annotations

import numpy as np

from rnnfast.metrics.mean_metric import Array, MeanMetric


class CategoricalAccuracy(MeanMetric):
    """Share of right classes with one-hot targets, Keras's `CategoricalAccuracy`.

    Predictions are probabilities or logits, of the shape of the targets.

    Parameters
    ----------
    name : str, default "categorical_accuracy"
        Name of the metric.
    dtype : None
        See `MeanMetric`.
    """

    direction = "max"

    def __init__(self, name: str = "categorical_accuracy", dtype: None = None) -> None:
        super().__init__(name, dtype)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """Compare the largest element's place along the last axis."""
        if y_true.shape != y_pred.shape:
            raise ValueError(
                f"y_true must be one-hot, of the shape of y_pred, {y_pred.shape}, got "
                f"{y_true.shape}; for integer labels use SparseCategoricalAccuracy"
            )
        return np.asarray(y_true.argmax(axis=-1) == y_pred.argmax(axis=-1))
