"""One-hot encoding of class numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnfast.utils.hyperparameters import require_positive
from rnnfast.utils.labels import class_numbers


def to_categorical(x: ArrayLike, num_classes: int | None = None) -> NDArray[np.float64]:
    """Turn class numbers into one-hot rows, as `keras.utils.to_categorical` does.

    Parameters
    ----------
    x : array_like of int
        Classes from 0 to `num_classes - 1`, of any shape; a last axis of length 1 is dropped.
    num_classes : int, optional
        Length of a row; by default the largest class plus one.

    Returns
    -------
    ndarray of float64
        Shape `x.shape + (num_classes,)`, ones at the classes.

    Raises
    ------
    TypeError
        When `x` holds no numbers.
    ValueError
        When a class is not whole or lies outside `0 <= x < num_classes`, `num_classes` is not a
        positive integer, or `x` is empty and it is not given.
    """
    classes = class_numbers("x", np.asarray(x))
    if classes.ndim > 1 and classes.shape[-1] == 1:
        classes = classes[..., 0]
    if num_classes is None:
        if classes.size == 0:
            raise ValueError("num_classes must be given when x is empty")
        num_classes = int(classes.max()) + 1
    num_classes = require_positive("num_classes", num_classes)
    if classes.size and (classes.min() < 0 or classes.max() >= num_classes):
        raise ValueError(
            f"x must hold classes from 0 to num_classes - 1 = {num_classes - 1}, "
            f"got {classes.min()} to {classes.max()}"
        )
    one_hot = np.zeros((*classes.shape, num_classes))
    np.put_along_axis(one_hot, classes[..., None], 1.0, axis=-1)
    return one_hot
