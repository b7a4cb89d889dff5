"""Keras's rule for targets and predictions whose ranks differ by one axis of length 1."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray


def match_ranks(y_true: NDArray[Any], y_pred: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Give both arrays the same rank, as Keras's `squeeze_or_expand_to_same_rank` does.

    Parameters
    ----------
    y_true, y_pred : ndarray
        Targets and predictions.

    Returns
    -------
    y_true, y_pred : ndarray
        Views. Of two shapes `(N,)` and `(N, 1)` the first becomes `(N, 1)`; of `(N, T)` and
        `(N, T, 1)` the second becomes `(N, T)`. Other shapes are left as they are.
    """
    if y_pred.ndim == y_true.ndim + 1 and y_pred.shape[-1] == 1:
        return (y_true[:, None], y_pred) if y_true.ndim == 1 else (y_true, y_pred[..., 0])
    if y_true.ndim == y_pred.ndim + 1 and y_true.shape[-1] == 1:
        return (y_true, y_pred[:, None]) if y_pred.ndim == 1 else (y_true[..., 0], y_pred)
    return y_true, y_pred
