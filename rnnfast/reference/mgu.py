"""Minimal gated unit.

    f = sigmoid(W_if x_t + b_if + W_hf h_{t-1} + b_hf)      the gate
    n = tanh(W_in x_t + b_in + W_hn (f h_{t-1}) + b_hn)     candidate
    h_t = (1 - f) h_{t-1} + f n,   y_t = h_t

x_t (B, I), h_t (B, H); the two parts are stacked in the order f n: W_ih (2H, I), W_hh (2H, H),
biases (2H,).
Source: G.-B. Zhou, J. Wu, C.-L. Zhang and Z.-H. Zhou, "Minimal gated unit for recurrent neural
networks", International Journal of Automation and Computing 13, 2016.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .activations import chosen
from .noise import noisy
from .scan import Array, State, affine, scan, start

__all__ = ["mgu"]


@noisy
def mgu(
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
    """Minimal gated unit over a whole sequence.

    Parameters
    ----------
    x : ndarray, (T, B, I)
        Input, real or complex.
    w_ih, w_hh : ndarray, (2*H, I) and (2*H, H)
        Weights of the input and of the state, parts f n.
    b_ih, b_hh : ndarray, (2*H,), optional
        Biases; zero when absent.
    h0 : ndarray, (B, H), optional
        State before the first step; zero when absent.
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
    of_gate, of_candidate = chosen(activations, ("sigmoid", "tanh"), clip)

    def step(x_t: Array, state: State, h_in: Array) -> State:
        (h,) = state
        x_f, x_n = np.split(affine(x_t, w_ih, b_ih), 2, axis=-1)
        b_f, b_n = (None, None) if b_hh is None else (b_hh[:units], b_hh[units:])
        f = of_gate(x_f + affine(h_in, w_hh[:units], b_f))
        n = of_candidate(x_n + affine(f * h_in, w_hh[units:], b_n))
        return ((1 - f) * h + f * n,)

    y, (h_n,) = scan(step, x, start(x, w_hh, (h0,), w_ih, b_ih, b_hh), **options)
    return y, h_n
