"""Binary cross-entropy: mean of `-(t log(p) + (1 - t) log(1 - p))` over the last axis."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from rnnfast.losses.cross_entropy import CrossEntropy, clip
from rnnfast.losses.loss import Weight
from rnnfast.losses.reduction import Array
from rnnfast.utils.hyperparameters import share


class BinaryCrossentropy(CrossEntropy):
    """Cross-entropy of independent yes-or-no predictions.

    Targets, 0 or 1 or a share between, have the shape of the predictions, or the two differ by a
    last axis of length 1.

    Parameters
    ----------
    from_logits : bool, default False
        Whether `y_pred` holds logits rather than probabilities.
    label_smoothing : float, default 0.0
        Share of each target, from 0 to 1, that is moved to one half.
    axis : int, default -1
        The axis that is averaged first; only the last one is supported yet.
    reduction : str or None, default "sum_over_batch_size"
        See `Loss`.
    name : str, default "binary_crossentropy"
        Name of the loss.
    dtype : None
        See `Loss`.
    """

    activation: ClassVar[str] = "sigmoid"

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_crossentropy",
        dtype: None = None,
    ) -> None:
        super().__init__(from_logits, axis, reduction, name, dtype)
        self.label_smoothing = share("label_smoothing", label_smoothing)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal loss."""
        return {**super().get_config(), "label_smoothing": self.label_smoothing}

    def _prepare(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        targets, predictions = super()._prepare(y_true, y_pred)
        if self.label_smoothing:
            targets = targets * (1.0 - self.label_smoothing)
            targets += 0.5 * self.label_smoothing
        return targets, predictions

    def _flaw(self, y_pred: Array) -> str:
        outside = (y_pred < 0) | (y_pred > 1)
        return f"one is {y_pred[outside][0]:.3g}" if outside.any() else ""

    def _of_logits(self, y_true: Array, logits: Array) -> Array:
        return _softplus_loss(y_true, logits, np.exp(-np.abs(logits)))

    def _of_logits_with_gradient(
        self, y_true: Array, logits: Array, weight: Weight
    ) -> tuple[Array, Array]:
        power = np.exp(-np.abs(logits))
        losses = _softplus_loss(y_true, logits, power)
        # sigmoid(z) is 1 / (1 + exp(-z)) = exp(z) / (1 + exp(z)): the one that cannot overflow.
        grad = np.where(logits >= 0, 1.0, power) / (1.0 + power)
        grad -= y_true
        grad *= weight / max(logits.shape[-1], 1)
        return losses, grad.astype(logits.dtype, copy=False)

    def _of_probabilities(self, y_true: Array, y_pred: Array) -> Array:
        clipped = clip(y_pred)
        return _mean(-y_true * np.log(clipped) - (1.0 - y_true) * np.log1p(-clipped))

    def _of_probabilities_with_gradient(
        self, y_true: Array, y_pred: Array, weight: Weight
    ) -> tuple[Array, Array]:
        clipped = clip(y_pred)
        grad = clipped - y_true
        grad /= clipped * (1.0 - clipped)
        grad *= y_pred == clipped
        grad *= weight / max(y_pred.shape[-1], 1)
        return self._of_probabilities(y_true, y_pred), grad


def _softplus_loss(y_true: Array, logits: Array, power: Array) -> Array:
    """Return `log(1 + exp(z)) - t z`, given `exp(-|z|)`, without overflow."""
    return _mean(np.maximum(logits, 0.0) - logits * y_true + np.log1p(power))


def _mean(values: Array) -> Array:
    return np.asarray(values.sum(axis=-1) / max(values.shape[-1], 1))
