"""`rnn`, `lstm`, `gru`, `mgu` and `light_gru`: the functions of `rnnfast`, of tensors.

A call is a layer in one direction. What TensorFlow has itself is left to it: layers on layers, two
directions, noise, gradients.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ...functional import GRUOutput, LightGRUOutput, LSTMOutput, MGUOutput, RNNOutput
from .._functions import LayerOptions, OfGRU, OfLSTM, OfRNN, face, require_options
from ._one_layer import one_layer

if TYPE_CHECKING:
    from typing_extensions import Unpack


class RNNOptions(LayerOptions, OfRNN, total=False):
    """Options of `rnn`."""


class LSTMOptions(LayerOptions, OfLSTM, total=False):
    """Options of `lstm`."""


class GRUOptions(LayerOptions, OfGRU, total=False):
    """Options of `gru`."""


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

_NOISE = "draw it with TensorFlow, as tf.nn.dropout does, around the call"
_REFUSED = {
    "seed": "use tf.nn.dropout between layers",
    "bidirectional": "call it once more with reverse=True",
    "checkpoint": "use tf.recompute_grad",
    "dropout": _NOISE,
    "input_dropout": _NOISE,
    "recurrent_dropout": "a Keras layer has it: rnnfast.interop.keras.swap",
    "zoneout": "a layer of rnnfast.interop.keras has it",
}

_face = partial(face, implementation=one_layer, document=_DOCUMENT)


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


@_face(LayerOptions)
def mgu(
    x: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any = None,
    b_hh: Any = None,
    **options: Unpack[LayerOptions],
) -> MGUOutput:
    """Run a minimal gated unit over a batch of sequences."""
    return MGUOutput(*_checked("mgu", LayerOptions, options, x, w_ih, w_hh, b_ih, b_hh))


@_face(LayerOptions)
def light_gru(
    x: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any = None,
    b_hh: Any = None,
    **options: Unpack[LayerOptions],
) -> LightGRUOutput:
    """Run a light GRU over a batch of sequences."""
    return LightGRUOutput(*_checked("light_gru", LayerOptions, options, x, w_ih, w_hh, b_ih, b_hh))


def _checked(name: str, known: Any, given: Any, *arrays: Any) -> list[Any]:
    require_options(name, "TensorFlow", given, known, _REFUSED)
    return one_layer(name, *arrays, **given)
