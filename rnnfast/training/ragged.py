"""Sequences of different lengths, of which a batch is padded to its longest.

x[b, t] = sequences[b][t], and zero from where that ends on          mask[b, t] = there is one
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from rnnfast.layers.layer import Array, Shape
from rnnfast.layers.value import Value
from rnnfast.utils.numbers import as_numbers
from rnnfast.utils.ragged import side_by_side


class Ragged:
    """A list of sequences of one dtype, each (T, ...) with a T of its own.

    Parameters
    ----------
    sequences : list of ndarray
        Checked: one dtype, the same axes after the first.

    Attributes
    ----------
    lengths : ndarray of intp
        Steps of each sequence.
    """

    def __init__(self, sequences: list[Array]) -> None:
        self._sequences = sequences
        self.lengths: NDArray[np.intp] = np.array([len(one) for one in sequences], np.intp)

    def __len__(self) -> int:
        """Count the sequences."""
        return len(self._sequences)

    def __getitem__(self, rows: slice) -> Ragged:
        """Return some of the sequences."""
        return Ragged(self._sequences[rows])

    @property
    def shape(self) -> Shape:
        """(sequences, None, ...)."""
        return (len(self), None, *self._sequences[0].shape[1:])

    def map(self, convert: Callable[[Array], Array]) -> Ragged:
        """Convert the numbers: all at once, since each conversion looks at all of them."""
        whole = convert(np.concatenate(self._sequences))
        return Ragged(np.split(whole, np.cumsum(self.lengths)[:-1]))

    def take(self, rows: Any) -> Value:
        """Pad some sequences to the longest; the mask is None where all are as long."""
        chosen: Iterable[int] = np.arange(len(self))[rows]
        # Time-major in memory, as the kernels take it.
        padded = side_by_side([self._sequences[row] for row in chosen], self._sequences[0])
        array = padded.swapaxes(0, 1)
        there = np.arange(len(padded)) < self.lengths[rows][:, None]
        return Value(array, None if there.all() else there)


def is_ragged(value: object) -> TypeGuard[Sequence[Any]]:
    """Return whether a value is a list of sequences of different lengths."""
    if isinstance(value, np.ndarray):
        listed = value.dtype == object and value.ndim == 1
    else:
        listed = isinstance(value, (list, tuple))
    if not listed or not len(value):  # type: ignore[arg-type]
        return False
    lengths = {_length(one) for one in value}  # type: ignore[attr-defined]
    return len(lengths) > 1 and None not in lengths


def _length(one: Any) -> int | None:
    """Return the length of a sequence, None of a number or text."""
    if isinstance(one, (str, bytes)):
        return None
    try:
        return len(one)
    except TypeError:  # also of an array without axes
        return None


def as_ragged(name: str, value: Sequence[Any]) -> Ragged:
    """Make a list of sequences.

    Raises
    ------
    TypeError
        When one is no array of numbers.
    ValueError
        When two differ in what a step is.
    """
    sequences = [
        as_numbers(f"{name}[{k}]", one) if len(one) else None for k, one in enumerate(value)
    ]
    there = [one for one in sequences if one is not None]  # some, since lengths differ
    dtype = np.result_type(*{one.dtype for one in there})
    step = there[0].shape[1:]
    for k, one in enumerate(sequences):
        if one is not None and one.shape[1:] != step:
            raise ValueError(
                f"{name}[{k}] must have steps of shape {step} like the others, got {one.shape}"
            )
    empty = np.zeros((0, *step), dtype)
    return Ragged([empty if one is None else one.astype(dtype, copy=False) for one in sequences])
