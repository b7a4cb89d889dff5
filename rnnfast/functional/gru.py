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

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, TypedDict, overload

import numpy.typing as npt

from .._check import Array
from .family import Family
from .hidden_state import HiddenOutput, HiddenPullback
from .options import CallOptions, Stacked, TraceOptions, VjpOptions, Weights
from .results import GenericNamedTuple, Grad, Trace, WeightT, described

if TYPE_CHECKING:
    from typing_extensions import Unpack


@described
class GRUOutput(HiddenOutput):
    """Outputs of a GRU."""

    __slots__ = ()


@described
class GRUGrads(GenericNamedTuple, Generic[WeightT]):
    """Gradients of a scalar by the arguments of a GRU; G = 3 in the order r z n."""

    x: Grad = None
    w_ih: WeightT | Any = None
    w_hh: WeightT | Any = None
    b_ih: WeightT | Any = None
    b_hh: WeightT | Any = None
    h0: Grad = None
    layer_norm: WeightT | Any = None


class GRUPullback(HiddenPullback["GRUGrads[WeightT]"], Generic[WeightT]):
    """From gradients by the results of a GRU to gradients by its arguments."""

    __slots__ = ()
    form = GRUGrads


class _Own(TypedDict, total=False):
    layer_norm: Weights | None
    reset_after: bool


class GRUOptions(_Own, CallOptions, total=False):
    """Options of `gru`."""


class GRUVjpOptions(_Own, VjpOptions, total=False):
    """Options of `gru_vjp`."""


class GRUTraceOptions(_Own, TraceOptions, total=False):
    """Options of `gru_trace`."""


_GRU = Family("gru", "r z n", GRUOutput, GRUPullback, Trace)


@_GRU.face(GRUOptions)
def gru(
    x: npt.ArrayLike,
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    **options: Unpack[GRUOptions],
) -> GRUOutput:
    """Run a GRU over a batch of sequences.

    Parameters
    ----------
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
    """
    return _GRU.forward(options, x, w_ih, w_hh, b_ih, b_hh)


@overload
def gru_vjp(
    x: npt.ArrayLike,
    w_ih: Stacked,
    w_hh: Stacked,
    b_ih: Stacked | None = None,
    b_hh: Stacked | None = None,
    **options: Unpack[GRUVjpOptions],
) -> tuple[GRUOutput, GRUPullback[Sequence[Array]]]: ...
@overload
def gru_vjp(
    x: npt.ArrayLike,
    w_ih: npt.ArrayLike,
    w_hh: npt.ArrayLike,
    b_ih: npt.ArrayLike | None = None,
    b_hh: npt.ArrayLike | None = None,
    **options: Unpack[GRUVjpOptions],
) -> tuple[GRUOutput, GRUPullback[Array]]: ...
@_GRU.face(GRUVjpOptions)
def gru_vjp(
    x: npt.ArrayLike,
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    **options: Unpack[GRUVjpOptions],
) -> tuple[GRUOutput, GRUPullback[Any]]:
    """Run a GRU and return its results with the function that takes gradients back through it."""
    return _GRU.with_derivatives(options, x, w_ih, w_hh, b_ih, b_hh)


@_GRU.face(GRUTraceOptions)
def gru_trace(
    x: npt.ArrayLike,
    w_ih: npt.ArrayLike,
    w_hh: npt.ArrayLike,
    b_ih: npt.ArrayLike | None = None,
    b_hh: npt.ArrayLike | None = None,
    **options: Unpack[GRUTraceOptions],
) -> Trace:
    """Run a GRU and return, beside its results, all gates r z n."""
    return _GRU.tracing(options, x, w_ih, w_hh, b_ih, b_hh)
