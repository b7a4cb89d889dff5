"""Element-wise activations of `Dense` and `Activation`, and softmax over the last axis.

Gradients are written in the output y, so that nothing else need be kept; silu alone, which takes
some values twice, keeps its input. As in Keras, with a = 1.6733 and l = 1.0507 (Klambauer et al.,
2017):

    linear        y = z                             dz = dy
    relu          y = max(z, 0)                     dz = dy where y > 0
    leaky_relu    y = z where z > 0, else 0.2 z     dz = dy where y > 0, else 0.2 dy
    elu           y = z where z > 0, else e^z - 1   dz = dy where y > 0, else dy * (y + 1)
    selu          y = l z, else l a (e^z - 1)       dz = l dy where y > 0, else dy * (y + l a)
    softplus      y = log(1 + e^z)                  dz = dy * (1 - e^-y)
    softsign      y = z / (1 + |z|)                 dz = dy * (1 - |y|)**2
    exponential   y = e^z                           dz = dy * y
    sigmoid       y = s(z) = 1 / (1 + e^-z)         dz = dy * y * (1 - y)
    hard_sigmoid  y = z / 6 + 1/2 within [0, 1]     dz = dy / 6 where 0 < y < 1
    tanh          y = tanh(z)                       dz = dy * (1 - y**2)
    silu          y = z s(z)                        dz = dy * s(z) * (1 + z * (1 - s(z)))
    softmax       y = e^z / sum e^z                 dz = y * (dy - sum(dy * y))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnnfast._check.spelling import meant

Array = NDArray[Any]
_Forward = Callable[[Array], Array]
_Backward = Callable[[Array, Array], Array]

_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
_LEAKY_SLOPE = 0.2


class Activation(NamedTuple):
    """An activation by name; `vjp` gives y, and what takes dy to dz."""

    name: str
    forward: _Forward
    vjp: Callable[[Array], tuple[Array, Callable[[Array], Array]]]

    def __reduce__(self) -> tuple[Callable[[object], Activation], tuple[str]]:
        """Be pickled, and copied, by name."""
        return get, (self.name,)


def _of_output(name: str, forward: _Forward, backward: _Backward) -> Activation:
    """Make an activation whose backward takes dy and y."""

    def vjp(z: Array) -> tuple[Array, Callable[[Array], Array]]:
        y = forward(z)
        return y, lambda dy: backward(dy, y)

    return Activation(name, forward, vjp)


def _of_input(name: str, forward: _Forward, backward: _Backward) -> Activation:
    """Make an activation whose backward takes dy and z."""

    def vjp(z: Array) -> tuple[Array, Callable[[Array], Array]]:
        return forward(z), lambda dy: backward(dy, z)

    return Activation(name, forward, vjp)


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


def _leaky_relu(z: Array) -> Array:
    y: Array = np.where(z > 0, z, _LEAKY_SLOPE * z)
    return y


def _leaky_relu_backward(dy: Array, y: Array) -> Array:
    dz: Array = np.where(y > 0, dy, _LEAKY_SLOPE * dy)
    return dz


def _elu(z: Array) -> Array:
    y: Array = np.where(z > 0, z, np.expm1(np.minimum(z, 0)))
    return y


def _elu_backward(dy: Array, y: Array) -> Array:
    dz: Array = np.where(y > 0, dy, dy * (y + 1))
    return dz


def _selu(z: Array) -> Array:
    y: Array = _SELU_SCALE * np.where(z > 0, z, _SELU_ALPHA * np.expm1(np.minimum(z, 0)))
    return y


def _selu_backward(dy: Array, y: Array) -> Array:
    dz: Array = np.where(y > 0, _SELU_SCALE * dy, dy * (y + _SELU_SCALE * _SELU_ALPHA))
    return dz


def _softplus(z: Array) -> Array:
    y: Array = np.logaddexp(z, 0)
    return y


def _softplus_backward(dy: Array, y: Array) -> Array:
    dz: Array = dy * -np.expm1(-y)
    return dz


def _softsign(z: Array) -> Array:
    y: Array = z / (1 + np.abs(z))
    return y


def _softsign_backward(dy: Array, y: Array) -> Array:
    dz: Array = dy * np.square(1 - np.abs(y))
    return dz


def _exponential(z: Array) -> Array:
    y: Array = np.exp(z)
    return y


def _exponential_backward(dy: Array, y: Array) -> Array:
    dz: Array = dy * y
    return dz


def _sigmoid(z: Array) -> Array:
    # No exponent is positive, so nothing overflows, and the far negative tail stays exact.
    y: Array = np.exp(np.minimum(z, 0)) / (1 + np.exp(-np.abs(z)))
    return y


def _sigmoid_backward(dy: Array, y: Array) -> Array:
    dz: Array = dy * y * (1 - y)
    return dz


def _hard_sigmoid(z: Array) -> Array:
    y: Array = np.clip(z / 6 + 0.5, 0, 1)
    return y


def _hard_sigmoid_backward(dy: Array, y: Array) -> Array:
    dz: Array = dy * ((y > 0) & (y < 1)) / 6
    return dz


def _tanh(z: Array) -> Array:
    y: Array = np.tanh(z)
    return y


def _tanh_backward(dy: Array, y: Array) -> Array:
    dz: Array = dy * (1 - y * y)
    return dz


def _silu(z: Array) -> Array:
    y: Array = z * _sigmoid(z)
    return y


def _silu_backward(dy: Array, z: Array) -> Array:
    s = _sigmoid(z)
    dz: Array = dy * s * (1 + z * (1 - s))
    return dz


def _softmax(z: Array) -> Array:
    y: Array = np.exp(z - z.max(axis=-1, keepdims=True))
    y /= y.sum(axis=-1, keepdims=True)
    return y


def _softmax_backward(dy: Array, y: Array) -> Array:
    dz: Array = y * (dy - (dy * y).sum(axis=-1, keepdims=True))
    return dz


_ALL = (
    _of_output("linear", _linear, _linear_backward),
    _of_output("relu", _relu, _relu_backward),
    _of_output("leaky_relu", _leaky_relu, _leaky_relu_backward),
    _of_output("elu", _elu, _elu_backward),
    _of_output("selu", _selu, _selu_backward),
    _of_output("softplus", _softplus, _softplus_backward),
    _of_output("softsign", _softsign, _softsign_backward),
    _of_output("exponential", _exponential, _exponential_backward),
    _of_output("sigmoid", _sigmoid, _sigmoid_backward),
    _of_output("hard_sigmoid", _hard_sigmoid, _hard_sigmoid_backward),
    _of_output("tanh", _tanh, _tanh_backward),
    _of_input("silu", _silu, _silu_backward),
    _of_output("softmax", _softmax, _softmax_backward),
)
_BY_NAME = {activation.name: activation for activation in _ALL}
_BY_NAME["swish"] = _BY_NAME["silu"]


def get(name: object) -> Activation:
    """Find an activation by Keras's name; None is "linear".

    Raises
    ------
    ValueError
        When there is none of that name.
    """
    key = "linear" if name is None else name
    if not isinstance(key, str) or key not in _BY_NAME:
        raise ValueError(
            f"activation must be None or one of {list(_BY_NAME)}, got {name!r}"
            + meant(name, _BY_NAME)
        )
    return _BY_NAME[key]
