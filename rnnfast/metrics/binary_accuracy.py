"""How often a prediction lies on its target's side of a threshold."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnfast.metrics.mean_metric import Array, MeanMetric, same_shape


class BinaryAccuracy(MeanMetric):
    """Share of predictions on the right side of a threshold, Keras's `BinaryAccuracy`.

    Parameters
    ----------
    name : str, default "binary_accuracy"
        Name of the metric.
    dtype : None
        See `Metric`.
    threshold : float, default 0.5
        A prediction above it stands for 1, any other for 0. For logits, 0 is what 0.5 is for
        probabilities.
    """

    direction = "max"

    def __init__(
        self, name: str = "binary_accuracy", dtype: None = None, threshold: float = 0.5
    ) -> None:
        super().__init__(name, dtype)
        self.threshold = threshold

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """Compare each prediction, rounded at the threshold, with its target."""
        targets, predictions = same_shape(y_true, y_pred)
        return np.asarray(targets == (predictions > self.threshold))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        return {**super().get_config(), "threshold": self.threshold}
