"""From what a user gives to sources of batches: cut to a size and to a number of steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from rnnfast.training import batches, predictions, sources
from rnnfast.training.samples import Batch, Samples
from rnnfast.training.sources import OfBatches, OfSamples, Source
from rnnfast.training.trainable import Trainable
from rnnfast.utils.hyperparameters import require_positive


def of_validation(model: Trainable, given: Any) -> Samples | OfBatches:
    """Convert `validation_data`; samples are yet to be cut."""
    if sources.gives_batches(given):
        return sources.of_targets(model, ("validation_data", "y"), given, None)
    if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
        raise ValueError(
            "validation_data must be a tuple (x, y) or (x, y, sample_weight), or give batches, got "
            f"{type(given).__name__}"
        )
    x, y, *weights = given
    return sources.of_targets(
        model,
        ("validation_data[0]", "validation_data[1]"),
        x,
        y,
        weights[0] if weights else None,
    )


def cut(
    model: Trainable,
    given: Samples | OfBatches,
    batch_size: int | None,
    *beside: Samples | OfBatches,
) -> Source:
    """Cut samples into batches, of a size that suits other samples of the same model too."""
    if isinstance(given, OfBatches):
        if batch_size is not None:
            raise ValueError("batch_size must be left out where x gives batches of its own")
        return given
    counts = [len(one) for one in (given, *beside) if isinstance(one, Samples)]
    return OfSamples(given, batches.choose_size(model.layers, batch_size, *counts))


def cut_validation(
    model: Trainable, held_out: Samples | OfBatches, own: int | None, of_training: int | None
) -> Source:
    """Cut the samples of a validation, by default into batches like those of training."""
    if isinstance(held_out, Samples):
        size = of_training if own is None else require_positive("validation_batch_size", own)
        return cut(model, held_out, size)
    if own is not None:
        raise ValueError(
            "validation_batch_size must be left out where validation_data gives batches of its own"
        )
    return held_out


def first(name: str, steps: int | None, source: Source) -> Source:
    """Leave out what comes after some batches."""
    return source if steps is None else source.first(require_positive(name, steps))


def items(source: Source) -> Iterator[Any]:
    """Begin a pass in order."""
    return source.begin(False)(np.random.default_rng(0))


def in_order(source: Source) -> Iterator[Batch]:
    """Give the batches of a pass in order."""
    return (source.batch(item) for item in items(source))


def kept_for(source: Source) -> predictions.Joined | predictions.InPlace | predictions.OfSequences:
    """Choose how outputs are put together."""
    if not isinstance(source, OfSamples):
        return predictions.Joined()
    if source.lengths:
        return predictions.OfSequences(items(source), source.lengths)
    return predictions.InPlace(items(source), source.count)
