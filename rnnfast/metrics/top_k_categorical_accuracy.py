"""How often the target's class is among the k most likely, for targets given as rows."""

from __future__ import annotations

from typing import Any

from rnnfast.metrics.mean_metric import Array, MeanMetric
from rnnfast.metrics.sparse_top_k_categorical_accuracy import are_in_top_k
from rnnfast.utils.hyperparameters import require_positive
from rnnfast.utils.labels import require_rows


class TopKCategoricalAccuracy(MeanMetric):
    """Share of targets among the k best, Keras's `TopKCategoricalAccuracy`.

    Predictions are probabilities or logits, of the shape of the targets.

    Parameters
    ----------
    k : int, default 5
        How many classes are looked at.
    name : str, default "top_k_categorical_accuracy"
        Name of the metric.
    dtype : None
        See `Metric`.
    """

    direction = "max"

    def __init__(
        self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: None = None
    ) -> None:
        super().__init__(name, dtype)
        self.k = require_positive("k", k)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """Tell of each row whether its target's largest element is among the k best."""
        require_rows(y_true, y_pred, "SparseTopKCategoricalAccuracy")
        return are_in_top_k(y_true.argmax(axis=-1), y_pred, self.k)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        return {**super().get_config(), "k": self.k}
