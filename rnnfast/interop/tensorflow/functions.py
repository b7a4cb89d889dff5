"""`rnn`, `lstm`, `gru`, `mgu` and `light_gru`: the functions of `rnnfast`, of tensors.

A call is a layer in one direction. What TensorFlow has itself is left to it: layers on layers, two
directions, noise, gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from ..._check import cells
from ...functional import GRUOutput, LightGRUOutput, LSTMOutput, MGUOutput, RNNOutput
from ...functional.options import Activations
from ...functional.signatures import defaults_of, require_known, with_options
from ._one_layer import one_layer

if TYPE_CHECKING:
    from typing_extensions import Unpack

_Function = TypeVar("_Function", bound=Callable[..., Any])


class Options(TypedDict, total=False):
    """Options of every function."""

    h0: Any
    state: Any
    activations: Activations | None
    clip: float | None
    lengths: Any
    resets: Any
    batch_first: bool
    reverse: bool
    truncate: int | None


class RNNOptions(Options, total=False):
    """Options of `rnn`."""

    nonlinearity: str


class LSTMOptions(Options, total=False):
    """Options of `lstm`."""

    c0: Any
    w_hr: Any
    peephole: Any
    layer_norm: Any
    forget_gate: str


class GRUOptions(Options, total=False):
    """Options of `gru`."""

    layer_norm: Any
    reset_after: bool


_DOCUMENT = """{summary}

    Parameters
    ----------
    x : Tensor, shape (T, B, I)
        float32 or float64, the type of all others. (B, T, I) with `batch_first`.
    w_ih, w_hh : Tensor, shape (G*H, I) and (G*H, H)
        As those of `rnnfast.{name}`; variables as well.
    b_ih, b_hh : Tensor, shape (G*H,), optional
        Zero by default.
    truncate : int, optional
        As of `rnnfast.{name}_vjp`.
    **options
        As of `rnnfast.{name}`.

    Returns
    -------
    {output}
        `y` (T, B, H) and the last states (B, H), tensors, differentiable once. With a projection h
        is (B, R).

    Raises
    ------
    ValueError, TypeError
        For options that are none, and tensors of other types.
    tf.errors.InvalidArgumentError
        For tensors that do not fit each other; in a graph, when it runs.
    """

_REFUSED = {
    "seed": "use tf.nn.dropout between layers",
    "bidirectional": "call it once more with reverse=True",
    "checkpoint": "use tf.recompute_grad",
}


def _face(options: Any) -> Callable[[_Function], _Function]:
    """Give a function the signature that its options make, and its docstring."""

    def finish(function: _Function) -> _Function:
        defaults = {**cells.DEFAULTS, **defaults_of(one_layer)}
        with_options(function, options, defaults, first=("h0", "c0", "state"))
        if function.__doc__:  # unlike under python -OO
            output = str(function.__annotations__["return"])
            function.__doc__ = _DOCUMENT.format(
                summary=function.__doc__, name=function.__name__, output=output
            )
        return function

    return finish


@_face(RNNOptions)
def rnn(
    x: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, **options: Unpack[RNNOptions]
) -> RNNOutput:
    """Run an Elman network over a batch of sequences."""
    return RNNOutput(*_checked("rnn", RNNOptions, options, x, w_ih, w_hh, b_ih, b_hh))


@_face(LSTMOptions)
def lstm(
    x: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, **options: Unpack[LSTMOptions]
) -> LSTMOutput:
    """Run an LSTM over a batch of sequences."""
    return LSTMOutput(*_checked("lstm", LSTMOptions, options, x, w_ih, w_hh, b_ih, b_hh))


@_face(GRUOptions)
def gru(
    x: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, **options: Unpack[GRUOptions]
) -> GRUOutput:
    """Run a GRU over a batch of sequences."""
    return GRUOutput(*_checked("gru", GRUOptions, options, x, w_ih, w_hh, b_ih, b_hh))


@_face(Options)
def mgu(
    x: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, **options: Unpack[Options]
) -> MGUOutput:
    """Run a minimal gated unit over a batch of sequences."""
    return MGUOutput(*_checked("mgu", Options, options, x, w_ih, w_hh, b_ih, b_hh))


@_face(Options)
def light_gru(
    x: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, **options: Unpack[Options]
) -> LightGRUOutput:
    """Run a light GRU over a batch of sequences."""
    return LightGRUOutput(*_checked("light_gru", Options, options, x, w_ih, w_hh, b_ih, b_hh))


def _checked(name: str, known: Any, given: Any, *arrays: Any) -> list[Any]:
    for refused, instead in _REFUSED.items():
        if refused in given:
            raise TypeError(f"{name}() for TensorFlow takes no {refused!r}; {instead}")
    require_known(name, given, frozenset(known.__annotations__))
    return one_layer(name, *arrays, **given)
