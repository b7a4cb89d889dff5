"""From what a user passes to columns of samples, from which batches are taken.

A column is one input, one target or the weights of one target: an array, or sequences of different
lengths. It is converted once, before the first batch: inputs to the dtype that their layers take,
targets to the model's dtype unless they are integers (classes).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnnfast._check.spelling import meant
from rnnfast.layers.layer import Array
from rnnfast.layers.value import Value
from rnnfast.training import class_weights
from rnnfast.training.ragged import Ragged, as_ragged, is_ragged
from rnnfast.training.trainable import Trainable
from rnnfast.utils.numbers import as_numbers

Rows = slice | NDArray[np.intp]
Column = Array | Ragged


class Batch(NamedTuple):
    """What a model is given at a time; weights are one for each target, None for ones."""

    inputs: list[Value]
    targets: list[Array]
    weights: list[Array | None]

    @property
    def size(self) -> int:
        """Number of samples."""
        return len(self.inputs[0].array)


@dataclass(frozen=True)
class Samples:
    """Columns with the same samples in the same order; weights are one column for each target."""

    inputs: list[Column]
    targets: list[Column]
    weights: list[Column | None]

    def __len__(self) -> int:
        """Count the samples."""
        return len(self.inputs[0])

    def batch(self, rows: Rows) -> Batch:
        """Return some samples as a batch."""
        return Batch(
            [_take(column, rows) for column in self.inputs],
            [_take(column, rows).array for column in self.targets],
            [None if column is None else _take(column, rows).array for column in self.weights],
        )

    def part(self, rows: slice) -> Samples:
        """Return some of the samples."""
        return Samples(
            [column[rows] for column in self.inputs],
            [column[rows] for column in self.targets],
            [None if column is None else column[rows] for column in self.weights],
        )

    @property
    def lengths(self) -> list[NDArray[np.intp]]:
        """Steps of each sequence, of each of the inputs where they differ."""
        return [one.lengths for one in self.inputs if isinstance(one, Ragged)]


def of_inputs(model: Trainable, name: str, x: object) -> Samples:
    """Convert inputs of a model, which is built for them if it is not.

    Raises
    ------
    TypeError, ValueError
        When they are no numbers, or do not fit the model or each other.
    """
    given = _by_name(name, x, model.input_names)
    columns = {one: _as_column(one, value) for one, value in given.items()}
    model.build_for([column.shape for column in columns.values()])
    inputs: list[Column] = [
        column.map(convert) if isinstance(column, Ragged) else convert(column)
        for column, convert in zip(columns.values(), model.input_converters, strict=True)
    ]
    _require_equal_counts(dict(zip(columns, inputs, strict=True)))
    return Samples(inputs, [], [])


def of_targets(
    model: Trainable,
    x_name: str,
    x: object,
    y_name: str,
    y: object,
    sample_weight: object = None,
    class_weight: Mapping[int, float] | None = None,
) -> Samples:
    """Convert inputs of a model, their targets, and the weights of these.

    Raises
    ------
    TypeError, ValueError
        When they are no numbers, do not fit the model or each other, or are none.
    """
    inputs = of_inputs(model, x_name, x).inputs
    targets = {
        one: _as_target(_as_column(one, value), model.dtype)
        for one, value in _by_name(y_name, y, model.output_names).items()
    }
    weights: list[Column | None] = [None] * len(targets)
    counted: dict[str, Column] = {x_name: inputs[0], **targets}
    if sample_weight is not None:
        given = _of_outputs(sample_weight, model.output_names)
        weights = [
            None if value is None else _as_weights(one, value, model.dtype)
            for one, value in given.items()
        ]
        counted |= {
            one: column for one, column in zip(given, weights, strict=True) if column is not None
        }
    if class_weight is not None:
        weights = [
            class_weights.times(
                class_weight, list(targets.values()), weights, model.output_shape, model.dtype
            )
        ]
    _require_equal_counts(counted)
    if not len(inputs[0]):
        raise ValueError(f"{x_name} must hold one sample at least, got shape {inputs[0].shape}")
    return Samples(inputs, list(targets.values()), weights)


def _by_name(argument: str, given: object, names: Sequence[str]) -> dict[str, Any]:
    """Give each input or output its part of an argument, under what a message calls it."""
    if isinstance(given, Mapping):
        unknown = [one for one in given if one not in names]
        missing = [one for one in names if one not in given]
        if unknown or missing:
            hint = "".join(meant(one, names) for one in unknown[:1])
            raise ValueError(
                f"{argument} must have the keys {list(names)}, got {list(given)}{hint}"
            )
        return {f"{argument}[{one!r}]": given[one] for one in names}
    if len(names) == 1:
        return {argument: given}
    if not isinstance(given, (list, tuple)) or len(given) != len(names):
        what = f"{len(given)}" if isinstance(given, (list, tuple)) else type(given).__name__
        raise ValueError(
            f"{argument} must be a list of {len(names)} arrays or a dict, for {list(names)}, "
            f"got {what}"
        )
    return {f"{argument}[{k}]": one for k, one in enumerate(given)}


def _of_outputs(sample_weight: object, names: Sequence[str]) -> dict[str, Any]:
    """Give each output its weights; one array, a number for each sample, is for all of them."""
    if len(names) > 1 and not isinstance(sample_weight, (list, tuple, Mapping)):
        weights = _as_weights("sample_weight", sample_weight, np.dtype(np.float64))
        if len(weights.shape) == 1 or weights.shape[1:] == (1,):
            return {f"sample_weight of {name!r}": sample_weight for name in names}
    return _by_name("sample_weight", sample_weight, names)


def _as_column(name: str, value: object) -> Column:
    return as_ragged(name, value) if is_ragged(value) else as_numbers(name, value)


def _as_target(column: Column, dtype: np.dtype[Any]) -> Column:
    def convert(array: Array) -> Array:
        return array if array.dtype.kind in "iu" else array.astype(dtype, copy=False)

    return column.map(convert) if isinstance(column, Ragged) else convert(column)


def _as_weights(name: str, value: object, dtype: np.dtype[Any]) -> Column:
    def convert(array: Array) -> Array:
        if array.size and not array.min() >= 0:  # NaN as well
            raise ValueError(f"{name} must not be negative or NaN, got {array.min()}")
        return array.astype(dtype, copy=False)

    column = _as_column(name, value)
    return column.map(convert) if isinstance(column, Ragged) else convert(column)


def _require_equal_counts(columns: Mapping[str, Column]) -> None:
    counts = {name: len(column) for name, column in columns.items()}
    if len(set(counts.values())) > 1:
        raise ValueError(
            f"{' and '.join(counts)} must have the same number of samples, got "
            f"{' and '.join(map(str, counts.values()))}"
        )


def _take(column: Column, rows: Rows) -> Value:
    return column.take(rows) if isinstance(column, Ragged) else Value(column[rows])
