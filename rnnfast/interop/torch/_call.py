"""What a call asks of the kernels, beside its tensors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from torch import Tensor

from ..._check import cells, inputs
from ...engine.noise import Noise

NO_RATES = (0.0,) * 6

KINDS = ("rnn_tanh", "rnn_relu", "lstm", "gru")

PLAIN_WEIGHTS = ("w_ih", "w_hh", "b_ih", "b_hh")  # without biases the first two


class Call(NamedTuple):
    """The kind of cell, the names of its weights, and its options.

    Attributes
    ----------
    kind : str
        "rnn_tanh", "rnn_relu", "lstm" or "gru".
    weight_names : tuple of str
        The weights of each layer and direction, as `rnnfast._core` orders them.
    bidirectional : bool
        Whether each layer has two directions.
    rates : tuple of float
        dropout, input_dropout, recurrent_dropout, weight_dropout, zoneout of h and of c.
    checkpoint : bool
        Whether the backward pass makes the steps once more.
    precision : str or None
        What operands of products are rounded to; None where they are as the tensors.
    """

    kind: str
    weight_names: tuple[str, ...]
    bidirectional: bool = False
    rates: tuple[float, float, float, float, float, float] = NO_RATES
    checkpoint: bool = False
    precision: str | None = None

    @property
    def directions(self) -> int:
        """D."""
        return 2 if self.bidirectional else 1

    @property
    def has_c(self) -> bool:
        """Whether there is a cell state."""
        return self.kind == "lstm"

    @property
    def torch_has_all(self) -> bool:
        """Whether torch has all of it."""
        beyond = {"peephole", "layer_norm"} & {*self.weight_names}
        return not (any(self.rates[1:]) or beyond or self.checkpoint)

    def core_cell(self) -> cells.Cell:
        """Return the cell as the kernels know it."""
        return _core_cell(self.kind, self.weight_names, self.precision)

    def noise(self, seed: Tensor | None) -> Noise:
        """Return what is drawn at random."""
        dropout, of_input, recurrent, of_weights, *zoneout = self.rates
        kept = tuple(zoneout) if self.has_c else (zoneout[0],)
        number = None if seed is None else int(seed)
        return Noise(dropout, of_input, recurrent, of_weights, kept, number)


class Operands(NamedTuple):
    """The tensors of a call.

    Attributes
    ----------
    x : Tensor, shape (T, B, I)
        The sequences.
    h0, c0 : Tensor or None, shapes (L*D, B, R) and (L*D, B, H)
        Initial states; zero where they are None.
    weights : sequence of Tensor
        `Call.weight_names` of each layer and direction, in torch's order.
    lengths : Tensor of int or None, shape (B,)
        Steps of each sequence; all have T where it is None.
    resets : Tensor of bool or None, shape (T, B)
        Where the state before a step is zero.
    seed : Tensor of int or None, shape ()
        Of what is drawn at random; None draws nothing.
    """

    x: Tensor
    h0: Tensor | None
    c0: Tensor | None
    weights: Sequence[Tensor]
    lengths: Tensor | None = None
    resets: Tensor | None = None
    seed: Tensor | None = None

    def flat(self) -> tuple[Tensor | None, ...]:
        """Return all tensors as autograd functions take them: those that may have gradients last.

        They are lengths, resets, seed, x, h0, c0 and the weights.
        """
        x, h0, c0, weights, *rest = self
        return (*rest, x, h0, c0, *weights)

    @classmethod
    def of_flat(cls, lengths: Any, resets: Any, seed: Any, *tensors: Any) -> Operands:
        """Return what `flat` has made flat."""
        x, h0, c0, *weights = tensors
        return cls(x, h0, c0, weights, lengths, resets, seed)


@cache
def _core_cell(kind: str, weight_names: tuple[str, ...], precision: str | None) -> cells.Cell:
    name, _, nonlinearity = kind.partition("_")
    of_kind = {"nonlinearity": nonlinearity} if nonlinearity else {}
    there = dict.fromkeys({*weight_names} & {*inputs.LayerWeights._field_defaults}, True)
    return cells.choose_of_any(name, **of_kind, **there).in_precision(precision)
