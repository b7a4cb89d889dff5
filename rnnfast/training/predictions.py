"""The outputs of batches, put together in the order of the samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast.layers.layer import Array
from rnnfast.layers.value import Mask, Value
from rnnfast.training.samples import Rows


class Joined:
    """Outputs of batches that come in the order of the samples."""

    def __init__(self) -> None:
        self._parts: list[list[Array]] = []

    def put(self, outputs: list[Value]) -> None:
        """Take in those of a batch."""
        self._parts.append([output.array for output in outputs])

    def result(self) -> list[Any]:
        """Return each output as a whole.

        Raises
        ------
        ValueError
            When its parts have samples of several shapes.
        """
        return [_join(parts) for parts in zip(*self._parts, strict=True)]


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
    lengths : list of ndarray of int
        Of all sequences, for each input that has such.
    """

    def __init__(self, rows: Iterable[Any], lengths: list[NDArray[np.intp]]) -> None:
        self._rows = iter(rows)
        self._lengths = np.stack(lengths)
        self._outputs: list[list[Any]] = []

    def put(self, outputs: list[Value]) -> None:
        """Take in those of a batch."""
        if not self._outputs:
            self._outputs = [[None] * self._lengths.shape[1] for _ in outputs]
        rows = next(self._rows)
        for whole, (array, mask) in zip(self._outputs, outputs, strict=True):
            ends = None
            if mask is not None and mask.ndim > 1:
                ends = _ends(self._lengths[:, rows], mask)
            for place, row in enumerate(rows):
                # Copied, so that no padding is kept.
                whole[row] = (array[place] if ends is None else array[place, : ends[place]]).copy()

    def result(self) -> list[Any]:
        """Return each output as a whole: an array where all have one shape."""
        return [
            np.stack(one) if len({array.shape for array in one}) == 1 else one
            for one in self._outputs
        ]


def _join(parts: Sequence[Array]) -> Array:
    shapes = {part.shape[1:] for part in parts}
    if len(shapes) > 1:
        raise ValueError(
            f"the outputs of all batches must have samples of one shape to become one array, got "
            f"{' and '.join(map(str, sorted(shapes)))}; predict_on_batch gives them one by one"
        )
    return np.concatenate(parts)


def _ends(lengths: NDArray[np.intp], mask: Mask) -> NDArray[np.intp]:
    """Return where each sequence of an output ends: with the input that it belongs to.

    That is the shortest of those that have all its valid steps.
    """
    valid = np.where(mask.any(axis=1), mask.shape[1] - mask[:, ::-1].argmax(axis=1), 0)
    longest = lengths.max(axis=0)
    ends: NDArray[np.intp] = np.where(lengths >= valid, lengths, longest).min(axis=0)
    return ends
