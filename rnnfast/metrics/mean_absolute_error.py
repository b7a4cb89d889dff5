"""Mean absolute error: `mean(abs(y_true - y_pred))`."""

from __future__ import annotations

import numpy as np

from rnnfast.metrics.mean_metric import Array, MeanMetric, same_shape


class MeanAbsoluteError(MeanMetric):
    """Mean of the absolute differences, Keras's `MeanAbsoluteError`.

    Parameters
    ----------
    name : str, default "mean_absolute_error"
        Name of the metric.
    dtype : None
        See `Metric`.
    """

    direction = "min"

    def __init__(self, name: str = "mean_absolute_error", dtype: None = None) -> None:
        super().__init__(name, dtype)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """Compute the absolute differences."""
        targets, predictions = same_shape(y_true, y_pred)
        return np.asarray(np.abs(targets.astype(predictions.dtype, copy=False) - predictions))
