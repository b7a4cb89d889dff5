"""The same passes with a look inside: what the gates were at every step."""

from __future__ import annotations

import numpy.typing as npt

from .._check import cells, inputs, options
from ..engine.network import Network
from ..engine.noise import QUIET
from .results import Activations, LSTMTrace, Trace


def rnn_trace(
    x: npt.ArrayLike,
    w_ih: npt.ArrayLike,
    w_hh: npt.ArrayLike,
    b_ih: npt.ArrayLike | None = None,
    b_hh: npt.ArrayLike | None = None,
    *,
    h0: npt.ArrayLike | None = None,
    nonlinearity: str = "tanh",
    activations: Activations | None = None,
    clip: float | None = None,
    lengths: npt.ArrayLike | None = None,
    resets: npt.ArrayLike | None = None,
    reverse: bool = False,
) -> Trace:
    """Run a vanilla RNN and return, beside its results, its activations.

    Parameters
    ----------
    x, w_ih, w_hh, b_ih, b_hh, h0, nonlinearity, activations, clip, lengths, resets, reverse
        As for `rnn`; of one layer.

    Returns
    -------
    Trace
        Fresh arrays; `y` and the last states are those of `rnn`.

    Raises
    ------
    ValueError, TypeError, MemoryError
        As `rnn`, and a ValueError for sequences of weights.

    Examples
    --------
    >>> import numpy as np
    >>> import rnnfast
    >>> x, w_ih, w_hh = np.ones((5, 2, 3)), np.zeros((4, 3)), np.zeros((4, 4))
    >>> rnnfast.rnn_trace(x, w_ih, w_hh).gates.shape
    (5, 2, 1, 4)
    """
    network = Network(
        cells.rnn(nonlinearity, activations, clip),
        x,
        inputs.Given(w_ih, w_hh, b_ih, b_hh),
        h0,
        lengths=lengths,
        resets=resets,
        reverse=reverse,
        bidirectional=False,
        noise=QUIET,
    )
    return Trace(*network.forward_tracing())


def lstm_trace(
    x: npt.ArrayLike,
    w_ih: npt.ArrayLike,
    w_hh: npt.ArrayLike,
    b_ih: npt.ArrayLike | None = None,
    b_hh: npt.ArrayLike | None = None,
    *,
    h0: npt.ArrayLike | None = None,
    c0: npt.ArrayLike | None = None,
    w_hr: npt.ArrayLike | None = None,
    peephole: npt.ArrayLike | None = None,
    layer_norm: npt.ArrayLike | None = None,
    forget_gate: str = "own",
    activations: Activations | None = None,
    clip: float | None = None,
    lengths: npt.ArrayLike | None = None,
    resets: npt.ArrayLike | None = None,
    reverse: bool = False,
) -> LSTMTrace:
    """Run an LSTM and return, beside its results, all gates and cell states.

    Parameters
    ----------
    x, w_ih, w_hh, b_ih, b_hh, h0, c0, w_hr, peephole, layer_norm, forget_gate, activations, clip, \
    lengths, resets, reverse
        As for `lstm`; of one layer.

    Returns
    -------
    LSTMTrace
        Fresh arrays; `y` and the last states are those of `lstm`.

    Raises
    ------
    ValueError, TypeError, MemoryError
        As `lstm`, and a ValueError for sequences of weights.

    Examples
    --------
    >>> import numpy as np
    >>> import rnnfast
    >>> x, w_ih, w_hh = np.ones((5, 2, 3)), np.zeros((16, 3)), np.zeros((16, 4))
    >>> rnnfast.lstm_trace(x, w_ih, w_hh).gates.shape
    (5, 2, 4, 4)
    """
    network = Network(
        cells.lstm(
            forget_gate, activations, clip, w_hr=w_hr, peephole=peephole, layer_norm=layer_norm
        ),
        x,
        inputs.Given(w_ih, w_hh, b_ih, b_hh, w_hr, peephole, layer_norm),
        h0,
        c0,
        lengths=lengths,
        resets=resets,
        reverse=reverse,
        bidirectional=False,
        noise=QUIET,
    )
    return LSTMTrace(*network.forward_tracing())


def gru_trace(
    x: npt.ArrayLike,
    w_ih: npt.ArrayLike,
    w_hh: npt.ArrayLike,
    b_ih: npt.ArrayLike | None = None,
    b_hh: npt.ArrayLike | None = None,
    *,
    h0: npt.ArrayLike | None = None,
    layer_norm: npt.ArrayLike | None = None,
    reset_after: bool = True,
    activations: Activations | None = None,
    clip: float | None = None,
    lengths: npt.ArrayLike | None = None,
    resets: npt.ArrayLike | None = None,
    reverse: bool = False,
) -> Trace:
    """Run a GRU and return, beside its results, all gates r z n.

    Parameters
    ----------
    x, w_ih, w_hh, b_ih, b_hh, h0, layer_norm, reset_after, activations, clip, lengths, resets, \
    reverse
        As for `gru`; of one layer.

    Returns
    -------
    Trace
        Fresh arrays; `y` and the last states are those of `gru`.

    Raises
    ------
    ValueError, TypeError, MemoryError
        As `gru`, and a ValueError for sequences of weights.

    Examples
    --------
    >>> import numpy as np
    >>> import rnnfast
    >>> x, w_ih, w_hh = np.ones((5, 2, 3)), np.zeros((12, 3)), np.zeros((12, 4))
    >>> rnnfast.gru_trace(x, w_ih, w_hh).gates.shape
    (5, 2, 3, 4)
    """
    network = Network(
        cells.gru(
            options.flag("reset_after", reset_after), activations, clip, layer_norm=layer_norm
        ),
        x,
        inputs.Given(w_ih, w_hh, b_ih, b_hh, layer_norm=layer_norm),
        h0,
        lengths=lengths,
        resets=resets,
        reverse=reverse,
        bidirectional=False,
        noise=QUIET,
    )
    return Trace(*network.forward_tracing())


def mgu_trace(
    x: npt.ArrayLike,
    w_ih: npt.ArrayLike,
    w_hh: npt.ArrayLike,
    b_ih: npt.ArrayLike | None = None,
    b_hh: npt.ArrayLike | None = None,
    *,
    h0: npt.ArrayLike | None = None,
    activations: Activations | None = None,
    clip: float | None = None,
    lengths: npt.ArrayLike | None = None,
    resets: npt.ArrayLike | None = None,
    reverse: bool = False,
) -> Trace:
    """Run a minimal gated unit and return, beside its results, all gates f n.

    Parameters
    ----------
    x, w_ih, w_hh, b_ih, b_hh, h0, activations, clip, lengths, resets, reverse
        As for `mgu`; of one layer.

    Returns
    -------
    Trace
        Fresh arrays; `y` and the last states are those of `mgu`.

    Raises
    ------
    ValueError, TypeError, MemoryError
        As `mgu`, and a ValueError for sequences of weights.

    Examples
    --------
    >>> import numpy as np
    >>> import rnnfast
    >>> x, w_ih, w_hh = np.ones((5, 2, 3)), np.zeros((8, 3)), np.zeros((8, 4))
    >>> rnnfast.mgu_trace(x, w_ih, w_hh).gates.shape
    (5, 2, 2, 4)
    """
    network = Network(
        cells.mgu(activations, clip),
        x,
        inputs.Given(w_ih, w_hh, b_ih, b_hh),
        h0,
        lengths=lengths,
        resets=resets,
        reverse=reverse,
        bidirectional=False,
        noise=QUIET,
    )
    return Trace(*network.forward_tracing())
