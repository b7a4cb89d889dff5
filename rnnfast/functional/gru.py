"""Gated recurrent unit.

    r, z = sigmoid(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), each with its rows of W and b
    n    = tanh(W_in x_t + b_in + r * (W_hn h_{t-1} + b_hn))    reset after
    n    = tanh(W_in x_t + b_in + W_hn (r * h_{t-1}) + b_hn)    reset before
    h_t  = (1 - z) * n + z * h_{t-1}

The rows of `w_ih` (3*H, I), `w_hh` (3*H, H) and the biases (3*H,) are in the order r z n.

Source: Cho et al., Learning phrase representations using RNN encoder-decoder, 2014 (reset before);
the form of cuDNN and `torch.nn.GRU`, with their gate order and sense of z (reset after).
"""

from __future__ import annotations

from collections.abc import Collection

import numpy.typing as npt

from .._check import cells, inputs, options
from ..engine.network import Network
from ..engine.noise import noise
from ._pullback import Pullback
from .results import Activations, GRUGrads, GRUOutput, Weights


class GRUPullback(Pullback[GRUGrads]):
    """From gradients by the results of a GRU to gradients by its arguments.

    Made by `gru_vjp`. It may be called any number of times, also by several threads, as long as
    the arguments of `gru_vjp` stay unmodified.
    """

    __slots__ = ()

    _form = GRUGrads

    def __call__(
        self,
        dy: npt.ArrayLike | None = None,
        dh_n: npt.ArrayLike | None = None,
        *,
        out: GRUGrads | None = None,
    ) -> GRUGrads:
        """Return the gradients of a scalar L by the arguments.

        Parameters
        ----------
        dy : array_like, shape (T, B, H), optional
            dL/dy; here and below None is zero.
        dh_n : array_like, shape (B, H), optional
            dL/dh_n.
        out : GRUGrads, optional
            Arrays that the gradients are added to and that are returned in their place; where a
            field is None, as all are by default, a fresh array is returned.

        Returns
        -------
        GRUGrads

        Raises
        ------
        ValueError
            If a shape does not fit.
        TypeError
            If a dtype is not that of `x`, or `out` is not a `GRUGrads`.
        MemoryError
            If a gradient does not fit into memory.
        """
        return self._pull(dy, dh_n, None, out)


def gru(
    x: npt.ArrayLike,
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    *,
    h0: npt.ArrayLike | None = None,
    layer_norm: Weights | None = None,
    reset_after: bool = True,
    activations: Activations | None = None,
    clip: float | None = None,
    lengths: npt.ArrayLike | None = None,
    resets: npt.ArrayLike | None = None,
    reverse: bool = False,
    bidirectional: bool = False,
    dropout: float = 0.0,
    input_dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    weight_dropout: float = 0.0,
    zoneout: float = 0.0,
    seed: int | None = None,
) -> GRUOutput:
    """Run a GRU over a batch of sequences.

    All arrays are float32 or all are float64. Any strides will do; a batch-first array is passed
    as `x.swapaxes(0, 1)`, which copies nothing.

    Layers stack: each of `w_ih`, `w_hh`, `b_ih`, `b_hh` may be a sequence of arrays, layer by
    layer, and of each layer, if `bidirectional`, forward before reverse. With L layers of D
    directions the states are (L*D, B, H), `y` is (T, B, D*H), and upper layers have D*H inputs.

    Parameters
    ----------
    x : array_like, shape (T, B, I)
        T steps of B sequences of I inputs.
    w_ih : array_like, shape (3*H, I)
        Input weights, rows in the order r z n.
    w_hh : array_like, shape (3*H, H)
        Recurrent weights, rows in the order r z n.
    b_ih, b_hh : array_like, shape (3*H,), optional
        Biases, each zero by default.
    h0 : array_like, shape (B, H), optional
        Hidden state before the first step, zero by default.
    layer_norm : array_like, shape (6*H,), optional
        Layer normalization, with `reset_after` only: gains of the input product (3*H, in the order
        r z n) and of the recurrent product (3*H). Of each product the 2*H rows of r and z are
        normalized together, and the H of n by themselves; `b_ih` and `b_hh` are added after, as the
        biases of the normalized products. None, the default, is the plain cell.
    reset_after : bool, default True
        Apply the reset gate after the recurrent product, as cuDNN and PyTorch do; False applies it
        to the hidden state before, as in the paper.
    activations : sequence of two, optional
        Of the gates and of the candidate n: ONNX's f and g. The functions are those of `rnn`; by
        default sigmoid, tanh.
    clip : float, optional
        Bound of what every activation sees, [-clip, clip]; None by default.
    lengths : array_like of int, shape (B,), optional
        Steps of each sequence, 0 to T, in any order; all have T by default. Each comes out as if
        run alone: what `x` holds past its end is never read, `y` is zero there, and `h_n` follows
        its own last step. Length 0 hands the initial state on.
    resets : array_like of bool, shape (T, B), optional
        Where True, the state before that step is zero: the sequence begins anew, as episodes and
        packed documents do. Nowhere by default.
    reverse : bool, default False
        Run from the last step to the first: `y[t]` still belongs to `x[t]`, and `h_n` follows
        `x[0]`.
    bidirectional : bool, default False
        Run each layer in both directions, with weights of its own for each.
    dropout : float, default 0.0
        Between layers, the probability that a number is zeroed, the others being divided by what
        is left; only with a `seed`.
    input_dropout, recurrent_dropout : float, default 0.0
        The same for what each layer takes, and for h where it meets `w_hh`, with one mask for all
        steps of a sequence and all gates.
    weight_dropout : float, default 0.0
        The same for `w_hh` itself, with one mask for the call (DropConnect).
    zoneout : float, default 0.0
        The probability that a number of h keeps the value of the step before. Without a `seed`, as
        at inference, it is the mean of the two values.
    seed : int, optional
        Of what is drawn at random, which depends on it and the sizes alone; None, the default, is
        inference, without dropout.

    Returns
    -------
    GRUOutput
        `y` (T, B, H) and `h_n` (B, H), fresh arrays. With T = 0, `h_n` is the initial state.

    Raises
    ------
    ValueError
        If a shape does not fit, or the type of the arrays cannot hold a number like `clip`; the
        message names the argument and what is wanted.
    TypeError
        If an array is not float32 or float64, or not of the dtype of `x`.
    MemoryError
        If the results do not fit into memory.

    See Also
    --------
    gru_vjp : the same with exact derivatives.
    prepack : the same on weights that are packed once.

    Notes
    -----
    ::

        r, z = sigmoid(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), each with its rows of W and b
        n    = tanh(W_in x_t + b_in + r * (W_hn h_{t-1} + b_hn))    reset after
        n    = tanh(W_in x_t + b_in + W_hn (r * h_{t-1}) + b_hn)    reset before
        h_t  = (1 - z) * n + z * h_{t-1}

    With `layer_norm`, N(v) being gain * (v - mean(v)) / sqrt(var(v) + 1e-5) + bias::

        r, z = sigmoid(N(W_ih x_t) + N(W_hh h_{t-1}))
        n    = tanh(N(W_in x_t) + r * N(W_hn h_{t-1}))

    References
    ----------
    .. [1] Cho et al., Learning phrase representations using RNN encoder-decoder, 2014: reset
       before. Reset after is the form of cuDNN and `torch.nn.GRU`.
    .. [2] Ba, Kiros and Hinton, Layer normalization, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> import rnnfast
    >>> x, w_ih, w_hh = np.ones((5, 2, 3)), np.zeros((12, 3)), np.zeros((12, 4))
    >>> y, h_n = rnnfast.gru(x, w_ih, w_hh)
    >>> y.shape, h_n.shape
    ((5, 2, 4), (2, 4))
    """
    cell = cells.gru(
        options.flag("reset_after", reset_after), activations, clip, layer_norm=layer_norm
    )
    network = Network(
        cell,
        x,
        inputs.Given(w_ih, w_hh, b_ih, b_hh, layer_norm=layer_norm),
        h0,
        lengths=lengths,
        resets=resets,
        reverse=reverse,
        bidirectional=bidirectional,
        noise=noise(cell, dropout, input_dropout, recurrent_dropout, weight_dropout, zoneout, seed),
    )
    return GRUOutput(*network.forward())


def gru_vjp(
    x: npt.ArrayLike,
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    *,
    h0: npt.ArrayLike | None = None,
    layer_norm: Weights | None = None,
    reset_after: bool = True,
    activations: Activations | None = None,
    clip: float | None = None,
    lengths: npt.ArrayLike | None = None,
    resets: npt.ArrayLike | None = None,
    reverse: bool = False,
    bidirectional: bool = False,
    dropout: float = 0.0,
    input_dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    weight_dropout: float = 0.0,
    zoneout: float = 0.0,
    seed: int | None = None,
    truncate: int | None = None,
    checkpoint: bool = False,
    wrt: Collection[str] | None = None,
) -> tuple[GRUOutput, GRUPullback]:
    """Run a GRU and return its results with the function that takes gradients back through it.

    Arguments, results and errors are those of `gru`, and `wrt`. The arguments must stay unmodified
    until the pullback has been called for the last time; the results may be changed.

    Parameters
    ----------
    x, w_ih, w_hh, b_ih, b_hh, h0, layer_norm, reset_after, activations, clip, lengths, resets, \
    reverse, \
    bidirectional, dropout, input_dropout, recurrent_dropout, weight_dropout, zoneout, seed
        As for `gru`.
    truncate : int, optional
        Cut the gradient every so many steps, counted from the first one that a sequence takes: the
        state before each of those steps counts as a constant (truncated backpropagation through
        time). Never by default.
    checkpoint : bool, default False
        Save only some states, about as many as the square root of T, and make the steps between
        them once more in the pullback: less memory for about a third more time, and the same
        gradients, bit for bit. Of several layers, what each hands to the next is kept all the same.
    wrt : collection of str, optional
        Names of the arguments whose gradients are wanted, of `GRUGrads._fields`; by default all.
        What only the others need is not computed.

    Returns
    -------
    output : GRUOutput
        As from `gru`.
    pullback : GRUPullback
        `pullback(dy, dh_n)` returns `GRUGrads`. Gradients of absent biases and of what is not in
        `wrt` are None; that of `h0` is there also when it is not given.

    Raises
    ------
    ValueError
        As `gru`, and if `wrt` holds another name.
    TypeError
        As `gru`, and if `wrt` is a string or no collection.

    Examples
    --------
    >>> import numpy as np
    >>> import rnnfast
    >>> x, w_ih, w_hh = np.ones((5, 2, 3)), np.zeros((12, 3)), np.zeros((12, 4))
    >>> (y, h_n), pullback = rnnfast.gru_vjp(x, w_ih, w_hh, wrt=["w_hh", "h0"])
    >>> grads = pullback(dy=np.ones_like(y))
    >>> grads.w_hh.shape, grads.x is None
    ((12, 4), True)
    """
    truncate = options.interval("truncate", truncate)
    checkpoint = options.flag("checkpoint", checkpoint)
    wanted = options.wanted(wrt, GRUGrads._fields)
    cell = cells.gru(
        options.flag("reset_after", reset_after), activations, clip, layer_norm=layer_norm
    )
    network = Network(
        cell,
        x,
        inputs.Given(w_ih, w_hh, b_ih, b_hh, layer_norm=layer_norm),
        h0,
        lengths=lengths,
        resets=resets,
        reverse=reverse,
        bidirectional=bidirectional,
        noise=noise(cell, dropout, input_dropout, recurrent_dropout, weight_dropout, zoneout, seed),
    )
    forward = network.forward_saving_checkpoints if checkpoint else network.forward_saving
    results, saved = forward()
    return GRUOutput(*results), GRUPullback(network, saved, truncate, wanted)
