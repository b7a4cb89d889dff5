"""Recall: `tp / (tp + fn)`, the share of targets 1 that are predicted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rnnfast.metrics.retrieval_metric import RetrievalMetric


class Recall(RetrievalMetric):
    """Share of right ones among those that are positive, Keras's `Recall`.

    Targets are 0 or 1, of the shape of the predictions.

    Parameters
    ----------
    thresholds : float or iterable of float, optional
        A prediction above it, from 0 to 1, is taken for 1; with several the result is an array.
        By default 0.5, and none where `top_k` is given.
    top_k : int, optional
        Take only the k largest predictions of each row for 1.
    class_id : int, optional
        Look at this class alone, a place along the last axis.
    name : str, optional
        By default the name of the class in snake case, numbered.
    dtype : None
        See `Metric`.
    """

    direction = "max"

    def __init__(
        self,
        thresholds: float | Iterable[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: None = None,
    ) -> None:
        super().__init__(thresholds, top_k, class_id, name, dtype)

    def result(self) -> float | Any:
        """Return the share, an array for several thresholds; 0 where there is none to share."""
        return self._share_of_positives(self.false_negatives)
