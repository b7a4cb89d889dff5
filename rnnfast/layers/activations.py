"""Element-wise activations of `Dense`, and softmax over the last axis.

Each gradient is written in the output y alone, so that nothing else need be kept:

    linear   y = z                     dz = dy
    relu     y = max(z, 0)             dz = dy where y > 0
    sigmoid  y = 1 / (1 + exp(-z))     dz = dy * y * (1 - y)
    tanh     y = tanh(z)               dz = dy * (1 - y**2)
    softmax  y = exp(z) / sum exp(z)   dz = y * (dy - sum(dy * y))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Activation(NamedTuple):
    """An activation by name, with its gradient from the output."""

    name: str
    forward: Callable[[Array], Array]
    backward: Callable[[Array, Array], Array]


def _linear(z: Array) -> Array:
    return z


def _linear_backward(dy: Array, y: Array) -> Array:
    return dy


def _relu(z: Array) -> Array:
    y: Array = np.maximum(z, 0)
    return y


def _relu_backward(dy: Array, y: Array) -> Array:
    dz: Array = dy * (y > 0)
    return dz


def _sigmoid(z: Array) -> Array:
    # No exponent is positive, so nothing overflows, and the far negative tail stays exact.
    y: Array = np.exp(np.minimum(z, 0)) / (1 + np.exp(-np.abs(z)))
    return y


def _sigmoid_backward(dy: Array, y: Array) -> Array:
    dz: Array = dy * y * (1 - y)
    return dz


def _tanh(z: Array) -> Array:
    y: Array = np.tanh(z)
    return y


def _tanh_backward(dy: Array, y: Array) -> Array:
    dz: Array = dy * (1 - y * y)
    return dz


def _softmax(z: Array) -> Array:
    y: Array = np.exp(z - z.max(axis=-1, keepdims=True))
    y /= y.sum(axis=-1, keepdims=True)
    return y


def _softmax_backward(dy: Array, y: Array) -> Array:
    dz: Array = y * (dy - (dy * y).sum(axis=-1, keepdims=True))
    return dz


_BY_NAME = {
    "linear": Activation("linear", _linear, _linear_backward),
    "relu": Activation("relu", _relu, _relu_backward),
    "sigmoid": Activation("sigmoid", _sigmoid, _sigmoid_backward),
    "tanh": Activation("tanh", _tanh, _tanh_backward),
    "softmax": Activation("softmax", _softmax, _softmax_backward),
}


def get(name: object) -> Activation:
    """Find an activation by Keras's name; None is "linear".

    Raises
    ------
    ValueError
        When there is none of that name.
    """
    key = "linear" if name is None else name
    if not isinstance(key, str) or key not in _BY_NAME:
        raise ValueError(f"activation must be None or one of {list(_BY_NAME)}, got {name!r}")
    return _BY_NAME[key]
