"""Sparse categorical cross-entropy: `-log(p[label])`, for targets given as class numbers.

Probabilities are first divided by their sum, as Keras does. Samples of the class that is ignored
have the weight 0, and a mean is over the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnfast.losses.cross_entropy import CrossEntropy, clip, exponentials
from rnnfast.losses.loss import Weight
from rnnfast.losses.reduction import Array
from rnnfast.utils.hyperparameters import whole
from rnnfast.utils.labels import labels_of_rows, require_classes


class SparseCategoricalCrossentropy(CrossEntropy):
    """Cross-entropy with class numbers for labels.

    With predictions `(..., V)`, labels are whole numbers from 0 to V - 1 of shape `(...)` or
    `(..., 1)`, of an integer or a floating-point type.

    Parameters
    ----------
    from_logits : bool, default False
        Whether `y_pred` holds logits rather than probabilities.
    ignore_class : int, optional
        A label, of a class or none such as -1, whose samples do not count.
    reduction : str or None, default "sum_over_batch_size"
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
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
        dtype: None = None,
    ) -> None:
        super().__init__(from_logits, axis, reduction, name, dtype)
        self.ignore_class = None if ignore_class is None else whole("ignore_class", ignore_class)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal loss."""
        return {**super().get_config(), "ignore_class": self.ignore_class}

    def _prepare(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        labels = labels_of_rows(y_true, y_pred, "CategoricalCrossentropy")
        counted = self._counted(labels)
        require_classes("y_true", labels if counted is None else labels[counted], y_pred.shape[-1])
        return labels, y_pred

    def _counted(self, y_true: Array) -> Array | None:
        return None if self.ignore_class is None else y_true != self.ignore_class

    def _of_logits(self, y_true: Array, logits: Array) -> Array:
        _, _, log_total = exponentials(logits)
        return np.asarray(log_total[..., 0] - logits[self._at(y_true)])

    def _of_logits_with_gradient(
        self, y_true: Array, logits: Array, weight: Weight
    ) -> tuple[Array, Array]:
        chosen = self._at(y_true)
        softmax, total, log_total = exponentials(logits)
        losses = np.asarray(log_total[..., 0] - logits[chosen])
        softmax *= weight / total
        softmax[chosen] -= _of_rows(weight)
        return losses, softmax

    def _of_probabilities(self, y_true: Array, y_pred: Array) -> Array:
        return np.asarray(-np.log(clip(y_pred[self._at(y_true)] / y_pred.sum(axis=-1))))

    def _of_probabilities_with_gradient(
        self, y_true: Array, y_pred: Array, weight: Weight
    ) -> tuple[Array, Array]:
        chosen = self._at(y_true)
        total = y_pred.sum(axis=-1)
        share = y_pred[chosen] / total
        clipped = clip(share)
        inside = _of_rows(weight) * (share == clipped)
        grad = np.empty_like(y_pred)
        grad[...] = (inside / total)[..., None]
        grad[chosen] -= inside / (clipped * total)
        return np.asarray(-np.log(clipped)), grad

    def _at(self, labels: Array) -> tuple[Any, ...]:
        """Return the index that picks each row's label out of the last axis."""
        counted = self._counted(labels)
        chosen = labels if counted is None else labels * counted
        return (*np.indices(labels.shape, sparse=True), chosen)


def _of_rows(weight: Weight) -> Weight:
    return weight if isinstance(weight, float) else weight[..., 0]
