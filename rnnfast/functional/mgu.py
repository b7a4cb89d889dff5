"""Minimal gated unit: a GRU whose one gate both resets and updates.

    f   = sigmoid(W_if x_t + b_if + W_hf h_{t-1} + b_hf)
    n   = tanh(W_in x_t + b_in + W_hn (f * h_{t-1}) + b_hn)
    h_t = (1 - f) * h_{t-1} + f * n

The rows of `w_ih` (2*H, I), `w_hh` (2*H, H) and the biases (2*H,) are in the order f n.

Source: Zhou, Wu, Zhang and Zhou, Minimal gated unit for recurrent neural networks, 2016.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy.typing as npt

from .._check import cells, inputs, options
from ..engine.network import Network
from ..engine.noise import noise
from ._pullback import Pullback
from .results import Activations, MGUGrads, MGUOutput, Weights


class MGUPullback(Pullback[MGUGrads]):
    """From gradients by the results of a minimal gated unit to gradients by its arguments.

    Made by `mgu_vjp`. It may be called any number of times, also by several threads, as long as
    the arguments of `mgu_vjp` stay unmodified.
    """

    __slots__ = ()

    _form = MGUGrads

    def __call__(
        self,
        dy: npt.ArrayLike | None = None,
        dh_n: npt.ArrayLike | None = None,
        *,
        out: MGUGrads | None = None,
    ) -> MGUGrads:
        """Return the gradients of a scalar L by the arguments.

        Parameters
        ----------
        dy : array_like, shape (T, B, H), optional
            dL/dy; here and below None is zero.
        dh_n : array_like, shape (B, H), optional
            dL/dh_n.
        out : MGUGrads, optional
            Arrays that the gradients are added to and that are returned in their place; where a
            field is None, as all are by default, a fresh array is returned.

        Returns
        -------
        MGUGrads

        Raises
        ------
        ValueError
            If a shape does not fit.
        TypeError
            If a dtype is not that of `x`, or `out` is not a `MGUGrads`.
        MemoryError
            If a gradient does not fit into memory.
        """
        return self._pull(dy, dh_n, None, out)


def mgu(
    x: npt.ArrayLike,
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    *,
    h0: npt.ArrayLike | None = None,
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
) -> MGUOutput:
    """Run a minimal gated unit over a batch of sequences.

    All arrays are float32 or all are float64. Any strides will do; a batch-first array is passed
    as `x.swapaxes(0, 1)`, which copies nothing.

    Layers stack: each of `w_ih`, `w_hh`, `b_ih`, `b_hh` may be a sequence of arrays, layer by
    layer, and of each layer, if `bidirectional`, forward before reverse. With L layers of D
    directions the states are (L*D, B, H), `y` is (T, B, D*H), and upper layers have D*H inputs.

    Parameters
    ----------
    x : array_like, shape (T, B, I)
        T steps of B sequences of I inputs.
    w_ih : array_like, shape (2*H, I)
        Input weights, rows in the order f n.
    w_hh : array_like, shape (2*H, H)
        Recurrent weights, rows in the order f n.
    b_ih, b_hh : array_like, shape (2*H,), optional
        Biases, each zero by default.
    h0 : array_like, shape (B, H), optional
        Hidden state before the first step, zero by default.
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
    MGUOutput
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
    mgu_vjp : the same with exact derivatives.
    prepack : the same on weights that are packed once.

    Notes
    -----
    ::

        f   = sigmoid(W_if x_t + b_if + W_hf h_{t-1} + b_hf)
        n   = tanh(W_in x_t + b_in + W_hn (f * h_{t-1}) + b_hn)
        h_t = (1 - f) * h_{t-1} + f * n

    References
    ----------
    .. [1] Zhou, Wu, Zhang and Zhou, Minimal gated unit for recurrent neural networks, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> import rnnfast
    >>> x, w_ih, w_hh = np.ones((5, 2, 3)), np.zeros((8, 3)), np.zeros((8, 4))
    >>> y, h_n = rnnfast.mgu(x, w_ih, w_hh)
    >>> y.shape, h_n.shape
    ((5, 2, 4), (2, 4))
    """
    cell = cells.mgu(activations, clip)
    network = Network(
        cell,
        x,
        inputs.Given(w_ih, w_hh, b_ih, b_hh),
        h0,
        lengths=lengths,
        resets=resets,
        reverse=reverse,
        bidirectional=bidirectional,
        noise=noise(cell, dropout, input_dropout, recurrent_dropout, weight_dropout, zoneout, seed),
    )
    return MGUOutput(*network.forward())


def mgu_vjp(
    x: npt.ArrayLike,
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    *,
    h0: npt.ArrayLike | None = None,
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
) -> tuple[MGUOutput, MGUPullback]:
    """Run a minimal gated unit and return its results with the function that takes gradients back.

    Arguments, results and errors are those of `mgu`, and `wrt`. The arguments must stay unmodified
    until the pullback has been called for the last time; the results may be changed.

    Parameters
    ----------
    x, w_ih, w_hh, b_ih, b_hh, h0, activations, clip, lengths, resets, reverse, bidirectional, \
    dropout, input_dropout, recurrent_dropout, weight_dropout, zoneout, seed
        As for `mgu`.
    truncate : int, optional
        Cut the gradient every so many steps, counted from the first one that a sequence takes: the
        state before each of those steps counts as a constant (truncated backpropagation through
        time). Never by default.
    checkpoint : bool, default False
        Save only some states, about as many as the square root of T, and make the steps between
        them once more in the pullback: less memory for about a third more time, and the same
        gradients, bit for bit. Of several layers, what each hands to the next is kept all the same.
    wrt : collection of str, optional
        Names of the arguments whose gradients are wanted, of `MGUGrads._fields`; by default all.
        What only the others need is not computed.

    Returns
    -------
    output : MGUOutput
        As from `mgu`.
    pullback : MGUPullback
        `pullback(dy, dh_n)` returns `MGUGrads`. Gradients of absent biases and of what is not in
        `wrt` are None; that of `h0` is there also when it is not given.

    Raises
    ------
    ValueError
        As `mgu`, and if `wrt` holds another name.
    TypeError
        As `mgu`, and if `wrt` is a string or no collection.

    Examples
    --------
    >>> import numpy as np
    >>> import rnnfast
    >>> x, w_ih, w_hh = np.ones((5, 2, 3)), np.zeros((8, 3)), np.zeros((8, 4))
    >>> (y, h_n), pullback = rnnfast.mgu_vjp(x, w_ih, w_hh, wrt=["w_hh", "h0"])
    >>> grads = pullback(dy=np.ones_like(y))
    >>> grads.w_hh.shape, grads.x is None
    ((8, 4), True)
    """
    truncate = options.interval("truncate", truncate)
    checkpoint = options.flag("checkpoint", checkpoint)
    wanted = options.wanted(wrt, MGUGrads._fields)
    cell = cells.mgu(activations, clip)
    network = Network(
        cell,
        x,
        inputs.Given(w_ih, w_hh, b_ih, b_hh),
        h0,
        lengths=lengths,
        resets=resets,
        reverse=reverse,
        bidirectional=bidirectional,
        noise=noise(cell, dropout, input_dropout, recurrent_dropout, weight_dropout, zoneout, seed),
    )
    forward = network.forward_saving_checkpoints if checkpoint else network.forward_saving
    results, saved = forward()
    return MGUOutput(*results), MGUPullback(network, saved, truncate, wanted)
