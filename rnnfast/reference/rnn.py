"""Elman's recurrent network.

    h_t = f(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh),   y_t = h_t

x_t (B, I), h_t (B, H), W_ih (H, I), W_hh (H, H), biases (H,); f one of tanh, relu, sigmoid.
Source: J. L. Elman, "Finding structure in time", Cognitive Science 14, 1990; parameters as in
torch.nn.RNN.
"""

from __future__ import annotations

from typing import Any

from .activations import chosen
from .noise import noisy
from .scan import Array, State, affine, scan, start

__all__ = ["rnn"]


@noisy
def rnn(
    x: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
    *,
    h0: Array | None = None,
    nonlinearity: str = "tanh",
    activations: Any = None,
    clip: float | None = None,
    **options: Any,
) -> tuple[Array, Array]:
    """Elman recurrent network over a whole sequence.

    Parameters
    ----------
    x : ndarray, (T, B, I)
        Input, real or complex.
    w_ih, w_hh : ndarray, (H, I) and (H, H)
        Weights of the input and of the state.
    b_ih, b_hh : ndarray, (H,), optional
        Biases; zero when absent.
    h0 : ndarray, (B, H), optional
        State before the first step; zero when absent.
    nonlinearity : {"tanh", "relu", "sigmoid"}
        The function f.
    activations : str or tuple, optional
        Another one; see `activations.chosen`.
    clip : float, optional
        Bound of what it sees.
    **options
        ``reverse``, ``lengths``, ``resets``, ``truncate``: as `scan` takes them; those of
        `noisy`.

    Returns
    -------
    y : ndarray, (T, B, H)
        Outputs.
    h_n : ndarray, (B, H)
        State after the last step taken.

    Raises
    ------
    KeyError
        If f is unknown.
    """
    (f,) = chosen(activations, (nonlinearity,), clip)

    def step(x_t: Array, _: State, h_in: Array) -> State:
        return (f(affine(x_t, w_ih, b_ih) + affine(h_in, w_hh, b_hh)),)

    y, (h_n,) = scan(step, x, start(x, w_hh, (h0,), w_ih, b_ih, b_hh), **options)
    return y, h_n
