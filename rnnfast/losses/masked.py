"""What remains of predictions and what goes with them, where a mask is False."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rnnfast.losses.reduction import Array
from rnnfast.utils.sample_weights import weights_of_valid


def without_masked(
    y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None, mask: Array
) -> tuple[Array, Array, Array | None]:
    """Return targets, predictions and weights of what a mask leaves.

    Parameters
    ----------
    y_true, y_pred, sample_weight : array_like
        As a loss takes them.
    mask : ndarray of bool
        Of the first axes of `y_pred`.

    Returns
    -------
    y_true, y_pred : ndarray, shape (valid, ...)
        Targets and predictions.
    sample_weight : ndarray, shape (valid,), or None
        One for each of them.

    Raises
    ------
    ValueError
        When there is not a target for each value of the mask.
    """
    targets = np.asarray(y_true)
    if targets.shape[: mask.ndim] != mask.shape:
        raise ValueError(
            f"y_pred is masked, so that y_true must have a target for each of the steps "
            f"{mask.shape}, got {targets.shape}"
        )
    weights = None
    if sample_weight is not None:
        weights = weights_of_valid(np.asarray(sample_weight), mask)
    return targets[mask], np.asarray(y_pred)[mask], weights
