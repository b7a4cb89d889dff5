"""From what a user passes to arrays that are cut into batches.

Arrays are converted once, before the first batch: features to the dtype that the first layer
takes, targets to the model's dtype unless they are integers (classes).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast.layers.layer import Array
from rnnfast.utils.numbers import as_numbers

Batch = slice | NDArray[np.intp]


def as_targets(name: str, value: object, dtype: np.dtype[Any]) -> Array:
    """Convert targets of a model: integers stay, all else becomes `dtype`; see `as_numbers`."""
    array = as_numbers(name, value)
    return array if array.dtype.kind in "iu" else array.astype(dtype, copy=False)


def check_samples(x_name: str, x: Array, y_name: str, y: Array) -> None:
    """Raise ValueError unless there are samples, and one target for each input."""
    if len(x) != len(y):
        raise ValueError(
            f"{x_name} and {y_name} must have the same number of samples, got {len(x)} and {len(y)}"
        )
    if not len(x):
        raise ValueError(f"{x_name} must hold one sample at least, got shape {x.shape}")


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


def count_batches(samples: int, batch_size: int) -> int:
    """Count the batches, the last of which may be short."""
    return -(-samples // batch_size)


def rows(samples: int, batch_size: int) -> set[int]:
    """Give the numbers of samples that batches have: the batch size, and what the last one has."""
    return {min(batch_size, samples), samples % batch_size or batch_size} if samples else set()


def batches(samples: int, batch_size: int) -> Iterator[Batch]:
    """Cut into batches in order, as slices: a batch is a view."""
    for start in range(0, samples, batch_size):
        yield slice(start, start + batch_size)


def shuffled_batches(samples: int, batch_size: int, rng: np.random.Generator) -> Iterator[Batch]:
    """Cut into batches in random order."""
    order = rng.permutation(samples)
    for batch in batches(samples, batch_size):
        yield order[batch]
