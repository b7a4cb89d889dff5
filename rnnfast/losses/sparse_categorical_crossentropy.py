"""Sparse categorical cross-entropy: `-log(p[label])`, for targets given as class numbers.

Probabilities are first divided by their sum, as Keras does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnfast.losses.cross_entropy import CrossEntropy, clip, exponentials
from rnnfast.losses.loss import Array
from rnnfast.utils.labels import labels_of_rows
from rnnfast.utils.options import refuse


class SparseCategoricalCrossentropy(CrossEntropy):
    """Cross-entropy with class numbers for labels.

    With predictions `(..., V)`, labels are whole numbers from 0 to V - 1 of shape `(...)` or
    `(..., 1)`, of an integer or a floating-point type.

    Parameters
    ----------
    from_logits : bool, default False
        Whether `y_pred` holds logits rather than probabilities.
    ignore_class : None
        Not supported yet.
    reduction : {"sum_over_batch_size", "mean", "sum"}, default "sum_over_batch_size"
        See `Loss`.
    axis : int, default -1
        The axis of the classes; only the last one is supported yet.
    name : str, default "sparse_categorical_crossentropy"
        Name of the loss.
    dtype : None
        See `Loss`.
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
        dtype: None = None,
    ) -> None:
        refuse(type(self).__name__, {"ignore_class": ignore_class}, {"ignore_class": None})
        super().__init__(from_logits, axis, reduction, name, dtype)

    def _prepare(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        labels = labels_of_rows(y_true, y_pred, "CategoricalCrossentropy")
        classes = y_pred.shape[-1]
        if labels.size and (labels.min() < 0 or labels.max() >= classes):
            raise ValueError(
                f"y_true must be labels from 0 to {classes - 1}, y_pred having {classes} classes, "
                f"got {labels.min()} to {labels.max()}"
            )
        return labels, y_pred

    def _of_logits(self, y_true: Array, logits: Array) -> Array:
        _, _, log_total = exponentials(logits)
        return np.asarray(log_total[..., 0] - logits[_at(y_true)])

    def _of_logits_with_gradient(
        self, y_true: Array, logits: Array, weight: float
    ) -> tuple[Array, Array]:
        chosen = _at(y_true)
        softmax, total, log_total = exponentials(logits)
        losses = np.asarray(log_total[..., 0] - logits[chosen])
        softmax *= weight / total
        softmax[chosen] -= weight
        return losses, softmax

    def _of_probabilities(self, y_true: Array, y_pred: Array) -> Array:
        return np.asarray(-np.log(clip(y_pred[_at(y_true)] / y_pred.sum(axis=-1))))

    def _of_probabilities_with_gradient(
        self, y_true: Array, y_pred: Array, weight: float
    ) -> tuple[Array, Array]:
        chosen = _at(y_true)
        total = y_pred.sum(axis=-1)
        share = y_pred[chosen] / total
        clipped = clip(share)
        inside = weight * (share == clipped)
        grad = np.empty_like(y_pred)
        grad[...] = (inside / total)[..., None]
        grad[chosen] -= inside / (clipped * total)
        return np.asarray(-np.log(clipped)), grad


def _at(labels: Array) -> tuple[Any, ...]:
    """Return the index that picks each row's label out of the last axis."""
    return (*np.indices(labels.shape, sparse=True), labels)
