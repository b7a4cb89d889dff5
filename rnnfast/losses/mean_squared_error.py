"""Mean squared error: `mean((y_true - y_pred)**2)` over the last axis."""

from __future__ import annotations

import numpy as np

from rnnfast.losses.loss import Loss, Weight
from rnnfast.losses.reduction import Array


class MeanSquaredError(Loss):
    """Mean of the squared differences, Keras's `MeanSquaredError`.

    Targets have the shape of the predictions, or the two differ by a last axis of length 1.

    Parameters
    ----------
    reduction : str or None, default "sum_over_batch_size"
        See `Loss`.
    name : str, default "mean_squared_error"
        Name of the loss.
    dtype : None
        See `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_squared_error",
        dtype: None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Compute the mean squared difference of each sample; see `Loss.call`."""
        return _mean_square(y_pred - y_true)

    def call_with_gradient(
        self, y_true: Array, y_pred: Array, weight: Weight
    ) -> tuple[Array, Array]:
        """Compute losses and gradient; see `Loss.call_with_gradient`."""
        difference = y_pred - y_true
        losses = _mean_square(difference)
        difference *= 2.0 * weight / max(y_pred.shape[-1], 1)
        return losses, difference


def _mean_square(difference: Array) -> Array:
    squares = np.einsum("...i,...i->...", difference, difference)
    return np.asarray(squares / max(difference.shape[-1], 1))
