"""How often the target's class is among the k most likely, for targets given as class numbers.

A class is among them when fewer than k others are more likely, so that all of those that are as
likely as the k-th are, as in TensorFlow's `in_top_k`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnfast.metrics.mean_metric import Array, MeanMetric
from rnnfast.utils.hyperparameters import require_positive
from rnnfast.utils.labels import labels_of_rows, require_classes
from rnnfast.utils.options import refuse


class SparseTopKCategoricalAccuracy(MeanMetric):
    """Share of labels among the k best, Keras's `SparseTopKCategoricalAccuracy`.

    Predictions `(..., V)` are probabilities or logits; labels are whole numbers from 0 to V - 1
    and have the shape `(...)` or `(..., 1)`.

    Parameters
    ----------
    k : int, default 5
        How many classes are looked at.
    name : str, default "sparse_top_k_categorical_accuracy"
        Name of the metric.
    dtype : None
        See `Metric`.
    from_sorted_ids : bool, default False
        Only False is supported yet.
    """

    direction = "max"

    def __init__(
        self,
        k: int = 5,
        name: str = "sparse_top_k_categorical_accuracy",
        dtype: None = None,
        from_sorted_ids: bool = False,
    ) -> None:
        refuse(
            type(self).__name__,
            {"from_sorted_ids": from_sorted_ids},
            {"from_sorted_ids": False},
        )
        super().__init__(name, dtype)
        self.k = require_positive("k", k)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """Tell of each row whether its label is among the k best."""
        labels = labels_of_rows(y_true, y_pred, "TopKCategoricalAccuracy")
        require_classes("y_true", labels, y_pred.shape[-1])
        return are_in_top_k(labels, y_pred, self.k)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        return {**super().get_config(), "k": self.k}


def are_in_top_k(labels: Array, y_pred: Array, k: int) -> Array:
    """Tell of each row of `y_pred`, (..., V), whether fewer than k are above that of the label."""
    of_label = np.take_along_axis(y_pred, labels[..., None], axis=-1)
    # A label whose prediction is NaN is not above any other; the model has failed, not won.
    return np.asarray(((y_pred > of_label).sum(axis=-1) < k) & np.isfinite(of_label[..., 0]))
