"""From what a user passes to arrays that are cut into batches.

Arrays are converted once, before the first batch: features to the dtype that the first layer
takes, targets to the model's dtype unless they are integers (classes).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast.layers.layer import Array, Layer
from rnnfast.layers.recurrent_layer import is_stateful
from rnnfast.training.trainable import Trainable, require_layers
from rnnfast.utils.hyperparameters import require_positive
from rnnfast.utils.numbers import as_numbers

Batch = slice | NDArray[np.intp]

_DEFAULT_BATCH_SIZE = 32


def as_inputs(model: Trainable, name: str, x: object) -> Array:
    """Convert inputs of a model, which is built for them if it is not."""
    first = require_layers(model)[0]
    array = as_numbers(name, x)
    model.build_for(array)
    return first.convert_input(array)


def as_samples(
    model: Trainable, x_name: str, x: object, y_name: str, y: object
) -> tuple[Array, Array]:
    """Convert inputs of a model and their targets.

    Raises
    ------
    ValueError
        When they do not fit the model or each other.
    """
    inputs = as_inputs(model, x_name, x)
    targets = _as_targets(y_name, y, model.layers[-1].dtype)
    _check_samples(x_name, inputs, y_name, targets)
    return inputs, targets


def _as_targets(name: str, value: object, dtype: np.dtype[Any]) -> Array:
    """Convert targets of a model: integers stay, all else becomes `dtype`; see `as_numbers`."""
    array = as_numbers(name, value)
    return array if array.dtype.kind in "iu" else array.astype(dtype, copy=False)


def _check_samples(x_name: str, x: Array, y_name: str, y: Array) -> None:
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


def choose_batch_size(layers: Sequence[Layer], batch_size: int | None, *samples: int) -> int:
    """Give the batch size, 32 by default.

    Raises
    ------
    ValueError
        When it is no whole number above zero, or gives stateful layers batches of several sizes.
    """
    size = _DEFAULT_BATCH_SIZE
    if batch_size is not None:
        size = require_positive("batch_size", batch_size)
    stateful = [layer for layer in layers if is_stateful(layer)]
    if stateful and len({rows for count in samples for rows in _rows(count, size)}) > 1:
        raise ValueError(
            f"layer {stateful[0].name!r} is stateful, so that all batches must have as many "
            f"sequences: batch_size must divide the number of samples, got {size} for "
            f"{' and '.join(map(str, samples))} samples"
        )
    return size


def _rows(samples: int, batch_size: int) -> set[int]:
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
