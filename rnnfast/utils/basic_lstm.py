"""Weights of TensorFlow 1's `BasicLSTMCell`, as the functions on arrays take them.

    i, j, f, o = [x_t, h_{t-1}] kernel + bias           kernel (I+H, 4*H), bias (4*H,)
    c_t        = sigmoid(f + forget_bias) * c_{t-1} + sigmoid(i) * tanh(j)
    h_t        = sigmoid(o) * tanh(c_t)

The kernel joins those of input and state; `forget_bias` is no weight, and stands in no checkpoint.

Source: `BasicLSTMCell` of TensorFlow 1.15, `python/ops/rnn_cell_impl.py`.
"""

from __future__ import annotations

from typing import TypedDict

import numpy as np
from numpy.typing import ArrayLike

from rnnfast._check.arrays import Array, real_like, real_on_host
from rnnfast.utils.hyperparameters import finite

# Where i, f, g = j and o stand among i j f o.
_ORDER = (0, 2, 1, 3)


class BasicLSTMWeights(TypedDict):
    """What `rnnfast.lstm(x, **weights)` takes: (4*H, I), (4*H, H) and (4*H,), gates i f g o."""

    w_ih: Array
    w_hh: Array
    b_ih: Array


def basic_lstm_weights(
    kernel: ArrayLike, bias: ArrayLike, forget_bias: float = 1.0
) -> BasicLSTMWeights:
    """Turn the weights of TensorFlow 1's `BasicLSTMCell` into those of `rnnfast.lstm`.

    Parameters
    ----------
    kernel : array_like of float32 or float64, shape (I+H, 4*H)
        The cell's one kernel, gates in the order i j f o; `basic_lstm_cell/kernel` of a checkpoint.
    bias : array_like, shape (4*H,)
        Its bias, of the same dtype.
    forget_bias : float, default 1.0
        What the cell was made with: it adds this to f at run time.

    Returns
    -------
    dict
        `w_ih` (4*H, I), `w_hh` (4*H, H) and `b_ih` (4*H,) with `forget_bias` in it, gates in the
        order i f g o, for `rnnfast.lstm(x, **weights)`.

    Raises
    ------
    ValueError
        When a shape does not fit.
    TypeError
        When an array is neither float32 nor float64, or `bias` is not of `kernel`'s dtype.

    Notes
    -----
    Keras's order i f c o is the same, and its kernels are the transposed ones. A layer of H units
    takes them as::

        layer.set_weights([weights["w_ih"].T, weights["w_hh"].T, weights["b_ih"]])
    """
    joined = real_on_host("kernel", kernel)
    if joined.ndim != 2 or joined.shape[1] % 4 or not 0 < joined.shape[1] // 4 < len(joined):
        raise ValueError(
            f"kernel must be (I+H, 4*H), rows for the input before those for the state, got "
            f"{joined.shape}"
        )
    units = joined.shape[1] // 4
    biases = real_like("bias", bias, "kernel", joined.dtype)
    if biases.shape != (4 * units,):
        raise ValueError(f"bias must be (4*H,) = {(4 * units,)}, got {biases.shape}")
    rows = np.concatenate([np.arange(units) + units * gate for gate in _ORDER])
    b_ih = biases[rows]
    b_ih[units : 2 * units] += finite("forget_bias", forget_bias)
    of_input, of_state = np.split(joined.T[rows], [len(joined) - units], axis=1)
    return {
        "w_ih": np.ascontiguousarray(of_input),
        "w_hh": np.ascontiguousarray(of_state),
        "b_ih": b_ih,
    }
