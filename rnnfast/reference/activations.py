"""Activations that neither overflow nor stop a complex step, by the names of ONNX and Keras.

A function taken at ``z + ih`` returns its derivative in the imaginary part only where it is
analytic around ``z``; relu is analytic on either side of zero, so its branch is chosen by the
real part alone, as are all others here (Martins, Sturdza and Alonso, "The complex-step derivative
approximation", 2003).

Source: the operators RNN, GRU and LSTM of ONNX (activations, activation_alpha, activation_beta,
clip); Keras for linear, relu6, hard_tanh, selu and exponential.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["chosen", "relu", "sigmoid", "tanh"]

Array = NDArray[Any]
Activation: TypeAlias = str | tuple[Any, ...]


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


def chosen(
    activations: Activation | Sequence[Activation] | None,
    usual: tuple[str, ...],
    clip: float | None = None,
) -> list[Callable[[Array], Array]]:
    """Return the activations of a cell as functions.

    Parameters
    ----------
    activations : sequence of str or tuple, optional
        Names, or names with alpha and beta; a name may stand alone for one. When absent, `usual`.
    usual : tuple of str
        The cell's own.
    clip : float, optional
        Bound of their arguments.

    Returns
    -------
    list of callable
        One for each name.

    Raises
    ------
    KeyError
        If a name is unknown.
    """
    given = usual if activations is None else activations
    if isinstance(given, str) or (len(usual) == 1 and isinstance(given[0], str)):
        given = (given,) if isinstance(given, str) or len(given) > 1 else given
    return [_function(one, clip) for one in given]


def _function(given: Activation, clip: float | None) -> Callable[[Array], Array]:
    name, *numbers = (given,) if isinstance(given, str) else given
    function = _FUNCTIONS[name.lower().replace("_", "")]

    def value(z: Array) -> Array:
        return function(z if clip is None else _within(z, -clip, clip), *numbers)

    return value


def _within(z: Array, low: float, high: float) -> Array:
    """Bounded; a constant past the bounds."""
    return np.where(z.real < low, low, np.where(z.real > high, high, z)).astype(z.dtype)


def _hard_sigmoid(z: Array, alpha: float = 0.2, beta: float = 0.5) -> Array:
    return _within(alpha * z + beta, 0, 1)


def _elu(z: Array, alpha: float = 1.0) -> Array:
    below = _where_negative(z)
    return np.where(z.real > 0, z, alpha * np.expm1(below)).astype(z.dtype)


def _selu(z: Array) -> Array:
    result: Array = 1.0507009873554805 * _elu(z, 1.6732632423543772)
    return result


def _softplus(z: Array) -> Array:
    decay = np.exp(np.where(z.real > 0, -z, z))
    result: Array = np.where(z.real > 0, z, np.zeros_like(z)) + np.log1p(decay)
    return result


def _softsign(z: Array) -> Array:
    endless = np.isinf(z.real)
    finite = np.where(endless, np.zeros_like(z), z)
    result: Array = finite / (1 + np.where(finite.real < 0, -finite, finite))
    return np.where(endless, np.sign(z.real), result)


def _where_negative(z: Array) -> Array:
    """Return z, or zero where it is positive, so that no exponential overflows."""
    return np.where(z.real > 0, np.zeros_like(z), z)


_FUNCTIONS: dict[str, Callable[..., Array]] = {
    "relu": relu,
    "sigmoid": sigmoid,
    "tanh": tanh,
    "affine": lambda z, alpha=1.0, beta=0.0: alpha * z + beta,
    "leakyrelu": lambda z, alpha=0.01: np.where(z.real >= 0, z, alpha * z),
    "thresholdedrelu": lambda z, alpha=1.0: np.where(z.real < alpha, np.zeros_like(z), z),
    "scaledtanh": lambda z, alpha=1.0, beta=1.0: alpha * np.tanh(beta * z),
    "hardsigmoid": _hard_sigmoid,
    "elu": _elu,
    "softsign": _softsign,
    "softplus": _softplus,
    "linear": lambda z: z,
    "relu6": lambda z: _within(z, 0, 6),
    "hardtanh": lambda z: _within(z, -1, 1),
    "selu": _selu,
    "exponential": np.exp,
}
