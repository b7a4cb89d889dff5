"""What a pass returns: outputs of a forward pass, gradients of a backward pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy.typing as npt

from .._check import Array, activations

Activations: TypeAlias = activations.Many
"""An activation, or one for each that a cell has."""

Weights: TypeAlias = npt.ArrayLike | Sequence[npt.ArrayLike]
"""Weights of one layer, or of each layer and direction."""

WeightGrads: TypeAlias = Array | Sequence[Array] | None
"""Their gradients, in the form in which they were given."""


class RNNOutput(NamedTuple):
    """Outputs of a vanilla RNN.

    Attributes
    ----------
    y : ndarray, shape (T, B, H) or (T, B, D*H)
        The hidden state after each step; `y[t]` belongs to `x[t]`.
    h_n : ndarray, shape (B, H) or (L*D, B, H)
        The hidden state after the last step taken.
    """

    y: Array
    h_n: Array


class LSTMOutput(NamedTuple):
    """Outputs of an LSTM.

    Attributes
    ----------
    y : ndarray, shape (T, B, H) or (T, B, D*H)
        The hidden state after each step; `y[t]` belongs to `x[t]`.
    h_n : ndarray, shape (B, H) or (L*D, B, H)
        The hidden state after the last step taken.
    c_n : ndarray, shape (B, H) or (L*D, B, H)
        The cell state after the last step taken.
    """

    y: Array
    h_n: Array
    c_n: Array


class GRUOutput(NamedTuple):
    """Outputs of a GRU.

    Attributes
    ----------
    y : ndarray, shape (T, B, H) or (T, B, D*H)
        The hidden state after each step; `y[t]` belongs to `x[t]`.
    h_n : ndarray, shape (B, H) or (L*D, B, H)
        The hidden state after the last step taken.
    """

    y: Array
    h_n: Array


class MGUOutput(NamedTuple):
    """Outputs of a minimal gated unit.

    Attributes
    ----------
    y : ndarray, shape (T, B, H) or (T, B, D*H)
        The hidden state after each step; `y[t]` belongs to `x[t]`.
    h_n : ndarray, shape (B, H) or (L*D, B, H)
        The hidden state after the last step taken.
    """

    y: Array
    h_n: Array


class Trace(NamedTuple):
    """What happens inside a cell without a cell state.

    Attributes
    ----------
    y : ndarray, shape (T, B, H)
        The hidden state after each step.
    h_n : ndarray, shape (B, H)
        The hidden state after the last step taken.
    gates : ndarray, shape (T, B, G, H)
        The gates of each step, activated, in the order of the weights' rows; zero past the end of
        a sequence.
    """

    y: Array
    h_n: Array
    gates: Array


class LSTMTrace(NamedTuple):
    """What happens inside an LSTM.

    Attributes
    ----------
    y : ndarray, shape (T, B, H)
        The hidden state after each step.
    h_n, c_n : ndarray, shape (B, H)
        Hidden and cell state after the last step taken.
    gates : ndarray, shape (T, B, G, H)
        The gates of each step, activated, in the order of the weights' rows; zero past the end of
        a sequence.
    c : ndarray, shape (T, B, H)
        The cell state after each step; zero past the end of a sequence.
    """

    y: Array
    h_n: Array
    c_n: Array
    gates: Array
    c: Array


class RNNGrads(NamedTuple):
    """Gradients of a scalar by the arguments of a vanilla RNN; G = 1.

    Shapes are those of the arguments; of stacked layers, weights have a list or tuple, as they
    were given. A field is None where the argument was absent or its gradient not wanted. The
    gradient of the initial state is there also when the state was left at zero.

    Attributes
    ----------
    x : ndarray, shape (T, B, I), or None
    w_ih : ndarray, shape (G*H, I), or None
    w_hh : ndarray, shape (G*H, H), or None
    b_ih, b_hh : ndarray, shape (G*H,), or None
    h0 : ndarray, shape (B, H), or None
    """

    x: Array | None = None
    w_ih: WeightGrads = None
    w_hh: WeightGrads = None
    b_ih: WeightGrads = None
    b_hh: WeightGrads = None
    h0: Array | None = None


class LSTMGrads(NamedTuple):
    """Gradients of a scalar by the arguments of an LSTM; G = 4 in the order i f g o.

    Shapes are those of the arguments; of stacked layers, weights have a list or tuple, as they
    were given. A field is None where the argument was absent or its gradient not wanted. The
    gradients of the initial states are there also when the states were left at zero. With a
    projection `w_hh` is (G*H, R) and `h0` (B, R).

    Attributes
    ----------
    x : ndarray, shape (T, B, I), or None
    w_ih : ndarray, shape (G*H, I), or None
    w_hh : ndarray, shape (G*H, H), or None
    b_ih, b_hh : ndarray, shape (G*H,), or None
    h0, c0 : ndarray, shape (B, H), or None
    w_hr : ndarray, shape (R, H), or None
    peephole : ndarray, shape (3*H,), or None
    layer_norm : ndarray, shape (10*H,), or None
    """

    x: Array | None = None
    w_ih: WeightGrads = None
    w_hh: WeightGrads = None
    b_ih: WeightGrads = None
    b_hh: WeightGrads = None
    h0: Array | None = None
    c0: Array | None = None
    w_hr: WeightGrads = None
    peephole: WeightGrads = None
    layer_norm: WeightGrads = None


class GRUGrads(NamedTuple):
    """Gradients of a scalar by the arguments of a GRU; G = 3 in the order r z n.

    Shapes are those of the arguments; of stacked layers, weights have a list or tuple, as they
    were given. A field is None where the argument was absent or its gradient not wanted. The
    gradient of the initial state is there also when the state was left at zero.

    Attributes
    ----------
    x : ndarray, shape (T, B, I), or None
    w_ih : ndarray, shape (G*H, I), or None
    w_hh : ndarray, shape (G*H, H), or None
    b_ih, b_hh : ndarray, shape (G*H,), or None
    h0 : ndarray, shape (B, H), or None
    layer_norm : ndarray, shape (6*H,), or None
    """

    x: Array | None = None
    w_ih: WeightGrads = None
    w_hh: WeightGrads = None
    b_ih: WeightGrads = None
    b_hh: WeightGrads = None
    h0: Array | None = None
    layer_norm: WeightGrads = None


class MGUGrads(NamedTuple):
    """Gradients of a scalar by the arguments of a minimal gated unit; G = 2, f n.

    Shapes are those of the arguments; of stacked layers, weights have a list or tuple, as they
    were given. A field is None where the argument was absent or its gradient not wanted. The
    gradient of the initial state is there also when the state was left at zero.

    Attributes
    ----------
    x : ndarray, shape (T, B, I), or None
    w_ih : ndarray, shape (G*H, I), or None
    w_hh : ndarray, shape (G*H, H), or None
    b_ih, b_hh : ndarray, shape (G*H,), or None
    h0 : ndarray, shape (B, H), or None
    """

    x: Array | None = None
    w_ih: WeightGrads = None
    w_hh: WeightGrads = None
    b_ih: WeightGrads = None
    b_hh: WeightGrads = None
    h0: Array | None = None
