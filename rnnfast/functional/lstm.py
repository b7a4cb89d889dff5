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

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypedDict, overload

import numpy.typing as npt

from .._check import Array
from ..engine.pullback import Pullback
from .family import Family
from .options import CallOptions, Stacked, TraceOptions, VjpOptions, Weights
from .results import GenericNamedTuple, Grad, LSTMTrace, WeightT, described

if TYPE_CHECKING:
    from typing_extensions import Unpack


@described
class LSTMOutput(NamedTuple):
    """Outputs of an LSTM."""

    y: Array
    h_n: Array
    c_n: Array

    @property
    def state(self) -> tuple[Array, Array]:
        """(h_n, c_n): where the next call goes on with ``state=``."""
        return self.h_n, self.c_n


@described
class LSTMGrads(GenericNamedTuple, Generic[WeightT]):
    """Gradients of a scalar by the arguments of an LSTM; G = 4 in the order i f g o."""

    x: Grad = None
    w_ih: WeightT | Any = None
    w_hh: WeightT | Any = None
    b_ih: WeightT | Any = None
    b_hh: WeightT | Any = None
    h0: Grad = None
    c0: Grad = None
    w_hr: WeightT | Any = None
    peephole: WeightT | Any = None
    layer_norm: WeightT | Any = None


class LSTMPullback(Pullback["LSTMGrads[WeightT]"], Generic[WeightT]):
    """From gradients by the results of an LSTM to gradients by its arguments.

    Made by `lstm_vjp`. It may be called any number of times, also by several threads, as long as
    the arguments of `lstm_vjp` stay unmodified.
    """

    __slots__ = ()
    form = LSTMGrads

    def __call__(
        self,
        dy: npt.ArrayLike | None = None,
        dh_n: npt.ArrayLike | None = None,
        dc_n: npt.ArrayLike | None = None,
        *,
        out: LSTMGrads[WeightT] | None = None,
    ) -> LSTMGrads[WeightT]:
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
            If a shape does not fit, or an array of the forward pass was seen to have changed.
        TypeError
            If a dtype is not that of `x`, or `out` is not an `LSTMGrads`.
        MemoryError
            If a gradient does not fit into memory.
        """
        return self._pull(dy, dh_n, dc_n, out)


class _Own(TypedDict, total=False):
    c0: npt.ArrayLike | None
    w_hr: Weights | None
    peephole: Weights | None
    layer_norm: Weights | None
    forget_gate: str


class LSTMOptions(_Own, CallOptions, total=False):
    """Options of `lstm`."""


class LSTMVjpOptions(_Own, VjpOptions, total=False):
    """Options of `lstm_vjp`."""


class LSTMTraceOptions(_Own, TraceOptions, total=False):
    """Options of `lstm_trace`."""


_LSTM = Family("lstm", "i f g o", LSTMOutput, LSTMPullback, LSTMTrace)


@_LSTM.face(LSTMOptions)
def lstm(
    x: npt.ArrayLike,
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    **options: Unpack[LSTMOptions],
) -> LSTMOutput:
    """Run an LSTM over a batch of sequences.

    Parameters
    ----------
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
    """
    return _LSTM.forward(options, x, w_ih, w_hh, b_ih, b_hh)


@overload
def lstm_vjp(
    x: npt.ArrayLike,
    w_ih: Stacked,
    w_hh: Stacked,
    b_ih: Stacked | None = None,
    b_hh: Stacked | None = None,
    **options: Unpack[LSTMVjpOptions],
) -> tuple[LSTMOutput, LSTMPullback[Sequence[Array]]]: ...
@overload
def lstm_vjp(
    x: npt.ArrayLike,
    w_ih: npt.ArrayLike,
    w_hh: npt.ArrayLike,
    b_ih: npt.ArrayLike | None = None,
    b_hh: npt.ArrayLike | None = None,
    **options: Unpack[LSTMVjpOptions],
) -> tuple[LSTMOutput, LSTMPullback[Array]]: ...
@_LSTM.face(LSTMVjpOptions)
def lstm_vjp(
    x: npt.ArrayLike,
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    **options: Unpack[LSTMVjpOptions],
) -> tuple[LSTMOutput, LSTMPullback[Any]]:
    """Run an LSTM and return its results with the function that takes gradients back through it."""
    return _LSTM.with_derivatives(options, x, w_ih, w_hh, b_ih, b_hh)


@_LSTM.face(LSTMTraceOptions)
def lstm_trace(
    x: npt.ArrayLike,
    w_ih: npt.ArrayLike,
    w_hh: npt.ArrayLike,
    b_ih: npt.ArrayLike | None = None,
    b_hh: npt.ArrayLike | None = None,
    **options: Unpack[LSTMTraceOptions],
) -> LSTMTrace:
    """Run an LSTM and return, beside its results, all gates and cell states."""
    return _LSTM.tracing(options, x, w_ih, w_hh, b_ih, b_hh)
