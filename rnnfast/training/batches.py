"""Which samples make a batch: as slices, which are views, or as arrays of their numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from rnnfast.layers.layer import Layer
from rnnfast.layers.recurrent_layer import is_stateful
from rnnfast.training.samples import Rows
from rnnfast.utils.hyperparameters import require_positive

Pass = Callable[[np.random.Generator], Iterator[Rows]]
"""Begins a pass over the samples."""

_DEFAULT_SIZE = 32
_POOL = 100  # batches of which the sequences are sorted by length: alike, and mixed enough


def split_point(samples: int, validation_split: float) -> int:
    """Count the samples before the last fraction, which validation takes.

    Raises
    ------
    ValueError
        When either side would be empty.
    """
    if not 0 <= validation_split < 1:
        raise ValueError(f"validation_split must be from 0 to below 1, got {validation_split!r}")
    point = math.floor(samples * (1.0 - validation_split))
    if point in (0, samples):
        raise ValueError(
            f"validation_split={validation_split} leaves {point} of {samples} samples for "
            f"training and {samples - point} for validation; both need one at least"
        )
    return point


def count(samples: int, batch_size: int) -> int:
    """Count the batches, the last of which may be short."""
    return -(-samples // batch_size)


def choose_size(layers: Sequence[Layer], batch_size: int | None, *samples: int) -> int:
    """Give the batch size, 32 by default.

    Raises
    ------
    ValueError
        When it is no whole number above zero, or gives stateful layers batches of several sizes.
    """
    size = _DEFAULT_SIZE if batch_size is None else require_positive("batch_size", batch_size)
    stateful = [layer for layer in layers if is_stateful(layer)]
    if stateful and len({rows for one in samples for rows in _rows(one, size)}) > 1:
        raise ValueError(
            f"layer {stateful[0].name!r} is stateful, so that all batches must have as many "
            f"sequences: batch_size must divide the number of samples, got {size} for "
            f"{' and '.join(map(str, samples))} samples"
        )
    return size


def _rows(samples: int, batch_size: int) -> set[int]:
    """Give the numbers of samples that batches have: the batch size, and what the last one has."""
    return {min(batch_size, samples), samples % batch_size or batch_size} if samples else set()


def in_order(samples: int, size: int) -> Iterator[Rows]:
    """Cut into batches in order."""
    for start in range(0, samples, size):
        yield slice(start, start + size)


def shuffled(samples: int, size: int) -> Pass:
    """Cut into batches in random order."""

    def begin(rng: np.random.Generator) -> Iterator[Rows]:
        order = rng.permutation(samples)
        for batch in in_order(samples, size):
            yield order[batch]

    return begin


def by_length(lengths: NDArray[np.intp], size: int) -> Iterator[Rows]:
    """Cut into batches of sequences that are alike in length, the shortest first."""
    order = np.argsort(lengths, kind="stable")
    for batch in in_order(len(lengths), size):
        yield order[batch]


def shuffled_by_length(lengths: NDArray[np.intp], size: int) -> Pass:
    """Cut into batches of sequences that are alike in length, in random order."""

    def begin(rng: np.random.Generator) -> Iterator[Rows]:
        order = rng.permutation(len(lengths))
        for pool in in_order(len(lengths), _POOL * size):
            rows = order[pool]
            cut = [rows[batch] for batch in by_length(lengths[rows], size)]
            for k in rng.permutation(len(cut)):
                yield cut[k]

    return begin
