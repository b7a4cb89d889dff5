"""Long short-term memory with a forget gate.

    i = sigmoid(W_ii x_t + b_ii + W_hi h_{t-1} + b_hi)      input gate
    f = sigmoid(W_if x_t + b_if + W_hf h_{t-1} + b_hf)      forget gate
    g =    tanh(W_ig x_t + b_ig + W_hg h_{t-1} + b_hg)      candidate
    o = sigmoid(W_io x_t + b_io + W_ho h_{t-1} + b_ho)      output gate
    c_t = f c_{t-1} + i g
    h_t = o tanh(c_t),   y_t = h_t

With peepholes p (3H,), parts i f o, p_i c_{t-1} is added to the argument of i, p_f c_{t-1} to that
of f, p_o c_t to that of o (Gers, Schraudolph and Schmidhuber, "Learning precise timing with LSTM
recurrent networks", JMLR 3, 2002).
or, with a projection, h_t = W_hr (o tanh(c_t)).

x_t (B, I), h_t and c_t (B, H); the four gates are stacked in the order i f g o:
W_ih (4H, I), W_hh (4H, H), biases (4H,). With W_hr (R, H), h_t is (B, R) and W_hh (4H, R).
Source: S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9, 1997;
forget gate: F. A. Gers, J. Schmidhuber and F. Cummins, Neural Computation 12, 2000; one gate for
both, f = 1 - i: K. Greff et al., "LSTM: a search space odyssey", 2017; projection: H. Sak,
A. Senior and F. Beaufays, "Long short-term memory recurrent neural network architectures for large
scale acoustic modeling", 2014; normalized products and h_t = o tanh(N(c_t)): see `layer_norm`;
parameters as in torch.nn.LSTM.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .activations import chosen
from .layer_norm import layer_norm as norm
from .noise import noisy
from .scan import Array, State, affine, scan, start

__all__ = ["lstm"]


@noisy
def lstm(
    x: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
    *,
    h0: Array | None = None,
    c0: Array | None = None,
    peephole: Array | None = None,
    forget_gate: str = "own",
    w_hr: Array | None = None,
    layer_norm: Array | None = None,
    activations: Any = None,
    clip: float | None = None,
    **options: Any,
) -> tuple[Array, Array, Array]:
    """Long short-term memory over a whole sequence.

    Parameters
    ----------
    x : ndarray, (T, B, I)
        Input, real or complex.
    w_ih, w_hh : ndarray, (4*H, I) and (4*H, H)
        Weights of the input and of the state, gates i f g o.
    b_ih, b_hh : ndarray, (4*H,), optional
        Biases; zero when absent.
    h0, c0 : ndarray, (B, H), optional
        Output and memory before the first step; zero when absent.
    peephole : ndarray, (3*H,), optional
        Weights of c in the gates i f o; zero when absent.
    forget_gate : {"own", "coupled", "none"}
        Whether f has weights of its own, is 1 - i, or 1; without, the gates are i g o.
    w_hr : ndarray, (R, H), optional
        Projection of the output.
    layer_norm : ndarray, (10*H,), optional
        Gains of the products ``W_ih x`` and ``W_hh h``, gain and bias of c on its way to h.
    activations : sequence of str or tuple, optional
        Instead of the ones above, of the gates, of g, and of c in h; see `activations.chosen`.
    clip : float, optional
        Bound of what each activation sees.
    **options
        ``reverse``, ``lengths``, ``resets``, ``truncate``: as `scan` takes them; those of
        `noisy`.

    Returns
    -------
    y : ndarray, (T, B, H)
        Outputs.
    h_n, c_n : ndarray, (B, H)
        Output and memory after the last step taken.
    """
    units = len(w_hh) // (4 if forget_gate == "own" else 3)
    of_gates, of_candidate, of_output = chosen(activations, ("sigmoid", "tanh", "tanh"), clip)

    def peep(part: int, c: Array) -> Array | float:
        return 0.0 if peephole is None else np.split(peephole, 3)[part] * c

    def step(x_t: Array, state: State, h_in: Array) -> State:
        _, c = state
        if layer_norm is None:
            gates = affine(x_t, w_ih, b_ih) + affine(h_in, w_hh, b_hh)
        else:
            gain_x, gain_h = layer_norm[: 4 * units], layer_norm[4 * units : 8 * units]
            gates = norm(x_t @ w_ih.T, gain_x, b_ih) + norm(h_in @ w_hh.T, gain_h, b_hh)
        if forget_gate == "own":
            i, f, g, o = np.split(gates, 4, axis=-1)
            kept = of_gates(f + peep(1, c))
        else:
            i, g, o = np.split(gates, 3, axis=-1)
            kept = 1 - of_gates(i) if forget_gate == "coupled" else np.ones_like(c)
        c = kept * c + of_gates(i + peep(0, c)) * of_candidate(g)
        seen = c if layer_norm is None else norm(c, *np.split(layer_norm[8 * units :], 2))
        h = of_gates(o + peep(2, c)) * of_output(seen)
        return (h if w_hr is None else h @ w_hr.T), c

    everything = (h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr, peephole, layer_norm)
    (h,) = start(x, w_hh, (h0,), *everything)
    (c,) = start(x, w_hh if w_hr is None else w_hr, (c0,), *everything)
    y, (h_n, c_n) = scan(step, x, (h, c), **options)
    return y, h_n, c_n
