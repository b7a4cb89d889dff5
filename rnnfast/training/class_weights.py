"""Weights of classes, as weights of the samples: w[n] = class_weight[class of target n].

Classes are integers, or one-hot rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnfast.layers.layer import Array
from rnnfast.training.ragged import Ragged
from rnnfast.utils.hyperparameters import at_least_zero
from rnnfast.utils.labels import class_numbers


def times(
    class_weight: Mapping[int, float],
    targets: Sequence[Array | Ragged],
    weights: Sequence[Array | Ragged | None],
    dtype: np.dtype[Any],
) -> Array:
    """Return the weights of the samples of a model with one output, times those of their classes.

    Parameters
    ----------
    class_weight : mapping of int to float
        By class; one for those that are missing.
    targets, weights
        Those of the model, of which there must be one each.
    dtype : dtype
        Of the result.

    Raises
    ------
    TypeError
        When `class_weight` is no mapping, or a weight no number.
    ValueError
        When a class is no whole number from 0, a weight is negative, or there are several outputs
        or ragged targets.
    """
    given: Any = class_weight
    if not isinstance(given, Mapping):
        raise TypeError(f"class_weight must be a dict of class to weight, got {type(given)}")
    y = targets[0]
    if len(targets) != 1 or isinstance(y, Ragged):
        raise ValueError("class_weight is for models with one output and targets of one length")
    for label in given:
        if isinstance(label, bool) or not isinstance(label, (int, np.integer)) or label < 0:
            raise ValueError(f"class_weight must have classes from 0 for keys, got {label!r}")
    [before] = weights
    labels = _labels(y)
    table = np.ones(max([*map(int, class_weight), int(labels.max(initial=0))]) + 1)
    for label, weight in class_weight.items():
        table[label] = at_least_zero(f"class_weight[{label!r}]", weight)
    of_samples: Array = table[labels].astype(dtype)
    if before is None:
        return of_samples
    if isinstance(before, Ragged) or before.ndim > of_samples.ndim:
        raise ValueError(
            "sample_weight beside class_weight must be a number for each target, got "
            f"shape {before.shape} for targets {y.shape}"
        )
    return of_samples * before.reshape(before.shape + (1,) * (of_samples.ndim - before.ndim))


def _labels(y: Array) -> Array:
    """Return the class of each target: of a one-hot row, where its largest number stands."""
    if y.ndim > 1 and y.shape[-1] > 1 and _is_one_hot(y):
        return np.asarray(y.argmax(axis=-1))
    labels = class_numbers("y", y[..., 0] if y.ndim > 1 and y.shape[-1] == 1 else y)
    if labels.size and labels.min() < 0:
        raise ValueError(f"class_weight is for classes from 0, got {labels.min()} in y")
    return labels


def _is_one_hot(y: Array) -> bool:
    return bool((y.sum(axis=-1) == 1).all() and ((y == 0) | (y == 1)).all())
