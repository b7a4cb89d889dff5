"""Long short-term memory.

    i, f, o = sigmoid(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), each with its rows of W and b
    g       = tanh   (W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)
    c_t     = f * c_{t-1} + i * g
    h_t     = o * tanh(c_t)

or with f = 1 - i, or f = 1, and no rows for it; or with h_t = W_hr (o * tanh(c_t)). The rows of
`w_ih` (4*H, I), `w_hh` (4*H, H) and the biases (4*H,) are in the order i f g o.

Source: Hochreiter and Schmidhuber, Long short-term memory, 1997, with the forget gate of Gers,
Schmidhuber and Cummins, 2000, in the form and gate order of `torch.nn.LSTM`.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy.typing as npt

from .._check import cells, inputs, options
from ..engine.network import Network
from ..engine.noise import noise
from ._pullback import Pullback
from .results import Activations, LSTMGrads, LSTMOutput, Weights


class LSTMPullback(Pullback[LSTMGrads]):
    """From gradients by the results of an LSTM to gradients by its arguments.

    Made by `lstm_vjp`. It may be called any number of times, also by several threads, as long as
    the arguments of `lstm_vjp` stay unmodified.
    """

    __slots__ = ()

    _form = LSTMGrads

    def __call__(
        self,
        dy: npt.ArrayLike | None = None,
        dh_n: npt.ArrayLike | None = None,
        dc_n: npt.ArrayLike | None = None,
        *,
        out: LSTMGrads | None = None,
    ) -> LSTMGrads:
        """Return the gradients of a scalar L by the arguments.

        Parameters
        ----------
        dy : array_like, shape (T, B, H), optional
            dL/dy; here and below None is zero.
        dh_n, dc_n : array_like, shape (B, H), optional
            dL/dh_n and dL/dc_n. With a projection `dy` is (T, B, R) and `dh_n` (B, R).
        out : LSTMGrads, optional
            Arrays that the gradients are added to and that are returned in their place; where a
            field is None, as all are by default, a fresh array is returned.

        Returns
        -------
        LSTMGrads

        Raises
        ------
        ValueError
            If a shape does not fit.
        TypeError
            If a dtype is not that of `x`, or `out` is not an `LSTMGrads`.
        MemoryError
            If a gradient does not fit into memory.
        """
        return self._pull(dy, dh_n, dc_n, out)


def lstm(
    x: npt.ArrayLike,
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    *,
    h0: npt.ArrayLike | None = None,
    c0: npt.ArrayLike | None = None,
    w_hr: Weights | None = None,
    peephole: Weights | None = None,
    layer_norm: Weights | None = None,
    forget_gate: str = "own",
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
    zoneout: float | tuple[float, float] = 0.0,
    seed: int | None = None,
) -> LSTMOutput:
    """Run an LSTM over a batch of sequences.

    All arrays are float32 or all are float64. Any strides will do; a batch-first array is passed
    as `x.swapaxes(0, 1)`, which copies nothing.

    Layers stack: each of `w_ih`, `w_hh`, `b_ih`, `b_hh`, `w_hr` may be a sequence of arrays, layer
    by layer, and of each layer, if `bidirectional`, forward before reverse. With L layers of D
    directions the states are (L*D, B, H), `y` is (T, B, D*H), and upper layers have D*H inputs.

    Parameters
    ----------
    x : array_like, shape (T, B, I)
        T steps of B sequences of I inputs.
    w_ih : array_like, shape (4*H, I)
        Input weights, rows in the order i f g o.
    w_hh : array_like, shape (4*H, H)
        Recurrent weights, rows in the order i f g o.
    b_ih, b_hh : array_like, shape (4*H,), optional
        Biases, each zero by default.
    h0, c0 : array_like, shape (B, H), optional
        Hidden and cell state before the first step, each zero by default.
    w_hr : array_like, shape (R, H), optional
        Projection of h to R numbers, any R from 1 on; torch's `proj_size`. What has the width of h
        then has R in place of H: `w_hh` is (4*H, R), `h0` (B, R), the inputs of upper layers D*R.
        `recurrent_dropout`, and `zoneout` of h, act on what is projected. None by default.
    peephole : array_like, shape (3*H,), optional
        Weights of c in the gates, each unit its own, in the order i f o: i and f see the c before
        the step, o the one after. Only with `forget_gate="own"`; none by default.
    layer_norm : array_like, shape (10*H,), optional
        Layer normalization, with `forget_gate` "own" and without `w_hr`: gains of the input product
        (4*H, in the order i f g o) and of the recurrent product (4*H), then gain and bias of the
        cell state (H each). Each product is normalized over its 4*H rows, and the cell state over
        its H units on its way to h; `b_ih` and `b_hh` are added after, as the biases of the
        normalized products. None, the default, is the plain cell.
    forget_gate : {"own", "coupled", "none"}, default "own"
        Whether the forget gate f has weights of its own, is 1 - i, or 1. In the latter two weights
        and biases have 3*H rows, in the order i g o.
    activations : sequence of three, optional
        Of the gates, the candidate g and the output, where c enters h: ONNX's f, g and h. The
        functions are those of `rnn`; by default sigmoid, tanh, tanh.
    clip : float, optional
        Bound of what every activation sees, [-clip, clip], also of c on its way into h, while c
        itself is not bounded; None by default.
    lengths : array_like of int, shape (B,), optional
        Steps of each sequence, 0 to T, in any order; all have T by default. Each comes out as if
        run alone: what `x` holds past its end is never read, `y` is zero there, and `h_n` and
        `c_n` follow its own last step. Length 0 hands the initial state on.
    resets : array_like of bool, shape (T, B), optional
        Where True, the state before that step is zero: the sequence begins anew, as episodes and
        packed documents do. Nowhere by default.
    reverse : bool, default False
        Run from the last step to the first: `y[t]` still belongs to `x[t]`, and `h_n` and `c_n`
        follow `x[0]`.
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
    zoneout : float or (float, float), default 0.0
        The probability that a number of h, or c, keeps the value of the step before; one for both,
        or one each. Without a `seed`, as at inference, each is the mean of the two values.
    seed : int, optional
        Of what is drawn at random, which depends on it and the sizes alone; None, the default, is
        inference, without dropout.

    Returns
    -------
    LSTMOutput
        `y` (T, B, H), `h_n` (B, H) and `c_n` (B, H), fresh arrays; R in place of H in `y` and `h_n`
        with a projection. With T = 0, `h_n` and `c_n` are the initial states.

    Raises
    ------
    ValueError
        If a shape does not fit, `forget_gate` is another name, or the arrays cannot hold a
        number like `clip` in their type; the message says what is wanted.
    TypeError
        If an array is not float32 or float64, or not of the dtype of `x`.
    MemoryError
        If the results do not fit into memory.

    See Also
    --------
    lstm_vjp : the same with exact derivatives.
    prepack : the same on weights that are packed once.

    Notes
    -----
    ::

        i, f, o = sigmoid(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), each with its rows of W and b
        g       = tanh   (W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)
        c_t     = f * c_{t-1} + i * g
        h_t     = o * tanh(c_t), or W_hr (o * tanh(c_t))

    With `layer_norm`, N(v) being gain * (v - mean(v)) / sqrt(var(v) + 1e-5) + bias::

        i, f, o = sigmoid(N(W_ih x_t) + N(W_hh h_{t-1})), g likewise with tanh
        h_t     = o * tanh(N(c_t))

    References
    ----------
    .. [1] Hochreiter and Schmidhuber, Long short-term memory, 1997.
    .. [2] Gers, Schmidhuber and Cummins, Learning to forget, 2000: the forget gate.
    .. [3] Greff et al., LSTM: a search space odyssey, 2017: coupled input and forget gates (CIFG).
    .. [4] Sak, Senior and Beaufays, Long short-term memory recurrent neural network architectures
       for large scale acoustic modeling, 2014: the projection (LSTMP).
    .. [5] Ba, Kiros and Hinton, Layer normalization, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> import rnnfast
    >>> x, w_ih, w_hh = np.ones((5, 2, 3)), np.zeros((16, 3)), np.zeros((16, 4))
    >>> y, h_n, c_n = rnnfast.lstm(x, w_ih, w_hh)
    >>> y.shape, h_n.shape
    ((5, 2, 4), (2, 4))
    """
    cell = cells.lstm(
        forget_gate, activations, clip, w_hr=w_hr, peephole=peephole, layer_norm=layer_norm
    )
    network = Network(
        cell,
        x,
        inputs.Given(w_ih, w_hh, b_ih, b_hh, w_hr, peephole, layer_norm),
        h0,
        c0,
        lengths=lengths,
        resets=resets,
        reverse=reverse,
        bidirectional=bidirectional,
        noise=noise(cell, dropout, input_dropout, recurrent_dropout, weight_dropout, zoneout, seed),
    )
    return LSTMOutput(*network.forward())


def lstm_vjp(
    x: npt.ArrayLike,
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    *,
    h0: npt.ArrayLike | None = None,
    c0: npt.ArrayLike | None = None,
    w_hr: Weights | None = None,
    peephole: Weights | None = None,
    layer_norm: Weights | None = None,
    forget_gate: str = "own",
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
    zoneout: float | tuple[float, float] = 0.0,
    seed: int | None = None,
    truncate: int | None = None,
    checkpoint: bool = False,
    wrt: Collection[str] | None = None,
) -> tuple[LSTMOutput, LSTMPullback]:
    """Run an LSTM and return its results with the function that takes gradients back through it.

    Arguments, results and errors are those of `lstm`, and `wrt`. The arguments must stay
    unmodified until the pullback has been called for the last time; the results may be changed.

    Parameters
    ----------
    x, w_ih, w_hh, b_ih, b_hh, h0, c0, w_hr, peephole, layer_norm, forget_gate, activations, clip, \
    lengths, resets, reverse, bidirectional, dropout, input_dropout, recurrent_dropout, \
    weight_dropout, zoneout, seed
        As for `lstm`.
    truncate : int, optional
        Cut the gradient every so many steps, counted from the first one that a sequence takes: the
        state before each of those steps counts as a constant (truncated backpropagation through
        time). Never by default.
    checkpoint : bool, default False
        Save only some states, about as many as the square root of T, and make the steps between
        them once more in the pullback: less memory for about a third more time, and the same
        gradients, bit for bit. Of several layers, what each hands to the next is kept all the same.
    wrt : collection of str, optional
        Names of the arguments whose gradients are wanted, of `LSTMGrads._fields`; by default all.
        What only the others need is not computed.

    Returns
    -------
    output : LSTMOutput
        As from `lstm`.
    pullback : LSTMPullback
        `pullback(dy, dh_n, dc_n)` returns `LSTMGrads`. Gradients of absent weights and of what is
        not in `wrt` are None; those of `h0` and `c0` are there also when these are not given.

    Raises
    ------
    ValueError
        As `lstm`, and if `wrt` holds another name.
    TypeError
        As `lstm`, and if `wrt` is a string or no collection.

    Examples
    --------
    >>> import numpy as np
    >>> import rnnfast
    >>> x, w_ih, w_hh = np.ones((5, 2, 3)), np.zeros((16, 3)), np.zeros((16, 4))
    >>> (y, h_n, c_n), pullback = rnnfast.lstm_vjp(x, w_ih, w_hh, wrt=["w_hh", "h0"])
    >>> grads = pullback(dy=np.ones_like(y))
    >>> grads.w_hh.shape, grads.x is None
    ((16, 4), True)
    """
    truncate = options.interval("truncate", truncate)
    checkpoint = options.flag("checkpoint", checkpoint)
    wanted = options.wanted(wrt, LSTMGrads._fields)
    cell = cells.lstm(
        forget_gate, activations, clip, w_hr=w_hr, peephole=peephole, layer_norm=layer_norm
    )
    network = Network(
        cell,
        x,
        inputs.Given(w_ih, w_hh, b_ih, b_hh, w_hr, peephole, layer_norm),
        h0,
        c0,
        lengths=lengths,
        resets=resets,
        reverse=reverse,
        bidirectional=bidirectional,
        noise=noise(cell, dropout, input_dropout, recurrent_dropout, weight_dropout, zoneout, seed),
    )
    forward = network.forward_saving_checkpoints if checkpoint else network.forward_saving
    results, saved = forward()
    return LSTMOutput(*results), LSTMPullback(network, saved, truncate, wanted)
