"""Light gated recurrent unit.

    z = sigmoid(W_iz x_t + b_iz + W_hz h_{t-1} + b_hz)      update gate
    n = relu(W_in x_t + b_in + W_hn h_{t-1} + b_hn)         candidate
    h_t = z h_{t-1} + (1 - z) n,   y_t = h_t

x_t (B, I), h_t (B, H); the two parts are stacked in the order z n: W_ih (2H, I), W_hh (2H, H),
biases (2H,).
Source: M. Ravanelli, P. Brakel, M. Omologo and Y. Bengio, "Light gated recurrent units for speech
recognition", IEEE Transactions on Emerging Topics in Computational Intelligence 2, 2018; without
its batch normalization.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .activations import chosen
from .noise import noisy
from .scan import Array, State, affine, scan, start

__all__ = ["light_gru"]


@noisy
def light_gru(
    x: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
    *,
    h0: Array | None = None,
    activations: Any = None,
    clip: float | None = None,
    **options: Any,
) -> tuple[Array, Array]:
    """Light gated recurrent unit over a whole sequence.

    Parameters
    ----------
    x, w_ih, w_hh, b_ih, b_hh, h0, activations, clip, **options
        As for `mgu`, with parts z n; activations are sigmoid and relu unless a call chooses.

    Returns
    -------
    y, h_n : ndarray
        As from `mgu`.
    """
    of_gate, of_candidate = chosen(activations, ("sigmoid", "relu"), clip)

    def step(x_t: Array, state: State, h_in: Array) -> State:
        (h,) = state
        gates = affine(x_t, w_ih, b_ih) + affine(h_in, w_hh, b_hh)
        a_z, a_n = np.split(gates, 2, axis=-1)
        z, n = of_gate(a_z), of_candidate(a_n)
        return (z * h + (1 - z) * n,)

    y, (h_n,) = scan(step, x, start(x, w_hh, (h0,), w_ih, b_ih, b_hh), **options)
    return y, h_n
