"""Minimal gated unit: a GRU whose one gate both resets and updates.

    f   = sigmoid(W_if x_t + b_if + W_hf h_{t-1} + b_hf)
    n   = tanh(W_in x_t + b_in + W_hn (f * h_{t-1}) + b_hn)
    h_t = (1 - f) * h_{t-1} + f * n

The rows of `w_ih` (2*H, I), `w_hh` (2*H, H) and the biases (2*H,) are in the order f n.

Source: Zhou, Wu, Zhang and Zhou, Minimal gated unit for recurrent neural networks, 2016.
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
class MGUOutput(HiddenOutput):
    """Outputs of a minimal gated unit."""

    __slots__ = ()


@described
class MGUGrads(HiddenGrads[WeightT]):
    """Gradients of a scalar by the arguments of a minimal gated unit; G = 2, f n."""

    __slots__ = ()


class MGUPullback(HiddenPullback["MGUGrads[WeightT]"], Generic[WeightT]):
    """From gradients by the results of a minimal gated unit to gradients by its arguments."""

    __slots__ = ()
    form = MGUGrads


_MGU = Family("mgu", "f n", MGUOutput, MGUPullback, Trace)


@_MGU.face(CallOptions)
def mgu(
    x: npt.ArrayLike,
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    **options: Unpack[CallOptions],
) -> MGUOutput:
    """Run a minimal gated unit over a batch of sequences."""
    return _MGU.forward(options, x, w_ih, w_hh, b_ih, b_hh)


@overload
def mgu_vjp(
    x: npt.ArrayLike,
    w_ih: Stacked,
    w_hh: Stacked,
    b_ih: Stacked | None = None,
    b_hh: Stacked | None = None,
    **options: Unpack[VjpOptions],
) -> tuple[MGUOutput, MGUPullback[Sequence[Array]]]: ...
@overload
def mgu_vjp(
    x: npt.ArrayLike,
    w_ih: npt.ArrayLike,
    w_hh: npt.ArrayLike,
    b_ih: npt.ArrayLike | None = None,
    b_hh: npt.ArrayLike | None = None,
    **options: Unpack[VjpOptions],
) -> tuple[MGUOutput, MGUPullback[Array]]: ...
@_MGU.face(VjpOptions)
def mgu_vjp(
    x: npt.ArrayLike,
    w_ih: Weights,
    w_hh: Weights,
    b_ih: Weights | None = None,
    b_hh: Weights | None = None,
    **options: Unpack[VjpOptions],
) -> tuple[MGUOutput, MGUPullback[Any]]:
    """Run a minimal gated unit and return its results with a pullback of gradients."""
    return _MGU.with_derivatives(options, x, w_ih, w_hh, b_ih, b_hh)


@_MGU.face(TraceOptions)
def mgu_trace(
    x: npt.ArrayLike,
    w_ih: npt.ArrayLike,
    w_hh: npt.ArrayLike,
    b_ih: npt.ArrayLike | None = None,
    b_hh: npt.ArrayLike | None = None,
    **options: Unpack[TraceOptions],
) -> Trace:
    """Run a minimal gated unit and return, beside its results, all gates f n."""
    return _MGU.tracing(options, x, w_ih, w_hh, b_ih, b_hh)
