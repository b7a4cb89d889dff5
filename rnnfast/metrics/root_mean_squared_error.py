"""Root mean squared error: `sqrt(mean((y_true - y_pred)**2))`, the root of the mean over all."""

from __future__ import annotations

import math

from rnnfast.metrics.mean_squared_error import MeanSquaredError


class RootMeanSquaredError(MeanSquaredError):
    """Root of the mean of the squared differences, Keras's `RootMeanSquaredError`.

    Parameters
    ----------
    name : str, default "root_mean_squared_error"
        Name of the metric.
    dtype : None
        See `Metric`.
    """

    def __init__(self, name: str = "root_mean_squared_error", dtype: None = None) -> None:
        super().__init__(name, dtype)

    def result(self) -> float:
        """Return the root of the mean; 0 before the first sample."""
        return math.sqrt(super().result())
