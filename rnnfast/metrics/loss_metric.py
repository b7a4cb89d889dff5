"""A loss as a metric: its weighted mean over all samples, whatever its reduction."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rnnfast import losses
from rnnfast.metrics.mean_metric import Array, MeanMetric


class LossMetric(MeanMetric):
    """The mean of a loss; `compile(metrics=[loss])` makes one, as do the names of cross-entropies.

    Parameters
    ----------
    loss : str, Loss, class, function or dict
        What `rnnfast.losses.get` takes.
    name : str, optional
        By default the loss's.
    dtype : None
        See `Metric`.
    """

    direction = "min"

    def __init__(self, loss: object, name: str | None = None, dtype: None = None) -> None:
        self._loss = losses.get(loss)
        super().__init__(name or self._loss.name, dtype)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """Compute the loss of each sample."""
        return self._loss.of_samples(y_true, y_pred)[0]

    def update_state(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Take in a batch; see `Metric.update_state`."""
        values, weights = self._loss.of_samples(y_true, y_pred, sample_weight)
        self._add(np.atleast_1d(values), None if weights is None else np.atleast_1d(weights))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        config = {"class_name": type(self._loss).__name__, "config": self._loss.get_config()}
        return {**super().get_config(), "loss": config}
