"""Sigmoid, tanh and relu that neither overflow nor stop a complex step.

A function taken at ``z + ih`` returns its derivative in the imaginary part only where it is
analytic around ``z``; relu is analytic on either side of zero, so its branch is chosen by the
real part alone (Martins, Sturdza and Alonso, "The complex-step derivative approximation", 2003).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ACTIVATIONS", "relu", "sigmoid", "tanh"]

Array = NDArray[Any]


def sigmoid(z: Array) -> Array:
    """Logistic function ``1 / (1 + exp(-z))``.

    The exponent's real part is kept at or below zero, so that large arguments of either sign
    saturate instead of overflowing, and the far negative tail keeps its relative accuracy.

    Parameters
    ----------
    z : ndarray
        Real or complex, any shape.

    Returns
    -------
    ndarray
        Same shape and type.
    """
    positive = z.real >= 0
    decay = np.exp(np.where(positive, -z, z))
    result: Array = np.where(positive, np.ones_like(z), decay) / (1 + decay)
    return result


def tanh(z: Array) -> Array:
    """Hyperbolic tangent; NumPy's saturates for real and complex arguments alike.

    Parameters
    ----------
    z : ndarray
        Real or complex, any shape.

    Returns
    -------
    ndarray
        Same shape and type.
    """
    result: Array = np.tanh(z)
    return result


def relu(z: Array) -> Array:
    """Rectifier ``max(0, z)`` with derivative 0 at 0, as in PyTorch; NaN stays NaN.

    Parameters
    ----------
    z : ndarray
        Real or complex, any shape.

    Returns
    -------
    ndarray
        Same shape and type.
    """
    return np.where(z.real <= 0, np.zeros_like(z), z)


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {"relu": relu, "sigmoid": sigmoid, "tanh": tanh}
