"""Samples and weights are arrays of numbers: text and objects are not cast."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_HINTS = {
    "U": "; np.unique(labels, return_inverse=True)[1] numbers classes, utils.Tokenizer words",
    "O": "; columns that are no numbers must be left out or encoded",
}


def as_numbers(name: str, value: object) -> NDArray[Any]:
    """Make an array of samples.

    Parameters
    ----------
    name : str
        The argument, for messages.
    value : array_like
        Samples along the first axis.

    Raises
    ------
    TypeError
        When it is no array of numbers.
    ValueError
        When it has no axis, or parts of several shapes.
    """
    array = as_numbers_of_any_rank(name, value)
    if array.ndim == 0:
        raise ValueError(f"{name} must have its samples along a first axis, got a single number")
    return array


def as_numbers_of_any_rank(name: str, value: object) -> NDArray[Any]:
    """Make an array of numbers, or of a single one; errors as from `as_numbers`."""
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(
            f"{name} must be an array, or arrays of one shape, but for the lengths of sequences: "
            f"{error}"
        ) from None
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"{name} must be an array of numbers, got {type(value).__name__} of dtype "
            f"{array.dtype}{_HINTS.get(array.dtype.kind, '')}"
        )
    return array
