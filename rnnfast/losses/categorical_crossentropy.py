"""Categorical cross-entropy: `-sum(t * log(p))` over the classes, for targets t given as rows.

Probabilities are first divided by their sum, as Keras does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnfast.losses.cross_entropy import CrossEntropy, clip, exponentials
from rnnfast.losses.loss import Weight
from rnnfast.losses.reduction import Array
from rnnfast.utils.hyperparameters import share
from rnnfast.utils.labels import require_rows


class CategoricalCrossentropy(CrossEntropy):
    """Cross-entropy with one-hot targets, or any distribution, of the shape of the predictions.

    Parameters
    ----------
    from_logits : bool, default False
        Whether `y_pred` holds logits rather than probabilities.
    label_smoothing : float, default 0.0
        Share of each target, from 0 to 1, that is spread evenly over the classes.
    axis : int, default -1
        The axis of the classes; only the last one is supported yet.
    reduction : str or None, default "sum_over_batch_size"
        See `Loss`.
    name : str, default "categorical_crossentropy"
        Name of the loss.
    dtype : None
        See `Loss`.
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
        dtype: None = None,
    ) -> None:
        super().__init__(from_logits, axis, reduction, name, dtype)
        self.label_smoothing = share("label_smoothing", label_smoothing)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal loss."""
        return {**super().get_config(), "label_smoothing": self.label_smoothing}

    def _prepare(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        require_rows(y_true, y_pred, "SparseCategoricalCrossentropy")
        targets, predictions = super()._prepare(y_true, y_pred)
        if self.label_smoothing:
            targets = targets * (1.0 - self.label_smoothing)
            targets += self.label_smoothing / targets.shape[-1]
        return targets, predictions

    def _of_logits(self, y_true: Array, logits: Array) -> Array:
        _, _, log_total = exponentials(logits)
        return _dot(y_true, log_total - logits)

    def _of_logits_with_gradient(
        self, y_true: Array, logits: Array, weight: Weight
    ) -> tuple[Array, Array]:
        softmax, total, log_total = exponentials(logits)
        losses = _dot(y_true, log_total - logits)
        softmax *= weight * y_true.sum(axis=-1, keepdims=True) / total
        softmax -= weight * y_true
        return losses, softmax

    def _of_probabilities(self, y_true: Array, y_pred: Array) -> Array:
        share = y_pred / y_pred.sum(axis=-1, keepdims=True)
        return -_dot(y_true, np.log(clip(share)))

    def _of_probabilities_with_gradient(
        self, y_true: Array, y_pred: Array, weight: Weight
    ) -> tuple[Array, Array]:
        total = y_pred.sum(axis=-1, keepdims=True)
        share = y_pred / total
        clipped = clip(share)
        losses = -_dot(y_true, np.log(clipped))
        # Through the logarithm, the clipping and the division by the sum.
        grad = y_true / clipped
        grad *= -weight
        grad *= share == clipped
        grad -= _dot(grad, share)[..., None]
        grad /= total
        return losses, grad


def _dot(a: Array, b: Array) -> Array:
    return np.asarray(np.einsum("...i,...i->...", a, b))
