"""A cell, or layers of them, on packed weights: whole sequences, and single steps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import numpy as np
import numpy.typing as npt

from .. import _core
from .._check import Array, DType, cells, empty, inputs, options, outputs, quantized, stacks
from .._check import precision as precisions
from .._check.sparse import require_sparse
from ..engine.core_calls import Results, forward_packed
from ..engine.network import Network
from ..engine.noise import QUIET, noise
from ..engine.place import HOST, place_of_weights
from .family import FAMILIES, OutputT
from .options import PackOptions, Weights
from .signatures import defaults_of, require_known, with_options

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ..files.destination import Filepath
    from ..weights import StackWeights

StateT = TypeVar("StateT", Array, tuple[Array, Array])
_Function = TypeVar("_Function", bound=Callable[..., Any])

_KNOWN = frozenset(PackOptions.__annotations__)


class Prepacked(Generic[OutputT, StateT]):
    """A cell, or layers of them, with weights packed for the kernels; what `prepack` returns.

    It never changes, so that any number of threads may share it. It keeps copies of its weights
    and can be pickled.

    Parameters
    ----------
    cell, w_ih, w_hh, b_ih, b_hh, w_hr, peephole, layer_norm, nonlinearity, forget_gate, \
    reset_after, activations, clip, reverse, bidirectional, zoneout, precision, sparse
        As for `prepack`.

    Attributes
    ----------
    cell : str
        The kind of cell: "rnn", "lstm", "gru" and so on.
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
    precision : str
        What matrices are kept in: the name of `dtype`, or "bfloat16", "float16" or "int8".
    reverse : bool
        Whether sequences are run from their last step to their first.
    bidirectional : bool
        Whether each layer is run in both directions.
    """

    __slots__ = (
        "_both",
        "_cell",
        "_first",
        "_form",
        "_kind",
        "_noise",
        "_options",
        "_output",
        "_packed",
        "_place",
        "_reverse",
        "_run",
        "_scales",
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
        **options: Unpack[PackOptions],
    ) -> None:
        require_known("prepack", options, _KNOWN)
        self._kind = cell
        self._options = options
        self._pack(inputs.RawWeights(w_ih, w_hh, b_ih, b_hh), **options)

    def _pack(
        self,
        raw: inputs.RawWeights,
        *,
        reverse: bool = False,
        bidirectional: bool = False,
        zoneout: float | tuple[float, ...] = 0.0,
        precision: str | None = None,
        sparse: bool = False,
        **of_cell: Any,
    ) -> None:
        self._reverse, self._both = options.directions(reverse, bidirectional)
        is_sparse = options.flag("sparse", sparse)
        self._cell = cells.choose_of_any(self._kind, **of_cell)
        self._output = FAMILIES[self._kind].output
        self._noise = noise(self._cell, 0.0, 0.0, 0.0, 0.0, zoneout, seed=None)
        beside = {name: of_cell.get(name) for name in raw._field_defaults if name in of_cell}
        self._weights, self._form = stacks.packable(self._cell, raw._replace(**beside), self._both)
        self._first = self._weights[0][0]
        self._cell.require_held_numbers(self.dtype)
        self._noise.require_held_rates(self.dtype)
        one_by_one = [one for layer in self._weights for one in layer]
        given: Any = ((raw.w_ih,), (raw.w_hh,)) if self._form is None else (raw.w_ih, raw.w_hh)
        self._scales = quantized.scales(*given)
        given_in = quantized.precision_of(precision, self._scales, is_sparse)
        kept_in = precisions.chosen(given_in, self.dtype)
        precisions.require_held(kept_in, one_by_one)
        if is_sparse:
            require_sparse(self._cell, one_by_one, given_in)
        self._place = place_of_weights(self._weights)
        pack, core = self._place.core.pack, self._cell.core
        self._packed: tuple[_core.Packed, ...] = tuple(
            pack(core, one, "sparse" if is_sparse else kept_in, scales)
            for one, scales in zip(one_by_one, self._scales, strict=True)
        )
        # Held as bound methods because a step of a small cell costs little more than the call.
        plain = not (self.reverse or self._noise.reaches_steps)
        first = self._packed[0]
        self._step = first.step if plain and self._form is None else _left
        self._run: Callable[[Any, Any], Any] = _left
        if plain and len(self._packed) == 1 and self._place is HOST:
            self._run = first.run if self._form is None else first.run_stacked

    @property
    def cell(self) -> str:
        """The kind of cell: "rnn", "lstm", "gru" and so on."""
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
    def precision(self) -> str:
        """What matrices are kept in: the name of `dtype`, "bfloat16", "float16" or "int8"."""
        kept_in = self._packed[0].precision
        return self.dtype.name if kept_in == "sparse" else kept_in

    @property
    def reverse(self) -> bool:
        """Whether sequences are run from their last step to their first."""
        return self._reverse

    @property
    def bidirectional(self) -> bool:
        """Whether each layer is run in both directions."""
        return self._both

    def __call__(
        self,
        x: npt.ArrayLike,
        state: StateT | None = None,
        *,
        h0: npt.ArrayLike | None = None,
        c0: npt.ArrayLike | None = None,
        lengths: npt.ArrayLike | None = None,
        resets: npt.ArrayLike | None = None,
        batch_first: bool = False,
        out: OutputT | tuple[Array, ...] | None = None,
    ) -> OutputT:
        """Run the cell, or its layers, over a batch of sequences.

        Parameters
        ----------
        x : array_like, shape (T, B, I)
            T steps of B sequences of I inputs, of the dtype of the weights, with any strides.
        state : array_like (B, H), or (h, c) for an LSTM, optional
            State before the first step, as `step` takes and returns it; zero by default.
            (L*D, B, H) if weights were given in sequences, for L layers of D directions. A
            projected h is R wide.
        h0, c0 : array_like, shape (B, H), optional
            The same by the names that the functions have for it; `c0` for an LSTM only.
        lengths : array_like of int, shape (B,), optional
            Steps of each sequence, 0 to T; all have T by default. As for the functions.
        resets : array_like of bool, shape (T, B), optional
            Where True, the state before that step is zero.
        batch_first : bool, default False
            Take `x` as (B, T, I) and `resets` as (B, T), and give `y` as (B, T, H), a view.
        out : RNNOutput or the like, or a tuple of its arrays, optional
            Where to write the results, of their shapes and dtype; may be the inputs. Fresh arrays
            by default.

        Returns
        -------
        RNNOutput, LSTMOutput or the like
            As from the function of the same cell; of the arrays of `out` if it was given.

        Raises
        ------
        ValueError
            If a shape does not fit, the state is given twice, or arrays of `out` overlap.
        TypeError
            If a dtype is not that of the weights, `state` or `out` is not of the form above, or
            `c0` is given to a cell without one.
        MemoryError
            If the results do not fit into memory.
        """
        if h0 is c0 is lengths is resets is out is None and batch_first is False:
            directly = self._run(x, state)
            if directly is not NotImplemented:
                return cast(OutputT, self._output(*directly))
        given = self._given(x, state, h0, c0, lengths, resets, batch_first)
        network = Network.of_packed(self._cell, given, self._packed, self._reverse, self._noise)
        if out is None:
            found: OutputT = self._output(*network.forward())
            return found
        steps, batch, width = given.output_shape
        shape = (batch, steps, width) if given.batch_first else given.output_shape
        shapes = (shape, given.h_shape, given.c_shape)
        names = ("y", *(f"{state}_n" for state in self._cell.states))
        arrays = outputs.outputs(out, names, shapes[: len(names)], self.dtype)
        read = (given.x, given.h0, given.c0)
        if outputs.are_dense(arrays) and not outputs.overlap(arrays, read):
            network.forward_into(*arrays)
        else:
            outputs.write(network.forward(), arrays)
        written: OutputT = self._output(*out)
        return written

    def trace(
        self,
        x: npt.ArrayLike,
        state: StateT | None = None,
        *,
        h0: npt.ArrayLike | None = None,
        c0: npt.ArrayLike | None = None,
        lengths: npt.ArrayLike | None = None,
        resets: npt.ArrayLike | None = None,
        batch_first: bool = False,
    ) -> Any:
        """Run as a call does, and give all gates as well: a look inside.

        Parameters
        ----------
        x, state, h0, c0, lengths, resets, batch_first
            As of a call.

        Returns
        -------
        Trace or LSTMTrace
            As from `lstm_trace` or its like.

        Raises
        ------
        ValueError
            As of a call, or if weights were given in sequences, or with `zoneout`.
        TypeError, MemoryError
            As of a call.
        """
        if self._noise.reaches_steps:
            raise ValueError("trace needs a cell packed without zoneout: its gates tell no states")
        given = self._given(x, state, h0, c0, lengths, resets, batch_first)
        network = Network.of_packed(self._cell, given, self._packed, self._reverse, QUIET)
        return FAMILIES[self._kind].trace(*network.forward_tracing())

    def _given(
        self,
        x: npt.ArrayLike,
        state: Any,
        h0: npt.ArrayLike | None,
        c0: npt.ArrayLike | None,
        lengths: npt.ArrayLike | None,
        resets: npt.ArrayLike | None,
        batch_first: bool,
    ) -> stacks.Stack:
        """Return the arguments of a call, checked."""
        if state is not None:
            h0, c0 = inputs.state_of_call(self._cell, state, h0, c0)
        batch_first = options.flag("batch_first", batch_first)
        sequence = inputs.sequence_for(self._first, x, batch_first)
        return stacks.of_call(
            self._cell,
            sequence,
            self._weights,
            self._form,
            h0,
            c0,
            lengths,
            resets,
            batch_first,
        )

    def step(
        self, x_t: npt.ArrayLike, state: StateT | None = None, out: StateT | None = None
    ) -> StateT:
        """Run one step: the streaming form.

        Parameters
        ----------
        x_t : array_like, shape (B, I)
            The inputs of this step, of the dtype of the weights.
        state : array_like (B, H), or (h, c) for an LSTM, optional
            What the step before returned; zero by default.
        out : ndarray (B, H), or (h, c) for an LSTM, optional
            Where to copy the state after the step, of its shape and dtype; may be `state`. Fresh
            arrays by default.

        Returns
        -------
        ndarray (B, H), or (h, c) for an LSTM
            The state after the step, in fresh arrays or those of `out`; `h` is also the output. If
            weights were given in sequences, states are (L, B, H), and the output is `h[-1]`.

        Raises
        ------
        ValueError
            If a shape does not fit, or the cell was packed with `reverse` or `bidirectional`.
        TypeError
            If a dtype is not that of the weights, or `state` or `out` is not of the form above.

        Notes
        -----
        Plain C-contiguous arrays, and a single layer, take the shortest way.
        """
        result = self._step(x_t, state)
        if result is NotImplemented:
            result = self._normalised_step(x_t, state)
        if out is not None:
            return self._copied(result, out)
        return result

    def _copied(self, result: Any, out: StateT) -> StateT:
        """Return `out` with a state in it."""
        results = result if self._cell.has_c else (result,)
        names = [f"state {name}" for name in self._cell.states]
        shapes = [one.shape for one in results]
        outputs.write(results, outputs.outputs(out, names, shapes, self.dtype))
        return out

    def weights(self) -> StackWeights:
        """Return the weights unpacked, with the options: a plain description.

        Returns
        -------
        StackWeights
            Of which `prepack` makes an equal cell.
        """
        from ..weights import StackWeights  # here and below: what few need
        from ..weights.stack import OPTIONS

        of_packing = self._options.keys() - {*OPTIONS, *inputs.LayerWeights._fields}
        given = self._arguments()
        return StackWeights(**{name: given[name] for name in given if name not in of_packing})

    def save(self, filepath: Filepath, overwrite: bool = True) -> None:
        """Write the cell to a safetensors file, unpacked, as packing depends on the processor.

        Parameters
        ----------
        filepath : str or path
            Where to; must end in ``.safetensors``.
        overwrite : bool, default True
            Whether to replace a file that is there.

        Raises
        ------
        ImportError
            When safetensors is not installed.
        OSError
            When the file cannot be written; what was there is there still.
        """
        from ..weights import save_weights

        save_weights(filepath, self.weights(), overwrite)

    @classmethod
    def load(cls, filepath: Filepath, **options: Unpack[PackOptions]) -> Prepacked[Any, Any]:
        """Read a cell from a file that `save` or `rnnfast.weights.save_weights` has written.

        Parameters
        ----------
        filepath : str or path
            The file.
        **options
            As of `prepack`, in place of those in the file.

        Returns
        -------
        Prepacked
            Equal to the one that was written, packed for this processor.

        Raises
        ------
        ValueError
            When the file is damaged, has been cut short, or is another.
        OSError
            When there is no file to read.
        """
        from ..weights import read_weights

        return cls(**{**read_weights(filepath).arguments(), **options})

    def __repr__(self) -> str:
        """Show the cell, with its options, and its sizes."""
        layers = ""
        if self._form is not None:
            layers = f"layers={self.layers}, bidirectional={self.bidirectional}, "
        projection = "" if self.proj_size is None else f"proj_size={self.proj_size}, "
        precision = "" if self.precision == self.dtype.name else f"precision={self.precision}, "
        sparse = "sparse=True, " if self._options.get("sparse") else ""
        return (
            f"<Prepacked {self._cell.name}: {layers}input_size={self.input_size}, "
            f"hidden_size={self.hidden_size}, {projection}dtype={self.dtype}, {precision}{sparse}"
            f"reverse={self.reverse}>"
        )

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        """Pickle as the call that makes an equal one."""
        return partial(Prepacked, **self._arguments()), ()

    def _arguments(self) -> dict[str, Any]:
        """Return what the class was called with."""
        one_by_one = [one for layer in self._weights for one in layer]
        layers = [
            scales.restored(one)._asdict()
            for one, scales in zip(one_by_one, self._scales, strict=True)
        ]
        weights: dict[str, Any] = dict(layers[0])
        if self._form is not None:
            for name in weights:
                arrays = [one[name] for one in layers]
                # A bias is there in all layers, in some, or in none.
                weights[name] = None if all(a is None for a in arrays) else arrays
        kept = {name: value for name, value in self._options.items() if name not in weights}
        return {"cell": self._kind, **weights, **kept}

    def _normalised_step(self, x_t: npt.ArrayLike, state: object) -> StateT:
        if self.reverse or self.bidirectional:
            option = "reverse" if self.reverse else "bidirectional"
            raise ValueError(
                f"step needs a cell packed with {option}=False, got {option}=True: in reverse the "
                "last step of a sequence comes first; pass the whole sequence instead"
            )
        cell, layers = self._cell, None if self._form is None else self.layers
        row, states = inputs.step_inputs(cell, self._first, x_t, state, layers)
        if self._place is not HOST:
            return self._sequence_of_one(row, states)
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

    def _sequence_of_one(self, row: Array, states: Any) -> StateT:
        """Return the states after a step as after a sequence, for which a device is made."""
        h0, c0 = states if isinstance(states, tuple) else (states, None)
        given = stacks.of_call(self._cell, row[None], self._weights, self._form, h0, c0, None, None)
        network = Network.of_packed(self._cell, given, self._packed, False, self._noise)
        _, *after = network.forward()
        return cast(StateT, tuple(after) if self._cell.has_c else after[0])

    def _step_of(self, layer: int, row: Array, before: Any) -> Any:
        """Return the state of a layer after a step."""
        if not self._noise.reaches_steps:
            return self._packed[layer].step(row, before)
        h0, c0 = before if isinstance(before, tuple) else (before, None)
        batch, widths = row.shape[0], (self._first.output_size, self.hidden_size)
        h: Array = empty("state", (batch, widths[0]), self.dtype)
        c: Array = empty("state", (batch, widths[1]), self.dtype)
        given = inputs.Inputs(row[None], self._weights[layer][0], h0, c0, None, None)
        masks = self._noise.of_states(HOST, layer, (1, batch), widths, self.dtype)
        has_c = self._cell.has_c
        results = Results(np.empty((1, *h.shape), self.dtype), h, c if has_c else None)
        forward_packed(self._packed[layer], given, False, masks, results)
        return (h, c) if has_c else h


def _of_layer(states: Any, layer: int) -> Any:
    """Return a layer's state, of states of all."""
    return tuple(s[layer] for s in states) if isinstance(states, tuple) else states[layer]


def _left(x: object, state: object) -> Any:
    """Stand in for the core's way of a call, or a step, where there is none."""
    return NotImplemented


def packing(function: _Function) -> _Function:
    """Give a function the signature that the options of packing make."""
    defaults = defaults_of(Prepacked._pack, cells.choose)
    return with_options(function, PackOptions, {**cells.DEFAULTS, **defaults})


packing(Prepacked.__init__)
