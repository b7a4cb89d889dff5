"""Initializers that draw nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from rnnfast.initializers.initializer import Initializer


class Constant(Initializer):
    """Every value is `value`.

    Parameters
    ----------
    value : float, default 0.0
        The value.
    """

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def __call__(self, shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """Return an array full of the value."""
        return np.full(shape, self.value, dtype)


class Zeros(Constant):
    """Every value is 0."""

    def __init__(self) -> None:
        super().__init__(0.0)


class Ones(Constant):
    """Every value is 1."""

    def __init__(self) -> None:
        super().__init__(1.0)


class Identity(Initializer):
    """`gain` on the diagonal of a matrix, 0 elsewhere.

    Parameters
    ----------
    gain : float, default 1.0
        The diagonal.

    Raises
    ------
    ValueError
        When called for a shape that is not 2-D.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """Return the scaled identity matrix."""
        if len(shape) != 2:
            raise ValueError(f"Identity makes 2-D weights only, got shape {tuple(shape)}")
        return np.asarray(self.gain * np.eye(*shape), dtype)


class Values(Initializer):
    """The given array itself: what an array passed for an initializer stands for.

    Parameters
    ----------
    values : ndarray
        The values; the weight must have their shape.

    Raises
    ------
    ValueError
        When called for another shape.
    """

    def __init__(self, values: NDArray[Any]) -> None:
        self.values = np.array(values)

    def get_config(self) -> dict[str, Any]:
        """Give the values, as JSON can hold them."""
        return {"values": self.values.tolist()}

    def __call__(self, shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """Return a copy of the values."""
        if tuple(shape) != self.values.shape:
            raise ValueError(
                f"an array of shape {self.values.shape} was given as initializer "
                f"of a weight of shape {tuple(shape)}"
            )
        return self.values.astype(dtype)
