"""Mean squared error: `mean((y_true - y_pred)**2)`."""

from __future__ import annotations

import numpy as np

from rnnfast.metrics.mean_metric import Array, MeanMetric, same_shape


class MeanSquaredError(MeanMetric):
    """Mean of the squared differences, Keras's `MeanSquaredError`.

    Parameters
    ----------
    name : str, default "mean_squared_error"
        Name of the metric.
    dtype : None
        See `Metric`.
    """

    direction = "min"

    def __init__(self, name: str = "mean_squared_error", dtype: None = None) -> None:
        super().__init__(name, dtype)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """Compute the squared differences."""
        targets, predictions = same_shape(y_true, y_pred)
        return np.asarray(np.square(targets.astype(predictions.dtype, copy=False) - predictions))
