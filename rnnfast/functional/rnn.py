"""Vanilla recurrent network.

    h_t = f(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh),   f = tanh, relu or sigmoid

`w_ih` is (H, I), `w_hh` (H, H), the biases (H,).

Source: Elman, Finding structure in time, 1990, in the form of `torch.nn.RNN`; relu after Le, Jaitly
and Hinton, A simple way to initialize recurrent networks of rectified linear units, 2015.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, TypedDict, overload

import numpy.typing as npt

from .._check import Array
from .family import Family
from .hidden_state import HiddenGrads, HiddenOutput, HiddenPullback
from .options import CallOptions, Stacked, TraceOptions, VjpOptions, Weights
from .results import Trace, WeightT, described

if TYPE_CHECKING:
    from typing_extensions import Unpack


@described
class RNNOutput(HiddenOutput):
    """Outputs of a vanilla RNN."""

    __slots__ = ()


@described
class RNNGrads(HiddenGrads[WeightT]):
    """Gradients of a scalar by the arguments of a vanilla RNN; G = 1."""

    __slots__ = ()


class RNNPullback(HiddenPullback["RNNGrads[WeightT]"], Generic[WeightT]):
    """From gradients by the results of a vanilla RNN to gradients by its arguments."""

    __slots__ = ()
    form = RNNGrads


class _Own(TypedDict, total=False):
    nonlinearity: str


class RNNOptions(_Own, CallOptions, total=False):
    """Options of `rnn`."""


class RNNVjpOptions(_Own, VjpOptions, total=False):
    """Options of `rnn_vjp`."""


class RNNTraceOptions(_Own, TraceOptions, total=False):
    """Options of `rnn_trace`."""


_RNN = Family("rnn", "", RNNOutput, RNNPullback, Trace)


@_RNN.face(RNNOptions)
def rnn(
    x: npt.ArrayLike,
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    **options: Unpack[RNNOptions],
) -> RNNOutput:
    """Run a vanilla RNN over a batch of sequences.

    Parameters
    ----------
    nonlinearity : {"tanh", "relu", "sigmoid"}, default "tanh"
        The activation f.
    activations : str, tuple or sequence of one, optional
        Instead of `nonlinearity`, any of the functions below.

    Notes
    -----
    ::

        h_t = f(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)

    An activation is a name, or a tuple ``(name, alpha)`` or ``(name, alpha, beta)`` where it takes
    these; case and underscores do not matter, so that ONNX's spelling will do::

        relu                  max(x, 0)
        tanh, sigmoid
        affine                alpha x + beta                          alpha = 1, beta = 0
        leaky_relu            x if x >= 0 else alpha x                alpha = 0.01
        thresholded_relu      x if x >= alpha else 0                  alpha = 1
        scaled_tanh           alpha tanh(beta x)                      alpha = 1, beta = 1
        hard_sigmoid          min(max(alpha x + beta, 0), 1)          alpha = 0.2, beta = 0.5
        elu                   x if x > 0 else alpha (e^x - 1)         alpha = 1
        softsign              x / (1 + |x|)
        softplus              log(1 + e^x)
        linear, relu6, hard_tanh, selu, exponential                   as in Keras

    Their slopes are taken from their results. So alpha of leaky_relu, thresholded_relu and elu is
    at least 0, and that of scaled_tanh not 0.

    References
    ----------
    .. [1] Elman, Finding structure in time, 1990.
    .. [2] Le, Jaitly and Hinton, A simple way to initialize recurrent networks of rectified linear
       units, 2015: relu.
    """
    return _RNN.forward(options, x, w_ih, w_hh, b_ih, b_hh)


@overload
def rnn_vjp(
    x: npt.ArrayLike,
    w_ih: Stacked,
    w_hh: Stacked,
    b_ih: Stacked | None = None,
    b_hh: Stacked | None = None,
    **options: Unpack[RNNVjpOptions],
) -> tuple[RNNOutput, RNNPullback[Sequence[Array]]]: ...
@overload
def rnn_vjp(
    x: npt.ArrayLike,
    w_ih: npt.ArrayLike,
    w_hh: npt.ArrayLike,
    b_ih: npt.ArrayLike | None = None,
    b_hh: npt.ArrayLike | None = None,
    **options: Unpack[RNNVjpOptions],
) -> tuple[RNNOutput, RNNPullback[Array]]: ...
@_RNN.face(RNNVjpOptions)
def rnn_vjp(
    x: npt.ArrayLike,
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    **options: Unpack[RNNVjpOptions],
) -> tuple[RNNOutput, RNNPullback[Any]]:
    """Run an RNN and return its results with the function that takes gradients back through it."""
    return _RNN.with_derivatives(options, x, w_ih, w_hh, b_ih, b_hh)


@_RNN.face(RNNTraceOptions)
def rnn_trace(
    x: npt.ArrayLike,
    w_ih: npt.ArrayLike,
    w_hh: npt.ArrayLike,
    b_ih: npt.ArrayLike | None = None,
    b_hh: npt.ArrayLike | None = None,
    **options: Unpack[RNNTraceOptions],
) -> Trace:
    """Run a vanilla RNN and return, beside its results, its activations."""
    return _RNN.tracing(options, x, w_ih, w_hh, b_ih, b_hh)
