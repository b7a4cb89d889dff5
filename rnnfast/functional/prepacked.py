"""A cell, or layers of them, on packed weights: whole sequences, and single steps."""

from __future__ import annotations

from functools import partial
from typing import Any, Generic, TypedDict, TypeVar, cast

import numpy as np
import numpy.typing as npt

from .. import _core
from .._check import Array, DType, cells, empty, inputs, options, stacks
from ..engine.core_calls import Results, forward_packed
from ..engine.network import Network
from ..engine.noise import noise
from .results import Activations, GRUOutput, LSTMOutput, MGUOutput, RNNOutput, Weights

OutputT = TypeVar("OutputT", RNNOutput, LSTMOutput, GRUOutput, MGUOutput)
StateT = TypeVar("StateT", Array, tuple[Array, Array])

_OUTPUTS = {"rnn": RNNOutput, "lstm": LSTMOutput, "gru": GRUOutput, "mgu": MGUOutput}


class _Options(TypedDict):
    nonlinearity: str
    forget_gate: str
    reset_after: bool
    activations: Activations | None
    clip: float | None
    reverse: bool
    bidirectional: bool
    zoneout: float | tuple[float, float]


class Prepacked(Generic[OutputT, StateT]):
    """A cell, or layers of them, with weights packed for the kernels; what `prepack` returns.

    It never changes, so that any number of threads may share it. It keeps copies of its weights
    and can be pickled.

    Parameters
    ----------
    cell, w_ih, w_hh, b_ih, b_hh, w_hr, peephole, layer_norm, nonlinearity, forget_gate, \
    reset_after, activations, clip, reverse, bidirectional, zoneout
        As for `prepack`.

    Attributes
    ----------
    cell : str
        The kind of cell: "rnn", "lstm", "gru" or "mgu".
    layers : int
        L, 1 if weights were given as single arrays.
    input_size : int
        I, the inputs of a step.
    hidden_size : int
        H, the hidden units.
    proj_size : int or None
        R, the width of h, where an LSTM projects it.
    dtype : numpy.dtype
        The dtype of weights, inputs and results.
    reverse : bool
        Whether sequences are run from their last step to their first.
    bidirectional : bool
        Whether each layer is run in both directions.
    """

    __slots__ = (
        "_core_cell",
        "_first",
        "_form",
        "_kind",
        "_noise",
        "_options",
        "_packed",
        "_step",
        "_weights",
    )

    def __init__(
        self,
        cell: str,
        w_ih: Weights,
        w_hh: Weights,
        b_ih: Weights | None = None,
        b_hh: Weights | None = None,
        *,
        w_hr: Weights | None = None,
        peephole: Weights | None = None,
        layer_norm: Weights | None = None,
        nonlinearity: str = "tanh",
        forget_gate: str = "own",
        reset_after: bool = True,
        activations: Activations | None = None,
        clip: float | None = None,
        reverse: bool = False,
        bidirectional: bool = False,
        zoneout: float | tuple[float, float] = 0.0,
    ) -> None:
        self._kind = cell
        back, both = options.directions(reverse, bidirectional)
        self._options: _Options = {
            "nonlinearity": nonlinearity,
            "forget_gate": forget_gate,
            "reset_after": options.flag("reset_after", reset_after),
            "activations": activations,
            "clip": clip,
            "reverse": back,
            "bidirectional": both,
            "zoneout": zoneout,
        }
        self._core_cell = cells.by_kind(
            cell,
            nonlinearity,
            forget_gate,
            self._options["reset_after"],
            activations,
            clip,
            w_hr=w_hr,
            peephole=peephole,
            layer_norm=layer_norm,
        )
        self._noise = noise(self._core_cell, 0.0, 0.0, 0.0, 0.0, zoneout, seed=None)
        given = inputs.Given(w_ih, w_hh, b_ih, b_hh, w_hr, peephole, layer_norm)
        self._weights, self._form = stacks.packable(self._core_cell, given, both)
        self._first = self._weights[0][0]
        self._core_cell.require_held_numbers(self.dtype)
        self._noise.require_held_rates(self.dtype)
        core = self._core_cell.core
        self._packed = tuple(_core.pack(core, part) for layer in self._weights for part in layer)
        # Held as a bound method because a step of a small cell costs little more than the call.
        plain = self._form is None and not (self.reverse or self._noise.reaches_steps)
        self._step = self._packed[0].step if plain else _no_step

    @property
    def cell(self) -> str:
        """Kind of cell: "rnn", "lstm", "gru" or "mgu"."""
        return self._kind

    @property
    def layers(self) -> int:
        """L, 1 if weights were given as single arrays."""
        return len(self._weights)

    @property
    def input_size(self) -> int:
        """I, the inputs of a step."""
        return self._first.input_size

    @property
    def hidden_size(self) -> int:
        """H, the hidden units."""
        return self._first.hidden_size

    @property
    def proj_size(self) -> int | None:
        """R, the width of h, where an LSTM projects it."""
        return None if self._first.w_hr is None else self._first.output_size

    @property
    def dtype(self) -> DType:
        """The dtype of weights, inputs and results."""
        return self._first.dtype

    @property
    def reverse(self) -> bool:
        """Whether sequences are run from their last step to their first."""
        return self._options["reverse"]

    @property
    def bidirectional(self) -> bool:
        """Whether each layer is run in both directions."""
        return self._options["bidirectional"]

    def __call__(
        self,
        x: npt.ArrayLike,
        *,
        h0: npt.ArrayLike | None = None,
        c0: npt.ArrayLike | None = None,
        lengths: npt.ArrayLike | None = None,
        resets: npt.ArrayLike | None = None,
    ) -> OutputT:
        """Run the cell, or its layers, over a batch of sequences.

        Parameters
        ----------
        x : array_like, shape (T, B, I)
            T steps of B sequences of I inputs, of the dtype of the weights, with any strides.
        h0, c0 : array_like, shape (B, H), optional
            State before the first step, zero by default; `c0` for an LSTM only. (L*D, B, H) if
            weights were given in sequences, for L layers of D directions. A projected h is R wide.
        lengths : array_like of int, shape (B,), optional
            Steps of each sequence, 0 to T; all have T by default. As for `rnn`, `lstm` and `gru`.
        resets : array_like of bool, shape (T, B), optional
            Where True, the state before that step is zero.

        Returns
        -------
        RNNOutput, LSTMOutput, GRUOutput or MGUOutput
            As from `rnn`, `lstm`, `gru` or `mgu`.

        Raises
        ------
        ValueError
            If a shape does not fit.
        TypeError
            If a dtype is not that of the weights, or `c0` is given to a cell without one.
        MemoryError
            If the results do not fit into memory.
        """
        if self._form is not None:
            return self._run_stack(x, h0, c0, lengths, resets)
        given = inputs.inputs_for(self._core_cell, self._first, x, h0, c0, lengths, resets)
        steps, batch, _ = given.x.shape
        output_size, hidden_size = widths = self._first.output_size, self.hidden_size
        results = Results(
            empty("y", (steps, batch, output_size), self.dtype),
            empty("h_n", (batch, output_size), self.dtype),
            empty("c_n", (batch, hidden_size), self.dtype) if self._core_cell.has_c else None,
        )
        masks = self._noise.of_states(0, (steps, batch), widths, self.dtype)
        forward_packed(self._packed[0], given, self.reverse, masks, results)
        y, h_n, c_n = results
        form = _OUTPUTS[self._kind]
        return cast(OutputT, form(y, h_n) if c_n is None else form(y, h_n, c_n))

    def step(self, x_t: npt.ArrayLike, state: StateT | None = None) -> StateT:
        """Run one step: the streaming form.

        Parameters
        ----------
        x_t : array_like, shape (B, I)
            The inputs of this step, of the dtype of the weights.
        state : array_like (B, H), or (h, c) for an LSTM, optional
            What the step before returned; zero by default.

        Returns
        -------
        ndarray (B, H), or (h, c) for an LSTM
            The state after the step, in fresh arrays; `h` is also the output. If weights were
            given in sequences, states are (L, B, H), and the output is `h[-1]`.

        Raises
        ------
        ValueError
            If a shape does not fit, or the cell was packed with `reverse` or `bidirectional`.
        TypeError
            If a dtype is not that of the weights, or `state` is not of the form above.

        Notes
        -----
        Plain C-contiguous arrays, and a single layer, take the shortest way.
        """
        result = self._step(x_t, state)
        if result is NotImplemented:
            return self._normalised_step(x_t, state)
        return result  # type: ignore[no-any-return]  # a call of cast costs as much as this test

    def __repr__(self) -> str:
        """Show the cell, with its options, and its sizes."""
        layers = ""
        if self._form is not None:
            layers = f"layers={self.layers}, bidirectional={self.bidirectional}, "
        projection = "" if self.proj_size is None else f"proj_size={self.proj_size}, "
        return (
            f"<Prepacked {self._core_cell.name}: {layers}input_size={self.input_size}, "
            f"hidden_size={self.hidden_size}, {projection}dtype={self.dtype}, "
            f"reverse={self.reverse}>"
        )

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        """Pickle as the call that makes an equal one."""
        weights: tuple[Any, ...] = tuple(self._first)
        if self._form is not None:
            parts = [part for layer in self._weights for part in layer]
            columns = [[part[i] for part in parts] for i in range(len(self._first))]
            # A bias is there in all layers, in some, or in none.
            weights = tuple(None if all(w is None for w in c) else c for c in columns)
        *matrices_and_biases, w_hr, peephole, layer_norm = weights
        others = {"w_hr": w_hr, "peephole": peephole, "layer_norm": layer_norm}
        return partial(Prepacked, self._kind, **self._options, **others), tuple(matrices_and_biases)

    def _run_stack(
        self,
        x: npt.ArrayLike,
        h0: npt.ArrayLike | None,
        c0: npt.ArrayLike | None,
        lengths: npt.ArrayLike | None,
        resets: npt.ArrayLike | None,
    ) -> OutputT:
        cell = self._core_cell
        sequence = inputs.sequence_for(self._first, x)
        given = stacks.of_call(cell, sequence, self._weights, self._form, h0, c0, lengths, resets)
        results = Network.of_packed(cell, given, self._packed, self.reverse, self._noise).forward()
        return cast(OutputT, _OUTPUTS[self._kind](*results))

    def _normalised_step(self, x_t: npt.ArrayLike, state: object) -> StateT:
        if self.reverse or self.bidirectional:
            option = "reverse" if self.reverse else "bidirectional"
            raise ValueError(
                f"step needs a cell packed with {option}=False, got {option}=True: in reverse the "
                "last step of a sequence comes first; pass the whole sequence instead"
            )
        cell, layers = self._core_cell, None if self._form is None else self.layers
        row, states = inputs.step_inputs(cell, self._first, x_t, state, layers)
        if row.shape[0] == 0:
            leading: tuple[int, ...] = (0,) if layers is None else (layers, 0)
            widths = self._first.output_size, self.hidden_size
            none = [empty("state", (*leading, width), self.dtype) for width in widths]
            return cast(StateT, tuple(none) if cell.has_c else none[0])
        if layers is None:
            return cast(StateT, self._step_of(0, row, states))
        after: list[Any] = []
        for layer in range(layers):
            before = None if states is None else _of_layer(states, layer)
            after.append(self._step_of(layer, row, before))
            row = after[-1][0] if cell.has_c else after[-1]
        if not cell.has_c:
            return cast(StateT, np.stack(after))
        return cast(StateT, (np.stack([h for h, _ in after]), np.stack([c for _, c in after])))

    def _step_of(self, layer: int, row: Array, before: Any) -> Any:
        """Return the state of a layer after a step."""
        if not self._noise.reaches_steps:
            return self._packed[layer].step(row, before)
        h0, c0 = before if isinstance(before, tuple) else (before, None)
        batch, widths = row.shape[0], (self._first.output_size, self.hidden_size)
        h: Array = empty("state", (batch, widths[0]), self.dtype)
        c: Array = empty("state", (batch, widths[1]), self.dtype)
        given = inputs.Inputs(row[None], self._weights[layer][0], h0, c0, None, None)
        masks = self._noise.of_states(layer, (1, batch), widths, self.dtype)
        has_c = self._core_cell.has_c
        results = Results(np.empty((1, *h.shape), self.dtype), h, c if has_c else None)
        forward_packed(self._packed[layer], given, False, masks, results)
        return (h, c) if has_c else h


def _of_layer(states: Any, layer: int) -> Any:
    """Return a layer's state, of states of all."""
    return tuple(s[layer] for s in states) if isinstance(states, tuple) else states[layer]


def _no_step(x_t: object, state: object) -> Any:
    """Stand in for the core's step where there is none."""
    return NotImplemented
