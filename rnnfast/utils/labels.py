"""Class numbers: integers, or floating-point numbers that are whole, as Keras takes them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def require_numbers(name: str, values: NDArray[Any]) -> None:
    """Raise TypeError when an array holds no real numbers, names of classes for example."""
    if values.dtype.kind in "buif":
        return
    names = values.dtype.kind in "UST" or any(isinstance(value, str) for value in values.flat)
    raise TypeError(
        f"{name} must hold numbers, got dtype {values.dtype}"
        + (f"; number the names, as np.unique({name}, return_inverse=True)[1] does" * names)
    )


def class_numbers(name: str, labels: NDArray[Any]) -> NDArray[np.int64]:
    """Return class numbers as integers.

    Parameters
    ----------
    name : str
        The argument, for messages.
    labels : ndarray
        Of any shape.

    Raises
    ------
    TypeError
        When they are no numbers.
    ValueError
        When one is not whole.
    """
    require_numbers(name, labels)
    if labels.dtype.kind == "f":
        wide = labels.astype(np.float64)
        fractions = ~((np.floor(wide) == wide) & (np.abs(wide) < 2.0**63))  # NaN is among them
        if fractions.any():
            raise ValueError(
                f"{name} must be class numbers, which are whole, got {labels[fractions][0]!s} of "
                f"{labels.dtype}"
            )
    return labels.astype(np.int64, copy=False)


def labels_of_rows(
    y_true: NDArray[Any], y_pred: NDArray[Any], of_one_hot: str
) -> NDArray[np.int64]:
    """Return a class number for each row of predictions (..., V), from labels (...) or (..., 1).

    `of_one_hot` is what takes one-hot targets instead.

    Raises
    ------
    TypeError, ValueError
        As `class_numbers`; ValueError when there is not one for each row.
    """
    labels = y_true
    if labels.ndim == y_pred.ndim and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if labels.shape != y_pred.shape[:-1]:
        one_hot = y_true.shape == y_pred.shape
        raise ValueError(
            f"y_true must be labels of shape {y_pred.shape[:-1]}, one for each row of y_pred "
            f"{y_pred.shape}, got {y_true.shape}"
            + (f"; for one-hot targets use {of_one_hot}" if one_hot else "")
        )
    return class_numbers("y_true", labels)


def require_classes(name: str, labels: NDArray[np.int64], classes: int) -> None:
    """Raise ValueError when a label does not lie in `0 <= label < classes`."""
    if labels.size and (labels.min() < 0 or labels.max() >= classes):
        raise ValueError(
            f"{name} must be labels from 0 to {classes - 1}, y_pred having {classes} classes, "
            f"got {labels.min()} to {labels.max()}"
        )


def require_rows(y_true: NDArray[Any], y_pred: NDArray[Any], of_labels: str) -> None:
    """Raise ValueError when targets are no rows beside those of the predictions (..., V).

    `of_labels` is what takes class numbers instead.
    """
    if y_true.shape != y_pred.shape:
        raise ValueError(
            f"y_true must be one-hot, of the shape of y_pred, {y_pred.shape}, got "
            f"{y_true.shape}; for integer labels use {of_labels}"
        )
