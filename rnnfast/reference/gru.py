"""Gated recurrent unit, in the two forms in use.

    r = sigmoid(W_ir x_t + b_ir + W_hr h_{t-1} + b_hr)      reset gate
    z = sigmoid(W_iz x_t + b_iz + W_hz h_{t-1} + b_hz)      update gate
    n = tanh(W_in x_t + b_in + r (W_hn h_{t-1} + b_hn))     candidate, reset after the product
    n = tanh(W_in x_t + b_in + W_hn (r h_{t-1}) + b_hn)     candidate, reset before the product
    h_t = (1 - z) n + z h_{t-1},   y_t = h_t

x_t (B, I), h_t (B, H); the three parts are stacked in the order r z n: W_ih (3H, I),
W_hh (3H, H), biases (3H,).
Source: K. Cho et al., "Learning phrase representations using RNN encoder-decoder", EMNLP 2014
(reset before; h_t with z as in torch, the paper's 1 - z); reset after: cuDNN, and torch.nn.GRU;
normalized products: see `layer_norm`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .activations import chosen
from .layer_norm import layer_norm as norm
from .noise import noisy
from .scan import Array, State, affine, scan, start

__all__ = ["gru"]


@noisy
def gru(
    x: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
    *,
    h0: Array | None = None,
    reset_after: bool = True,
    layer_norm: Array | None = None,
    activations: Any = None,
    clip: float | None = None,
    **options: Any,
) -> tuple[Array, Array]:
    """Gated recurrent unit over a whole sequence.

    Parameters
    ----------
    x : ndarray, (T, B, I)
        Input, real or complex.
    w_ih, w_hh : ndarray, (3*H, I) and (3*H, H)
        Weights of the input and of the state, parts r z n.
    b_ih, b_hh : ndarray, (3*H,), optional
        Biases; zero when absent.
    h0 : ndarray, (B, H), optional
        State before the first step; zero when absent.
    reset_after : bool
        Whether the reset gate scales the recurrent product (True) or its operand (False).
    layer_norm : ndarray, (6*H,), optional
        Gains of the products ``W_ih x`` and ``W_hh h``, of which the parts r z are normalized
        together and n by itself.
    activations : sequence of str or tuple, optional
        Instead of the ones above, of the gates and of n; see `activations.chosen`.
    clip : float, optional
        Bound of what each activation sees.
    **options
        ``reverse``, ``lengths``, ``resets``, ``truncate``: as `scan` takes them; those of
        `noisy`.

    Returns
    -------
    y : ndarray, (T, B, H)
        Outputs.
    h_n : ndarray, (B, H)
        State after the last step taken.
    """
    units = w_hh.shape[1]
    of_gates, of_candidate = chosen(activations, ("sigmoid", "tanh"), clip)
    w_hrz, w_hn = w_hh[: 2 * units], w_hh[2 * units :]
    b_hrz, b_hn = (None, None) if b_hh is None else (b_hh[: 2 * units], b_hh[2 * units :])

    def step(x_t: Array, state: State, h_in: Array) -> State:
        (h,) = state
        if layer_norm is not None:
            return (normalized_step(x_t, h, h_in, layer_norm),)
        x_r, x_z, x_n = np.split(affine(x_t, w_ih, b_ih), 3, axis=-1)
        h_r, h_z = np.split(affine(h_in, w_hrz, b_hrz), 2, axis=-1)
        r, z = of_gates(x_r + h_r), of_gates(x_z + h_z)
        recurrent = r * affine(h_in, w_hn, b_hn) if reset_after else affine(r * h_in, w_hn, b_hn)
        return ((1 - z) * of_candidate(x_n + recurrent) + z * h,)

    def normalized_step(x_t: Array, h: Array, h_in: Array, gains: Array) -> Array:
        def product(operand: Array, w: Array, b: Array | None, gain: Array) -> tuple[Array, Array]:
            both = operand @ w.T
            of_gates, of_n = (None, None) if b is None else (b[: 2 * units], b[2 * units :])
            gates = norm(both[:, : 2 * units], gain[: 2 * units], of_gates)
            return gates, norm(both[:, 2 * units :], gain[2 * units :], of_n)

        x_gates, x_n = product(x_t, w_ih, b_ih, gains[: 3 * units])
        h_gates, h_n = product(h_in, w_hh, b_hh, gains[3 * units :])
        r, z = np.split(of_gates(x_gates + h_gates), 2, axis=-1)
        after: Array = (1 - z) * of_candidate(x_n + r * h_n) + z * h
        return after

    y, (h_n,) = scan(step, x, start(x, w_hh, (h0,), w_ih, b_ih, b_hh, layer_norm), **options)
    return y, h_n
