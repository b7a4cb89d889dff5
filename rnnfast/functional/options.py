"""Options of the public functions: their types and what they say, each once.

A function takes them by keyword, as one of the dictionaries below. It has their names, types and
defaults in its signature, and their descriptions in its docstring (`documentation`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, TypeAlias, TypedDict

import numpy.typing as npt

from .._check.activations import Choices as Activations
from .._check.precision import Precision

__all__ = [
    "Activations",
    "CallOptions",
    "PackOptions",
    "Precision",
    "Stacked",
    "State",
    "TraceOptions",
    "VjpOptions",
    "Weights",
]

Weights: TypeAlias = npt.ArrayLike | Sequence[npt.ArrayLike]
"""Weights of one layer, or of each layer and direction."""

Stacked: TypeAlias = Sequence[npt.NDArray[Any]]
"""Weights of each layer and direction, as a checker can tell them from those of one."""

State: TypeAlias = npt.ArrayLike | tuple[npt.ArrayLike, npt.ArrayLike]
"""h, or (h, c) of an LSTM."""


class _HiddenState(TypedDict, total=False):
    """The state that every cell has.

    Parameters
    ----------
    h0 : array_like, shape (B, H), optional
        Hidden state before the first step, zero by default.
    state : array_like (B, H), or (h, c) for an LSTM, optional
        The same in one, whichever the cell: what `state` of an output is, to go on from there; in
        place of `h0` and `c0`.
    """

    h0: npt.ArrayLike | None
    state: State | None


class _CellOptions(TypedDict, total=False):
    """What a cell computes.

    Parameters
    ----------
    activations : str, tuple or sequence of these, optional
        Of the gates, the candidate and the output, those of them that the cell has: ONNX's f, g
        and h. The functions are those of `rnn`; by default the ones in the equations.
    clip : float, optional
        Bound of what every activation sees, [-clip, clip]; None by default.
    """

    activations: Activations | None
    clip: float | None


class _Steps(TypedDict, total=False):
    """Which steps are taken.

    Parameters
    ----------
    lengths : array_like of int, shape (B,), optional
        Steps of each sequence, 0 to T, in any order; all have T by default. Each comes out as if
        run alone: what `x` holds past its end is never read, `y` is zero there, and the last
        states follow its own last step. Length 0 hands the initial state on.
    resets : array_like of bool, shape (T, B), optional
        Where True, the state before that step is zero: the sequence begins anew, as episodes and
        packed documents do. Nowhere by default.
    batch_first : bool, default False
        Take `x` as (B, T, I) and `resets` as (B, T), and give `y`, and all else that has steps, in
        that order: views, of which nothing is copied. States and `lengths` stay as they are.
    """

    lengths: npt.ArrayLike | None
    resets: npt.ArrayLike | None
    batch_first: bool


class _Reverse(TypedDict, total=False):
    """In which direction they are taken.

    Parameters
    ----------
    reverse : bool, default False
        Run from the last step to the first: `y[t]` still belongs to `x[t]`, and the last states
        follow `x[0]`.
    """

    reverse: bool


class _Bidirectional(TypedDict, total=False):
    """Whether they are taken in both.

    Parameters
    ----------
    bidirectional : bool, default False
        Run each layer in both directions, with weights of its own for each.
    """

    bidirectional: bool


class _Dropout(TypedDict, total=False):
    """What is drawn in training alone.

    Parameters
    ----------
    dropout : float, default 0.0
        Between layers, the probability that a number is zeroed, the others being divided by what
        is left. It, and the rates below, act only with a `seed`; a call for gradients without one
        warns, and so does `dropout` of a single layer.
    input_dropout, recurrent_dropout : float, default 0.0
        The same for what each layer takes, and for h where it meets `w_hh`, with one mask for all
        steps of a sequence and all gates.
    weight_dropout : float, default 0.0
        The same for `w_hh` itself, with one mask for the call (DropConnect).
    """

    dropout: float
    input_dropout: float
    recurrent_dropout: float
    weight_dropout: float


class _Zoneout(TypedDict, total=False):
    """What is drawn in training, and a mean at inference.

    Parameters
    ----------
    zoneout : float or (float, float), default 0.0
        The probability that a number of the state keeps the value of the step before; of an LSTM
        one for h and c, or one each. Without a `seed`, as at inference, it is the mean of the two
        values.
    """

    zoneout: float | tuple[float, float]


class _Seed(TypedDict, total=False):
    """Where what is drawn comes from.

    Parameters
    ----------
    seed : int, optional
        Of what is drawn at random, which depends on it and the sizes alone; None, the default, is
        inference, without dropout.
    """

    seed: int | None


class _OfGradients(TypedDict, total=False):
    """What the functions with derivatives take beside.

    Parameters
    ----------
    truncate : int, optional
        Cut the gradient every so many steps, counted from the first one that a sequence takes: the
        state before each of those steps counts as a constant (truncated backpropagation through
        time). Never by default.
    checkpoint : bool, default False
        Save only some states, about as many as the square root of T, and make the steps between
        them once more in the pullback: less memory for about a third more time, and the same
        gradients, bit for bit. Of several layers, what each hands to the next is kept all the same.
    per_sample : bool, default False
        Give the gradient of each weight for each sequence by itself, (B, ...): what B calls of one
        sequence each give, in one pass. They differ from these, and their sum from the gradient of
        the batch, by rounding alone. `x` and states have a gradient for each sequence anyway. Takes
        memory for B gradients; not with `checkpoint`.
    wrt : collection of str, optional
        Names of the arguments whose gradients are wanted, by default of all. What only the
        others need is not computed.
    precision : {"bfloat16"}, optional
        What enters a product (weights, `x`, h, and the gradients that go back) is rounded to, in
        both passes, to the nearest number and of two to the even one. Sums, states, gates and
        gradients stay float32, and so must the arrays be. By default nothing is rounded.
    """

    truncate: int | None
    checkpoint: bool
    per_sample: bool
    wrt: Collection[str] | None
    precision: str | None


class TraceOptions(_HiddenState, _CellOptions, _Steps, _Reverse, total=False):
    """Options of every ``*_trace``."""


class CallOptions(TraceOptions, _Bidirectional, _Dropout, _Zoneout, _Seed, total=False):
    """Options of every forward pass."""


class VjpOptions(CallOptions, _OfGradients, total=False):
    """Options of every ``*_vjp``."""


class _OfKinds(TypedDict, total=False):
    """Those of single kinds of cells, as `prepack` takes them.

    Parameters
    ----------
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
    """

    w_hr: Weights | None
    peephole: Weights | None
    layer_norm: Weights | None
    nonlinearity: str
    forget_gate: str
    reset_after: bool


class _Precision(TypedDict, total=False):
    """What weights are kept in.

    Parameters
    ----------
    precision : {"bfloat16", "float16", "int8", "float32", "float64"}, optional
        What the matrices among the weights are kept in; None, the default, is what they are.
        "bfloat16" multiplies in it: x and h are rounded to it as well where they meet weights.
        "float16" is a type of storage, whose weights are widened where they are multiplied. Both
        are for inference with float32 arrays, in half of the memory; sums, states and results
        are float32. "int8" takes a quarter: whole numbers from -127 to 127, with a scale for each
        row of a matrix and for `x` of each sequence at each step, by its largest number, and 1/127
        for h, which must therefore begin within -1 and 1. It is for "lstm", "gru" and "rnn" with
        tanh, without options that change their equations. Matrices may come quantized, as
        `QuantizedWeight`.
    """

    precision: Precision | None


class _Sparse(TypedDict, total=False):
    """Whether zeros among the recurrent weights are skipped.

    Parameters
    ----------
    sparse : bool, default False
        For "lstm" and "gru" only: skip the blocks of `w_hh` that are all zero, of 16 units of a
        gate (rows g*H + 16*i and the 15 after it) at one k (a column). Results are equal as long as
        h is finite. It pays where most are, as `rnnfast.callbacks.BlockPruning` makes them; with
        matrices in their own type alone.
    """

    sparse: bool


class PackOptions(
    _OfKinds, _CellOptions, _Reverse, _Bidirectional, _Zoneout, _Precision, _Sparse, total=False
):
    """Options of `prepack`."""
