"""What precision and recall share: which predictions are taken for positive.

Those above a threshold, or the k largest of each row; of all classes, or of one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from rnnfast.metrics.confusion_metric import ConfusionMetric, Counts, ratio
from rnnfast.metrics.mean_metric import Array
from rnnfast.utils.hyperparameters import require_positive, share, whole

_LEAST = -1e10
"""Keras's number for what is not among the largest, and the threshold that it stays below."""


class RetrievalMetric(ConfusionMetric):
    """A share of right positives.

    Parameters
    ----------
    thresholds : float or iterable of float, optional
        From 0 to 1, by default 0.5, with `top_k` none.
    top_k : int, optional
        Take the k largest of each row for positive.
    class_id : int, optional
        Look at this class alone.
    name, dtype
        See `Metric`.
    """

    def __init__(
        self,
        thresholds: float | Iterable[float] | None,
        top_k: int | None,
        class_id: int | None,
        name: str | None,
        dtype: None,
    ) -> None:
        self.top_k = None if top_k is None else require_positive("top_k", top_k)
        self.class_id = None if class_id is None else whole("class_id", class_id)
        self._given: list[float] | None = None
        if thresholds is not None:
            several = thresholds if isinstance(thresholds, Iterable) else [thresholds]
            self._given = [share("thresholds", threshold) for threshold in several]
            if not self._given:
                raise ValueError("thresholds must hold at least one, got none")
        chosen = self._given or [0.5 if top_k is None else _LEAST]
        super().__init__(chosen, name, dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        return {
            "thresholds": self._given,
            "top_k": self.top_k,
            "class_id": self.class_id,
            **super().get_config(),
        }

    def _share_of_positives(self, others: Counts) -> float | Any:
        """Return right positives over them and `others`, an array for several thresholds."""
        shares = ratio(self.true_positives, self.true_positives + others)
        return float(shares[0]) if len(shares) == 1 else shares

    def _select(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        for name, value in (("top_k", self.top_k), ("class_id", self.class_id)):
            if value is not None and y_pred.ndim < 2:
                raise ValueError(
                    f"{name} is of classes, the last axis of y_pred, which has one axis alone, "
                    f"shape {y_pred.shape}"
                )
        if self.top_k is not None:
            largest = np.argsort(-y_pred, axis=-1, kind="stable")[..., : self.top_k]
            kept = np.full_like(y_pred, _LEAST)
            np.put_along_axis(kept, largest, np.take_along_axis(y_pred, largest, -1), -1)
            y_pred = kept
        if self.class_id is None:
            return y_true, y_pred
        classes = y_pred.shape[-1]
        if not 0 <= self.class_id < classes:
            raise ValueError(
                f"class_id must be from 0 to {classes - 1}, y_pred having {classes} classes, got "
                f"{self.class_id}"
            )
        return y_true[..., self.class_id], y_pred[..., self.class_id]
