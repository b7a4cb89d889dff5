"""Mean absolute error: `mean(abs(y_true - y_pred))` over the last axis.

The gradient is the sign of the difference over the length of that axis, 0 where there is none.
"""

from __future__ import annotations

import numpy as np

from rnnfast.losses.loss import Loss, Weight
from rnnfast.losses.reduction import Array


class MeanAbsoluteError(Loss):
    """Mean of the absolute differences, Keras's `MeanAbsoluteError`.

    Targets have the shape of the predictions, or the two differ by a last axis of length 1.

    Parameters
    ----------
    reduction : str or None, default "sum_over_batch_size"
        See `Loss`.
    name : str, default "mean_absolute_error"
        Name of the loss.
    dtype : None
        See `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_absolute_error",
        dtype: None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Compute the mean absolute difference of each sample; see `Loss.call`."""
        return _mean(np.abs(y_pred - y_true))

    def call_with_gradient(
        self, y_true: Array, y_pred: Array, weight: Weight
    ) -> tuple[Array, Array]:
        """Compute losses and gradient; see `Loss.call_with_gradient`."""
        difference = y_pred - y_true
        losses = _mean(np.abs(difference))
        grad = np.sign(difference, out=difference)
        grad *= weight / max(y_pred.shape[-1], 1)
        return losses, grad


def _mean(values: Array) -> Array:
    return np.asarray(values.sum(axis=-1) / max(values.shape[-1], 1))
