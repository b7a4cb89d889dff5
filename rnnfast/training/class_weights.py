"""Weights of classes, as weights of the samples: w[n] = class_weight[class of target n].

Classes are integers, or where their probabilities come out, one-hot rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnfast.layers.layer import Array, Shape
from rnnfast.training.ragged import Ragged
from rnnfast.utils.hyperparameters import at_least_zero
from rnnfast.utils.labels import class_numbers


def times(
    class_weight: Mapping[int, float],
    targets: Sequence[Array | Ragged],
    weights: Sequence[Array | Ragged | None],
    output_shape: Shape | list[Shape],
    dtype: np.dtype[Any],
) -> Array:
    """Return the weights of the samples of a model with one output, times those of their classes.

    Parameters
    ----------
    class_weight : mapping of int to float
        By class; one for those that are missing.
    targets, weights
        Those of the model, of which there must be one each.
    output_shape : tuple
        Of the output: targets with as many axes are one-hot.
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
    by_class = {
        int(label): at_least_zero(f"class_weight[{label!r}]", weight)
        for label, weight in class_weight.items()
    }
    labels = _labels(y, len(output_shape))
    classes, places = np.unique(labels, return_inverse=True)
    table = np.array([by_class.get(int(label), 1.0) for label in classes], dtype)
    of_samples: Array = table[places.reshape(labels.shape)]
    if before is None:
        return of_samples
    if isinstance(before, Ragged) or before.ndim > of_samples.ndim:
        raise ValueError(
            "sample_weight beside class_weight must be a number for each target, got "
            f"shape {before.shape} for targets {y.shape}"
        )
    return of_samples * before.reshape(before.shape + (1,) * (of_samples.ndim - before.ndim))


def _labels(y: Array, axes: int) -> Array:
    """Return the class of each target: of a one-hot row, where its largest number stands."""
    if y.ndim > 1 and y.shape[-1] == 1:
        y = y[..., 0]
    elif y.ndim == axes > 1:
        return np.asarray(y.argmax(axis=-1))
    labels = class_numbers("y", y)
    if labels.size and labels.min() < 0:
        raise ValueError(f"class_weight is for classes from 0, got {labels.min()} in y")
    return labels
