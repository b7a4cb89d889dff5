"""Weights packed once, to be run many times: inference and streaming."""

from __future__ import annotations

from typing import Any, Literal, overload

from .._check import Array
from .prepacked import Prepacked
from .results import Activations, GRUOutput, LSTMOutput, MGUOutput, RNNOutput, Weights


@overload
def prepack(
    cell: Literal["rnn"],
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    *,
    w_hr: Weights | None = None,
    peephole: Weights | None = None,
    layer_norm: Weights | None = None,
    nonlinearity: str = "tanh",
    forget_gate: str = "own",
    reset_after: bool = True,
    activations: Activations | None = None,
    clip: float | None = None,
    reverse: bool = False,
    bidirectional: bool = False,
    zoneout: float | tuple[float, float] = 0.0,
) -> Prepacked[RNNOutput, Array]: ...
@overload
def prepack(
    cell: Literal["lstm"],
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    *,
    w_hr: Weights | None = None,
    peephole: Weights | None = None,
    layer_norm: Weights | None = None,
    nonlinearity: str = "tanh",
    forget_gate: str = "own",
    reset_after: bool = True,
    activations: Activations | None = None,
    clip: float | None = None,
    reverse: bool = False,
    bidirectional: bool = False,
    zoneout: float | tuple[float, float] = 0.0,
) -> Prepacked[LSTMOutput, tuple[Array, Array]]: ...
@overload
def prepack(
    cell: Literal["gru"],
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    *,
    w_hr: Weights | None = None,
    peephole: Weights | None = None,
    layer_norm: Weights | None = None,
    nonlinearity: str = "tanh",
    forget_gate: str = "own",
    reset_after: bool = True,
    activations: Activations | None = None,
    clip: float | None = None,
    reverse: bool = False,
    bidirectional: bool = False,
    zoneout: float | tuple[float, float] = 0.0,
) -> Prepacked[GRUOutput, Array]: ...
@overload
def prepack(
    cell: Literal["mgu"],
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    *,
    w_hr: Weights | None = None,
    peephole: Weights | None = None,
    layer_norm: Weights | None = None,
    nonlinearity: str = "tanh",
    forget_gate: str = "own",
    reset_after: bool = True,
    activations: Activations | None = None,
    clip: float | None = None,
    reverse: bool = False,
    bidirectional: bool = False,
    zoneout: float | tuple[float, float] = 0.0,
) -> Prepacked[MGUOutput, Array]: ...
@overload
def prepack(
    cell: str,
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    *,
    w_hr: Weights | None = None,
    peephole: Weights | None = None,
    layer_norm: Weights | None = None,
    nonlinearity: str = "tanh",
    forget_gate: str = "own",
    reset_after: bool = True,
    activations: Activations | None = None,
    clip: float | None = None,
    reverse: bool = False,
    bidirectional: bool = False,
    zoneout: float | tuple[float, float] = 0.0,
) -> Prepacked[Any, Any]: ...
def prepack(
    cell: str,
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    *,
    w_hr: Weights | None = None,
    peephole: Weights | None = None,
    layer_norm: Weights | None = None,
    nonlinearity: str = "tanh",
    forget_gate: str = "own",
    reset_after: bool = True,
    activations: Activations | None = None,
    clip: float | None = None,
    reverse: bool = False,
    bidirectional: bool = False,
    zoneout: float | tuple[float, float] = 0.0,
) -> Prepacked[Any, Any]:
    """Copy and pack weights once, for many calls.

    Layers stack as for the functions: each of `w_ih`, `w_hh`, `b_ih`, `b_hh` may be a sequence of
    arrays, layer by layer, and of each layer, if `bidirectional`, forward before reverse.

    Parameters
    ----------
    cell : {"rnn", "lstm", "gru", "mgu"}
        The kind of cell; G is 1, 4, 3 or 2.
    w_ih : array_like, shape (G*H, I)
        Input weights in the gate order of `rnn`, `lstm`, `gru` or `mgu`.
    w_hh : array_like, shape (G*H, H)
        Recurrent weights.
    b_ih, b_hh : array_like, shape (G*H,), optional
        Biases, each zero by default.
    w_hr : array_like, shape (R, H), optional
        For "lstm" only: the projection of h, as for `lstm`; `w_hh` is (G*H, R) then. None by
        default.
    peephole : array_like, shape (3*H,), optional
        For "lstm" only: weights of c in the gates, as for `lstm`.
    layer_norm : array_like, optional
        For "lstm" and "gru" only: as for `lstm`, `gru`.
    nonlinearity : {"tanh", "relu", "sigmoid"}, default "tanh"
        For "rnn" only: its activation.
    forget_gate : {"own", "coupled", "none"}, default "own"
        For "lstm" only: as for `lstm`; other than "own", G is 3.
    reset_after : bool, default True
        For "gru" only: where the reset gate acts.
    activations : str, tuple or sequence of these, optional
        As for `rnn`, `lstm`, `gru` or `mgu`.
    clip : float, optional
        Bound of what every activation sees, [-clip, clip].
    reverse : bool, default False
        Run sequences from the last step to the first.
    bidirectional : bool, default False
        Run each layer in both directions, with weights of its own for each.
    zoneout : float or (float, float), default 0.0
        How much of h, and of c, a step keeps of the step before; see `lstm`. One for both or, for
        an LSTM, one each.

    Returns
    -------
    Prepacked
        `cell(x, h0=None, c0=None)` runs sequences and `cell.step(x_t, state)` single steps, if
        there is one direction, forward.

    Raises
    ------
    ValueError
        If a shape does not fit, an option is unknown or of another kind of cell, or the type of the
        arrays cannot hold a number like `clip`.
    TypeError
        If an array is not float32 or float64, or not of the dtype of `w_ih`.
    MemoryError
        If the copies do not fit into memory.

    Examples
    --------
    >>> import numpy as np
    >>> import rnnfast
    >>> cell = rnnfast.prepack("gru", np.zeros((12, 3)), np.zeros((12, 4)))
    >>> h = None
    >>> for x_t in np.ones((5, 2, 3)):
    ...     h = cell.step(x_t, h)
    >>> h.shape
    (2, 4)
    """
    return Prepacked(
        cell,
        w_ih,
        w_hh,
        b_ih,
        b_hh,
        w_hr=w_hr,
        peephole=peephole,
        layer_norm=layer_norm,
        nonlinearity=nonlinearity,
        forget_gate=forget_gate,
        reset_after=reset_after,
        activations=activations,
        clip=clip,
        reverse=reverse,
        bidirectional=bidirectional,
        zoneout=zoneout,
    )
