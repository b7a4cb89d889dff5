"""Cells as `RNN` takes them: which kind and its arguments, without weights.

A cell of Keras computes a step. Here a kernel takes all steps at once, so that a cell is what is
told to the layer around it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from rnnfast.layers import serialization
from rnnfast.layers.cell_layer import CellLayer
from rnnfast.layers.gru import GRU
from rnnfast.layers.lstm import LSTM
from rnnfast.layers.simple_rnn import SimpleRNN
from rnnfast.utils.known_attributes import KnownAttributes
from rnnfast.utils.naming import auto_name, check_name

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnfast.layers.options import CellOptions, GRUCellOptions, LSTMCellOptions

_Same = TypeVar("_Same", bound="Cell")

_OF_THE_LAYER = (
    "return_sequences",
    "return_state",
    "go_backwards",
    "stateful",
    "unroll",
    "input_shape",
    "batch_input_shape",
    "input_dim",
    "input_length",
    "zero_output_for_mask",
)


class Cell(KnownAttributes):
    """The arguments of one recurrent layer, but for those that concern sequences and inputs.

    Parameters
    ----------
    units : int
        Number of hidden units, H.
    *arguments, **options
        As for the layer.
    name : str, optional
        By default the class name in snake case, numbered from the second instance on.

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        As from the layer, and TypeError for an argument that belongs to `RNN`.
    """

    layer_class: ClassVar[type[CellLayer]]

    def __init__(
        self, units: int, *arguments: Any, name: str | None = None, **options: Any
    ) -> None:
        for option in options:
            if option in _OF_THE_LAYER:
                raise TypeError(
                    f"{type(self).__name__} got an unexpected argument {option!r}; pass it to RNN"
                )
        self.name = auto_name(self) if name is None else check_name(name)
        self.layer = self.layer_class(units, *arguments, name=self.name, **options)

    @property
    def units(self) -> int:
        """Number of hidden units, which is also the length of a result unless that is projected."""
        return self.layer.units

    @property
    def state_size(self) -> int | list[int]:
        """Units of the state, or of each where there are several."""
        sizes = self.layer.state_sizes
        return sizes if len(sizes) > 1 else sizes[0]

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal cell.

        Returns
        -------
        dict
            By name, as JSON can hold them.

        Raises
        ------
        TypeError
            When one is a function, which is code.
        """
        config = self.layer.get_config()
        return {name: value for name, value in config.items() if name not in _OF_THE_LAYER}

    @classmethod
    def from_config(cls: type[_Same], config: Mapping[str, Any]) -> _Same:
        """Make a cell from its configuration.

        Parameters
        ----------
        config : mapping
            As `get_config` gives it.

        Returns
        -------
        Cell
            An equal one.

        Raises
        ------
        TypeError, ValueError, NotImplementedError
            As from the constructor, for arguments that it does not take.
        """
        return cls(**config)

    def __repr__(self) -> str:
        """Name the cell and its size."""
        return f"<{type(self).__name__} name={self.name}, units={self.units}>"


class SimpleRNNCell(Cell):
    """The cell of a `SimpleRNN`: `keras.layers.SimpleRNNCell`.

    Parameters
    ----------
    units : int
        Number of hidden units, H.
    *arguments, **options
        As for `SimpleRNN`, from `activation` on.
    name : str, optional
        By default simple_rnn_cell, simple_rnn_cell_1, ...

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        As from `SimpleRNN`, and TypeError for an argument that belongs to `RNN`.
    """

    layer_class: ClassVar[type[CellLayer]] = SimpleRNN

    if TYPE_CHECKING:

        def __init__(self, units: int, *arguments: Any, **options: Unpack[CellOptions]) -> None: ...


class LSTMCell(Cell):
    """The cell of an `LSTM`: `keras.layers.LSTMCell`.

    Parameters
    ----------
    units : int
        Number of hidden units, H.
    *arguments, **options
        As for `LSTM`, from `activation` on.
    name : str, optional
        By default lstm_cell, lstm_cell_1, ...

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        As from `LSTM`, and TypeError for an argument that belongs to `RNN`.
    """

    layer_class: ClassVar[type[CellLayer]] = LSTM

    if TYPE_CHECKING:

        def __init__(
            self, units: int, *arguments: Any, **options: Unpack[LSTMCellOptions]
        ) -> None: ...


class GRUCell(Cell):
    """The cell of a `GRU`: `keras.layers.GRUCell`.

    Parameters
    ----------
    units : int
        Number of hidden units, H.
    *arguments, **options
        As for `GRU`, from `activation` on.
    name : str, optional
        By default gru_cell, gru_cell_1, ...

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        As from `GRU`, and TypeError for an argument that belongs to `RNN`.
    """

    layer_class: ClassVar[type[CellLayer]] = GRU

    if TYPE_CHECKING:

        def __init__(
            self, units: int, *arguments: Any, **options: Unpack[GRUCellOptions]
        ) -> None: ...


class StackedRNNCells(KnownAttributes):
    """Cells one above another: `keras.layers.StackedRNNCells`.

    Parameters
    ----------
    cells : sequence of SimpleRNNCell, LSTMCell and GRUCell
        From the lowest, which sees the input, to the highest, which gives the result; of one
        dtype.

    Raises
    ------
    TypeError
        When one is no such cell.
    ValueError
        When there is none, one is there twice, or dtypes differ.
    """

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.cells = list(cells)
        for cell in self.cells:
            if not isinstance(cell, Cell):
                raise TypeError(
                    "a cell must be a SimpleRNNCell, LSTMCell or GRUCell, "
                    f"got {type(cell).__name__}" + serialization.instead_of(cell)
                )
        if not self.cells:
            raise ValueError("cells must be one cell at least, got none")
        if len({id(cell) for cell in self.cells}) < len(self.cells):
            raise ValueError(
                "cells must be different objects, got one twice; weights are not shared, "
                "make a cell for each place"
            )
        dtypes = {str(cell.layer.dtype) for cell in self.cells}
        if len(dtypes) > 1:
            raise ValueError(f"cells must have one dtype, got {' and '.join(sorted(dtypes))}")

    @property
    def state_size(self) -> list[int | list[int]]:
        """The `state_size` of each cell."""
        return [cell.state_size for cell in self.cells]

    def get_config(self) -> dict[str, Any]:
        """Give the argument that makes equal cells.

        Returns
        -------
        dict
            By name, as JSON can hold it.

        Raises
        ------
        TypeError
            When a cell was made with a function, which is code.
        """
        return serialization.config_of(self)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> StackedRNNCells:
        """Make cells from their configuration.

        Parameters
        ----------
        config : mapping
            As `get_config` gives it.

        Returns
        -------
        StackedRNNCells
            Equal ones.

        Raises
        ------
        TypeError, ValueError, NotImplementedError
            As from the constructors, for arguments that they do not take.
        """
        return cls(**serialization.arguments_from(config))
