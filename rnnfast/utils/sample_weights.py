"""Weights of samples or steps: their axes are the first ones of what they weigh.

Values of shape (B, T) take weights (B,) or (B, 1), one a sample, or (B, T), one a step. Keras
reads weights (B,) beside values (B, B) as those of the steps; here they are the samples'.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def fit_weights(sample_weight: ArrayLike, shape: tuple[int, ...]) -> NDArray[Any]:
    """Give weights the shape of what they weigh.

    Parameters
    ----------
    sample_weight : array_like
        Numbers of at least 0.
    shape : tuple of int
        What is weighed.

    Returns
    -------
    ndarray
        Shape `shape`, a view that may not be written to.

    Raises
    ------
    TypeError
        When they are no numbers.
    ValueError
        When one is negative, NaN or infinite, or their shape does not fit.
    """
    weights = np.asarray(sample_weight)
    if weights.dtype.kind not in "buif":
        raise TypeError(
            f"sample_weight must be an array of numbers, got {type(sample_weight).__name__} of "
            f"dtype {weights.dtype}"
        )
    given = weights.shape
    while weights.ndim > len(shape) and weights.shape[-1] == 1:
        weights = weights[..., 0]
    if len(shape) > weights.ndim:
        weights = weights.reshape(weights.shape + (1,) * (len(shape) - weights.ndim))
    if weights.ndim != len(shape) or any(
        length not in (1, wanted) for length, wanted in zip(weights.shape, shape, strict=True)
    ):
        raise ValueError(
            f"sample_weight must have a weight for each sample, shape {shape[:1]}, or for each "
            f"of the values, shape {shape}, got {given}"
        )
    if weights.dtype.kind in "if":
        refused = ~((weights >= 0) & np.isfinite(weights))  # NaN is among them
        if refused.any():
            raise ValueError(
                f"sample_weight must be finite and at least 0, got {weights[refused][0]!s}"
            )
    return np.broadcast_to(weights, shape)


def weights_of_valid(weights: NDArray[Any], mask: NDArray[np.bool_]) -> NDArray[Any]:
    """Return the weights of what a mask leaves, from one for each sample or step.

    Parameters
    ----------
    weights : ndarray, shape (B,) or more of the mask's axes
        Numbers.
    mask : ndarray of bool, shape (B, T), for example
        False where something is left out.

    Returns
    -------
    ndarray, shape (valid,)
        A weight for each True.
    """
    whole = weights.reshape(weights.shape + (1,) * (mask.ndim - weights.ndim))
    return np.broadcast_to(whole, mask.shape)[mask]
