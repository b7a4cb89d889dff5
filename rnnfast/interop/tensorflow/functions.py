"""`rnnfast.rnn`, `lstm`, `gru`, `mgu` and `light_gru` on tensors: a layer in one direction.

Arguments, their order and their defaults are those of the functions for arrays, which say what each
is. What TensorFlow has itself is left to it: layers one after another, two directions, dropout.
Results are tensors, differentiable by x, states and weights, once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from ..._check import cells, inputs
from ...functional import GRUOutput, LightGRUOutput, LSTMOutput, MGUOutput, RNNOutput
from ._recurrence import recurrence

if TYPE_CHECKING:
    from typing_extensions import Unpack

Tensor: TypeAlias = Any


class Options(TypedDict, total=False):
    """What all of them take.

    Attributes
    ----------
    h0 : Tensor, shape (B, H)
        The state before the first step, zeros by default; `state` is another name for all states.
    lengths : Tensor of integers, shape (B,)
        Steps of each sequence, from 0 to T.
    resets : Tensor of bool, shape (T, B)
        Steps before which states are zero; axes as those of x.
    batch_first, reverse : bool, default False
        Whether sequences are (B, T, ...), and whether the last step is taken first.
    activations, clip
        As `rnnfast.lstm` takes them.
    truncate : int, optional
        Steps after which the gradient is cut, as of `rnnfast.lstm_vjp`.
    """

    h0: Tensor | None
    state: Any
    lengths: Tensor | None
    resets: Tensor | None
    batch_first: bool
    reverse: bool
    activations: Any
    clip: float | None
    truncate: int | None


def rnn(
    x: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
    *,
    nonlinearity: str = "tanh",
    **options: Unpack[Options],
) -> RNNOutput:
    """As `rnnfast.rnn`: return y (T, B, H) and h_n (B, H)."""
    cell = {"nonlinearity": nonlinearity}
    return RNNOutput(*_run("rnn", x, (w_ih, w_hh, b_ih, b_hh), cell, **options))


def lstm(
    x: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
    *,
    c0: Tensor | None = None,
    w_hr: Tensor | None = None,
    peephole: Tensor | None = None,
    layer_norm: Tensor | None = None,
    forget_gate: str = "own",
    **options: Unpack[Options],
) -> LSTMOutput:
    """As `rnnfast.lstm`: return y (T, B, H), h_n and c_n (B, H)."""
    weights = (w_ih, w_hh, b_ih, b_hh, w_hr, peephole, layer_norm)
    cell = {"forget_gate": forget_gate}
    return LSTMOutput(*_run("lstm", x, weights, cell, c0=c0, **options))


def gru(
    x: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
    *,
    layer_norm: Tensor | None = None,
    reset_after: bool = True,
    **options: Unpack[Options],
) -> GRUOutput:
    """As `rnnfast.gru`: return y (T, B, H) and h_n (B, H)."""
    weights = (w_ih, w_hh, b_ih, b_hh, None, None, layer_norm)
    return GRUOutput(*_run("gru", x, weights, {"reset_after": reset_after}, **options))


def mgu(
    x: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
    **options: Unpack[Options],
) -> MGUOutput:
    """As `rnnfast.mgu`: return y (T, B, H) and h_n (B, H)."""
    return MGUOutput(*_run("mgu", x, (w_ih, w_hh, b_ih, b_hh), {}, **options))


def light_gru(
    x: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
    **options: Unpack[Options],
) -> LightGRUOutput:
    """As `rnnfast.light_gru`: return y (T, B, H) and h_n (B, H)."""
    return LightGRUOutput(*_run("light_gru", x, (w_ih, w_hh, b_ih, b_hh), {}, **options))


def _run(
    function: str,
    x: Tensor,
    weights: tuple[Tensor | None, ...],
    of_cell: dict[str, Any],
    *,
    h0: Tensor | None = None,
    c0: Tensor | None = None,
    state: Any = None,
    activations: Any = None,
    clip: float | None = None,
    truncate: int | None = None,
    **options: Any,
) -> list[Tensor]:
    _, _, _, _, w_hr, peephole, layer_norm = (*weights, None, None, None)[:7]
    beside = {"w_hr": w_hr, "peephole": peephole, "layer_norm": layer_norm}
    cell = cells.choose(function, activations=activations, clip=clip, **beside, **of_cell)
    if state is not None:
        h0, c0 = inputs.state_of_call(cell, state, h0, c0)
    y, h_n, c_n = recurrence(cell, x, weights, h0, c0, truncate=truncate or 0, **options)
    return [y, h_n] if c_n is None else [y, h_n, c_n]
