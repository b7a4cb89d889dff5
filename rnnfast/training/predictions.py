"""The outputs of batches, put together in the order of the samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast.layers.layer import Array
from rnnfast.layers.value import Value
from rnnfast.training.samples import Rows


class Joined:
    """Outputs of batches that come in the order of the samples."""

    def __init__(self) -> None:
        self._parts: list[list[Array]] = []

    def put(self, outputs: list[Value]) -> None:
        """Take in those of a batch."""
        self._parts.append([output.array for output in outputs])

    def result(self) -> list[Any]:
        """Return each output as a whole."""
        return [np.concatenate(parts) for parts in zip(*self._parts, strict=True)]


class InPlace:
    """Outputs of samples that are equally long, each batch written to where it belongs.

    Parameters
    ----------
    rows : iterable
        Of each batch.
    count : int
        Of all samples.
    """

    def __init__(self, rows: Iterable[Rows], count: int) -> None:
        self._rows: Iterator[Rows] = iter(rows)
        self._count = count
        self._outputs: list[Array] = []

    def put(self, outputs: list[Value]) -> None:
        """Take in those of a batch."""
        if not self._outputs:
            self._outputs = [
                np.empty((self._count, *one.array.shape[1:]), one.array.dtype) for one in outputs
            ]
        rows = next(self._rows)
        for whole, output in zip(self._outputs, outputs, strict=True):
            whole[rows] = output.array

    def result(self) -> list[Any]:
        """Return each output as a whole."""
        return self._outputs


class OfSequences:
    """Outputs of sequences of different lengths: a list of arrays where they have steps.

    Parameters
    ----------
    rows : iterable of ndarray
        Of each batch.
    lengths : ndarray of int
        Of all sequences.
    """

    def __init__(self, rows: Iterable[Any], lengths: NDArray[np.intp]) -> None:
        self._rows = iter(rows)
        self._lengths = lengths
        self._outputs: list[list[Any]] = []

    def put(self, outputs: list[Value]) -> None:
        """Take in those of a batch."""
        if not self._outputs:
            self._outputs = [[None] * len(self._lengths) for _ in outputs]
        rows = next(self._rows)
        for whole, (array, mask) in zip(self._outputs, outputs, strict=True):
            for place, row in enumerate(rows):
                whole[row] = array[place] if mask is None else array[place, : self._lengths[row]]

    def result(self) -> list[Any]:
        """Return each output as a whole: an array where all have one shape."""
        return [
            np.stack(one) if len({array.shape for array in one}) == 1 else one
            for one in self._outputs
        ]
