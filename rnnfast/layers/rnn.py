"""Cells over a sequence: one, or several one above another.

In each step a cell takes what the one below has given in that step. That is the same as layer
after layer over the whole sequence, and so it runs:

    x_0 = x,   x_k, states_k = layer_k(x_{k-1}, states_k),   y = x_n

Masked steps are left out of all layers, and what they show is settled once, above the last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from numpy.typing import DTypeLike

from rnnfast.layers.cell_layer import CellLayer
from rnnfast.layers.cells import Cell, StackedRNNCells
from rnnfast.layers.layer import Array, Layer, Shape
from rnnfast.layers.recurrent_layer import States
from rnnfast.layers.unidirectional import Scanned, ScanPullback, Unidirectional
from rnnfast.utils.naming import number, to_snake_case

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnfast.layers.options import RecurrentOptions

_Same = TypeVar("_Same", bound="RNN")


class RNN(Unidirectional):
    """A recurrent layer of one cell or of cells one above another: `keras.layers.RNN`.

    Parameters
    ----------
    cell : SimpleRNNCell, LSTMCell, GRUCell, StackedRNNCells or a list of cells
        What is run, from the lowest cell to the highest. The layer has weights of its own.
    return_sequences : bool, default False
        Whether the result is that of all steps (batch, time, H) or of the last one (batch, H).
    return_state : bool, default False
        Whether the layer, when it is called, gives its states beside the result: (y, h) or
        (y, h, c) of one cell; of a list of cells, for each of them the list [h] or [h, c].
    go_backwards : bool, default False
        Whether steps are taken from the last to the first; all results come in that order.
    stateful : bool, default False
        Whether the states after a batch are those before the next, until `reset_state`. Gradients
        end at the borders of batches.
    zero_output_for_mask : bool, default False
        Whether the result of a masked step is zero, instead of that of the step before.
    name, dtype, **options
        As for every layer; `dtype` is that of the cells by default.

    Raises
    ------
    TypeError
        When a cell is none of these, or a flag is not True or False.
    ValueError
        When there is no cell, one is there twice, or dtypes differ.
    NotImplementedError
        For a Keras argument that is not offered yet.

    Notes
    -----
    Weights: those of each cell, from the lowest on, as for `SimpleRNN`, `LSTM` and `GRU`. Each
    cell has its own `dropout` of what it is given.
    """

    not_yet: ClassVar[Mapping[str, object]] = {**Layer.not_yet, "unroll": False}

    def __init__(
        self,
        cell: Cell | StackedRNNCells | Sequence[Cell],
        *,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        zero_output_for_mask: bool = False,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **options: Unpack[RecurrentOptions],
    ) -> None:
        cells = _cells_of(cell)
        own = cells[0].layer.dtype
        super().__init__(
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            zero_output_for_mask=zero_output_for_mask,
            name=name,
            dtype=own if dtype is None else dtype,
            **options,
        )
        if self.dtype != own:
            raise ValueError(f"dtype must be that of the cells, {own}, got {self.dtype}")
        self.cell = cell
        used: Counter[str] = Counter()
        self._layers_by_name: dict[str, CellLayer] = {
            number(to_snake_case(type(one).__name__), used): one.layer for one in cells
        }
        self._layers_by_name = self._twins(self.go_backwards)
        if not self.trainable:
            self.trainable = False  # of all layers, which the base did not know yet
        self._output_state = sum(len(layer.state_sizes) for layer in self._layers[:-1])

    @property
    def _layers(self) -> list[CellLayer]:
        return list(self._layers_by_name.values())

    @property
    def _inner_layers(self) -> Sequence[Layer]:
        return self._layers

    def _twins(self, go_backwards: bool) -> dict[str, CellLayer]:
        return {
            name: layer.twin(layer.name, go_backwards=go_backwards)
            for name, layer in self._layers_by_name.items()
        }

    def twin(self: _Same, name: str, *, go_backwards: bool) -> _Same:
        """Make a layer of the same arguments that has no weights yet; see `Unidirectional.twin`."""
        layer = super().twin(name, go_backwards=go_backwards)
        layer._layers_by_name = self._twins(go_backwards)
        return layer

    # ------------------------------------------------------------------ shapes and weights

    @property
    def state_sizes(self) -> list[int]:
        """Units of each state, those of the lowest cell first."""
        return [size for layer in self._layers for size in layer.state_sizes]

    def _check_input_shape(self, input_shape: Shape) -> None:
        """Raise ValueError unless the input is (batch, time, I), with the I of the weights."""
        super()._check_input_shape(input_shape)
        self._layers[0]._check_input_shape(input_shape)

    @property
    def _features(self) -> int | None:
        return self._layers[0]._features

    def _create_weights(self, input_shape: Shape) -> None:
        batch, time, features = input_shape
        for prefix, layer in self._layers_by_name.items():
            layer.build((batch, time, features))
            features = layer.state_sizes[0]
            # The same arrays: what changes them in place changes those of the layers.
            self._parameters |= {f"{prefix}/{name}": p for name, p in layer._parameters.items()}
            self.regularizers |= {f"{prefix}/{name}": r for name, r in layer.regularizers.items()}

    def _from_keras(self, name: str, value: Array) -> Array:
        prefix, _, name_there = name.partition("/")
        return self._layers_by_name[prefix]._from_keras(name_there, value)

    def _to_keras(self, name: str, value: Array) -> Array:
        prefix, _, name_there = name.partition("/")
        return self._layers_by_name[prefix]._to_keras(name_there, value)

    # -------------------------------------------------------------------------- computation

    def _by_cell(self, flat: Sequence[Any] | None) -> list[Any]:
        """Split what there is of each state into a tuple for each cell."""
        if flat is None:
            return [None] * len(self._layers)
        remaining = iter(flat)
        return [tuple(next(remaining) for _ in layer.state_sizes) for layer in self._layers]

    def _nested(self, flat: Sequence[Any]) -> Sequence[Any]:
        if isinstance(self.cell, Cell):
            return flat
        return [list(of_cell) for of_cell in self._by_cell(flat)]

    def _step(self, x: Array, before: States | None) -> States:
        after: States = ()
        for layer, of_layer in zip(self._layers, self._by_cell(before), strict=True):
            own = layer._step(x, of_layer)
            x = own[0]
            after += own
        return after

    def _scan(self, x: Array, lengths: Array | None, states: States | None) -> Scanned:
        after: States = ()
        for layer, before in zip(self._layers, self._by_cell(states), strict=True):
            x, of_layer = layer._scan(x, lengths, before)
            after += of_layer
        return x, after

    def _scan_vjp(
        self,
        x: Array,
        lengths: Array | None,
        states: States | None,
        *,
        wrt_input: bool,
        wrt_states: bool,
    ) -> tuple[Scanned, ScanPullback]:
        after: States = ()
        pulls: list[ScanPullback] = []
        for layer, before in zip(self._layers, self._by_cell(states), strict=True):
            (x, of_layer), pull = layer._scan_vjp(
                x, lengths, before, wrt_input=wrt_input or bool(pulls), wrt_states=wrt_states
            )
            after += of_layer
            pulls.append(pull)

        def pullback(
            dy: Array | None, dstates: Sequence[Array | None]
        ) -> tuple[Array | None, list[Array], list[Array] | None]:
            gradients: list[Array] = []
            dbefore: list[Array] = []
            for pull, above in zip(reversed(pulls), reversed(self._by_cell(dstates)), strict=True):
                dy, of_layer, of_states = pull(dy, above)
                gradients = of_layer + gradients
                dbefore = (of_states or []) + dbefore
            return dy, gradients, dbefore if wrt_states else None

        return (x, after), pullback


def _cells_of(cell: Cell | StackedRNNCells | Sequence[Cell]) -> list[Cell]:
    """Return the cells from the lowest to the highest."""
    if isinstance(cell, StackedRNNCells):
        return cell.cells
    return StackedRNNCells(cell if isinstance(cell, Sequence) else [cell]).cells
