"""What a pass returns: outputs of a forward pass, gradients of a backward pass."""

from __future__ import annotations

from typing import NamedTuple

from .._check import Array


class RNNOutput(NamedTuple):
    """Outputs of a vanilla RNN.

    Attributes
    ----------
    y : ndarray, shape (T, B, H)
        The hidden state after each step; `y[t]` belongs to `x[t]`.
    h_n : ndarray, shape (B, H)
        The hidden state after the last step taken.
    """

    y: Array
    h_n: Array


class LSTMOutput(NamedTuple):
    """Outputs of an LSTM.

    Attributes
    ----------
    y : ndarray, shape (T, B, H)
        The hidden state after each step; `y[t]` belongs to `x[t]`.
    h_n : ndarray, shape (B, H)
        The hidden state after the last step taken.
    c_n : ndarray, shape (B, H)
        The cell state after the last step taken.
    """

    y: Array
    h_n: Array
    c_n: Array


class GRUOutput(NamedTuple):
    """Outputs of a GRU.

    Attributes
    ----------
    y : ndarray, shape (T, B, H)
        The hidden state after each step; `y[t]` belongs to `x[t]`.
    h_n : ndarray, shape (B, H)
        The hidden state after the last step taken.
    """

    y: Array
    h_n: Array


class RNNGrads(NamedTuple):
    """Gradients of a scalar by the arguments of a vanilla RNN; G = 1.

    A field is None where the argument was absent or its gradient not wanted. The gradient of the
    initial state is there also when the state was left at zero.

    Attributes
    ----------
    x : ndarray, shape (T, B, I), or None
    w_ih : ndarray, shape (G*H, I), or None
    w_hh : ndarray, shape (G*H, H), or None
    b_ih, b_hh : ndarray, shape (G*H,), or None
    h0 : ndarray, shape (B, H), or None
    """

    x: Array | None = None
    w_ih: Array | None = None
    w_hh: Array | None = None
    b_ih: Array | None = None
    b_hh: Array | None = None
    h0: Array | None = None


class LSTMGrads(NamedTuple):
    """Gradients of a scalar by the arguments of an LSTM; G = 4 in the order i f g o.

    A field is None where the argument was absent or its gradient not wanted. The gradients of the
    initial states are there also when the states were left at zero.

    Attributes
    ----------
    x : ndarray, shape (T, B, I), or None
    w_ih : ndarray, shape (G*H, I), or None
    w_hh : ndarray, shape (G*H, H), or None
    b_ih, b_hh : ndarray, shape (G*H,), or None
    h0, c0 : ndarray, shape (B, H), or None
    """

    x: Array | None = None
    w_ih: Array | None = None
    w_hh: Array | None = None
    b_ih: Array | None = None
    b_hh: Array | None = None
    h0: Array | None = None
    c0: Array | None = None


class GRUGrads(NamedTuple):
    """Gradients of a scalar by the arguments of a GRU; G = 3 in the order r z n.

    A field is None where the argument was absent or its gradient not wanted. The gradient of the
    initial state is there also when the state was left at zero.

    Attributes
    ----------
    x : ndarray, shape (T, B, I), or None
    w_ih : ndarray, shape (G*H, I), or None
    w_hh : ndarray, shape (G*H, H), or None
    b_ih, b_hh : ndarray, shape (G*H,), or None
    h0 : ndarray, shape (B, H), or None
    """

    x: Array | None = None
    w_ih: Array | None = None
    w_hh: Array | None = None
    b_ih: Array | None = None
    b_hh: Array | None = None
    h0: Array | None = None
