"""`rnn`, `lstm`, `gru`, `mgu` and `light_gru`: the functions of `rnnfast`, of arrays of JAX.

They take what their namesakes take, at any place in a program that JAX transforms. `key` stands in
place of `seed`; gradients, of whichever arguments, are those of `jax.grad`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from .._functions import LayerOptions, OfGRU, OfLSTM, OfRNN, face, require_options
from ._network import LSTMOutput, Output, network

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Options(LayerOptions, total=False):
    """Options of every function."""

    bidirectional: bool
    dropout: float
    input_dropout: float
    recurrent_dropout: float
    weight_dropout: float
    zoneout: float | tuple[float, float]
    key: Any


class RNNOptions(Options, OfRNN, total=False):
    """Options of `rnn`."""


class LSTMOptions(Options, OfLSTM, total=False):
    """Options of `lstm`."""


class GRUOptions(Options, OfGRU, total=False):
    """Options of `gru`."""


_DOCUMENT = """{summary}

    Parameters
    ----------
    {names}
        As for `rnnfast.{name}`: arrays of JAX, or what makes one. All are taken in the widest
        floating type among them; bfloat16 and float16 are computed in float32.
    truncate
        As for `rnnfast.{name}_vjp`.
    key : key of jax.random, optional
        Of what is drawn at random, in place of a seed; None, the default, is inference.

    Returns
    -------
    {output}
        `y` (T, B, H) and the last states. With a projection h is (B, R); of layers on layers, with
        weights in sequences, states are (L*D, B, H) and `y` is (T, B, D*H).

    Raises
    ------
    ValueError, TypeError
        As `rnnfast.{name}`, while the program is traced. Lengths beyond T are seen when it runs,
        as an error of JAX's.

    Notes
    -----
    Gradients of masks, and of `lengths` and `resets`, are zero. Under `jax.vmap`, sequences with
    the same weights are one batch. Other devices than the CPU, `jax.jvp`, and derivatives of
    derivatives take a `lax.scan` over the same equations.
    """

_REFUSED = {
    "seed": "pass key=jax.random.key(...)",
    "checkpoint": "use jax.checkpoint",
    "per_sample": "use jax.vmap(jax.grad(...))",
    "wrt": "use the argnums of jax.grad",
}


_face = partial(face, implementation=network, document=_DOCUMENT, own=("truncate", "key"))


def _run(name: str, options: Any, given: Any, *arrays: Any) -> Any:
    require_options(name, "JAX", given, options, _REFUSED)
    return network(name, *arrays, **given)


@_face(RNNOptions)
def rnn(
    x: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, **options: Unpack[RNNOptions]
) -> Output:
    """Run an Elman network over a batch of sequences."""
    return cast(Output, _run("rnn", RNNOptions, options, x, w_ih, w_hh, b_ih, b_hh))


@_face(LSTMOptions)
def lstm(
    x: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, **options: Unpack[LSTMOptions]
) -> LSTMOutput:
    """Run an LSTM over a batch of sequences."""
    return cast(LSTMOutput, _run("lstm", LSTMOptions, options, x, w_ih, w_hh, b_ih, b_hh))


@_face(GRUOptions)
def gru(
    x: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, **options: Unpack[GRUOptions]
) -> Output:
    """Run a GRU over a batch of sequences."""
    return cast(Output, _run("gru", GRUOptions, options, x, w_ih, w_hh, b_ih, b_hh))


@_face(Options)
def mgu(
    x: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, **options: Unpack[Options]
) -> Output:
    """Run a minimal gated unit over a batch of sequences."""
    return cast(Output, _run("mgu", Options, options, x, w_ih, w_hh, b_ih, b_hh))


@_face(Options)
def light_gru(
    x: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, **options: Unpack[Options]
) -> Output:
    """Run a light GRU over a batch of sequences."""
    return cast(Output, _run("light_gru", Options, options, x, w_ih, w_hh, b_ih, b_hh))
