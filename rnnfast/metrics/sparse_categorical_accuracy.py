"""How often the most likely class is the target's, for targets given as class numbers."""

from __future__ import annotations

import numpy as np

from rnnfast.metrics.mean_metric import Array, MeanMetric


class SparseCategoricalAccuracy(MeanMetric):
    """Share of right classes with integer labels, Keras's `SparseCategoricalAccuracy`.

    Predictions `(..., V)` are probabilities or logits; labels have the shape `(...)` or
    `(..., 1)`.

    Parameters
    ----------
    name : str, default "sparse_categorical_accuracy"
        Name of the metric.
    dtype : None
        See `MeanMetric`.
    """

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: None = None) -> None:
        super().__init__(name, dtype)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """Compare the largest element's place along the last axis with the label."""
        labels = y_true
        if labels.ndim == y_pred.ndim and labels.shape[-1] == 1:
            labels = labels[..., 0]
        if labels.shape != y_pred.shape[:-1]:
            raise ValueError(
                f"y_true must be labels of shape {y_pred.shape[:-1]}, one for each row of y_pred "
                f"{y_pred.shape}, got {y_true.shape}"
            )
        return np.asarray(labels == y_pred.argmax(axis=-1))
