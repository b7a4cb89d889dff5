"""Light gated recurrent unit: a GRU without a reset gate, with a rectified candidate.

    z   = sigmoid(W_iz x_t + b_iz + W_hz h_{t-1} + b_hz)
    n   = relu(W_in x_t + b_in + W_hn h_{t-1} + b_hn)
    h_t = z * h_{t-1} + (1 - z) * n

The rows of `w_ih` (2*H, I), `w_hh` (2*H, H) and the biases (2*H,) are in the order z n.

Source: Ravanelli, Brakel, Omologo and Bengio, Light gated recurrent units for speech recognition,
2018, without its batch normalization.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, overload

import numpy.typing as npt

from .._check import Array
from .family import Family
from .hidden_state import HiddenGrads, HiddenOutput, HiddenPullback
from .options import CallOptions, Stacked, TraceOptions, VjpOptions, Weights
from .results import Trace, WeightT, described

if TYPE_CHECKING:
    from typing_extensions import Unpack


@described
class LightGRUOutput(HiddenOutput):
    """Outputs of a light GRU."""

    __slots__ = ()


@described
class LightGRUGrads(HiddenGrads[WeightT]):
    """Gradients of a scalar by the arguments of a light GRU; G = 2, z n."""

    __slots__ = ()


class LightGRUPullback(HiddenPullback["LightGRUGrads[WeightT]"], Generic[WeightT]):
    """From gradients by the results of a light GRU to gradients by its arguments."""

    __slots__ = ()
    form = LightGRUGrads


_LIGHT_GRU = Family("light_gru", "z n", LightGRUOutput, LightGRUPullback, Trace)


@_LIGHT_GRU.face(CallOptions)
def light_gru(
    x: npt.ArrayLike,
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    **options: Unpack[CallOptions],
) -> LightGRUOutput:
    """Run a light GRU over a batch of sequences."""
    return _LIGHT_GRU.forward(options, x, w_ih, w_hh, b_ih, b_hh)


@overload
def light_gru_vjp(
    x: npt.ArrayLike,
    w_ih: Stacked,
    w_hh: Stacked,
    b_ih: Stacked | None = None,
    b_hh: Stacked | None = None,
    **options: Unpack[VjpOptions],
) -> tuple[LightGRUOutput, LightGRUPullback[Sequence[Array]]]: ...
@overload
def light_gru_vjp(
    x: npt.ArrayLike,
    w_ih: npt.ArrayLike,
    w_hh: npt.ArrayLike,
    b_ih: npt.ArrayLike | None = None,
    b_hh: npt.ArrayLike | None = None,
    **options: Unpack[VjpOptions],
) -> tuple[LightGRUOutput, LightGRUPullback[Array]]: ...
@_LIGHT_GRU.face(VjpOptions)
def light_gru_vjp(
    x: npt.ArrayLike,
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    **options: Unpack[VjpOptions],
) -> tuple[LightGRUOutput, LightGRUPullback[Any]]:
    """Run a light GRU and return its results with the function that takes gradients back."""
    return _LIGHT_GRU.with_derivatives(options, x, w_ih, w_hh, b_ih, b_hh)


@_LIGHT_GRU.face(TraceOptions)
def light_gru_trace(
    x: npt.ArrayLike,
    w_ih: npt.ArrayLike,
    w_hh: npt.ArrayLike,
    b_ih: npt.ArrayLike | None = None,
    b_hh: npt.ArrayLike | None = None,
    **options: Unpack[TraceOptions],
) -> Trace:
    """Run a light GRU and return, beside its results, its gates z n."""
    return _LIGHT_GRU.tracing(options, x, w_ih, w_hh, b_ih, b_hh)
