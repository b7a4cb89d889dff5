"""Huber loss: squared where the difference d is small, absolute where it is not.

    c = min(abs(d), delta)
    loss = mean(c * (abs(d) - c / 2))          over the last axis
    dloss/dd = clip(d, -delta, delta) / V

which is d**2 / 2 up to delta and delta * (abs(d) - delta / 2) beyond (Huber 1964).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnfast.losses.loss import Loss, Weight
from rnnfast.losses.reduction import Array
from rnnfast.utils.hyperparameters import above_zero


class Huber(Loss):
    """Loss of differences that outliers pull at no more than others, Keras's `Huber`.

    Targets have the shape of the predictions, or the two differ by a last axis of length 1.

    Parameters
    ----------
    delta : float, default 1.0
        Above 0; the difference from which on the loss is linear.
    reduction : str or None, default "sum_over_batch_size"
        See `Loss`.
    name : str, default "huber_loss"
        Name of the loss.
    dtype : None
        See `Loss`.
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "huber_loss",
        dtype: None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.delta = above_zero("delta", delta)

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Compute the loss of each sample; see `Loss.call`."""
        return self._of(y_pred - y_true)

    def call_with_gradient(
        self, y_true: Array, y_pred: Array, weight: Weight
    ) -> tuple[Array, Array]:
        """Compute losses and gradient; see `Loss.call_with_gradient`."""
        difference = y_pred - y_true
        losses = self._of(difference)
        grad = np.clip(difference, -self.delta, self.delta, out=difference)
        grad *= weight / max(y_pred.shape[-1], 1)
        return losses, grad

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal loss."""
        return {**super().get_config(), "delta": self.delta}

    def _of(self, difference: Array) -> Array:
        size = np.abs(difference)
        capped = np.minimum(size, self.delta)
        values = capped * (size - 0.5 * capped)
        return np.asarray(values.sum(axis=-1) / max(values.shape[-1], 1))
