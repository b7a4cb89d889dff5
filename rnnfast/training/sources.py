"""Where batches come from: samples that are cut into them, or a user's own, one after another.

for item in source.begin(shuffle)(rng):        a pass
    batch = source.batch(item)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from rnnfast.training import batches, feed
from rnnfast.training import samples as of_model
from rnnfast.training.samples import Batch, Rows, Samples
from rnnfast.training.trainable import Trainable


class Source(Protocol):
    """Where batches come from.

    Attributes
    ----------
    samples : int or None
        In a pass; None where nobody knows.
    steps : int or None
        Batches in a pass, likewise.
    size : int or None
        Samples in a batch, likewise.
    """

    samples: int | None
    steps: int | None
    size: int | None

    def begin(self, shuffle: bool) -> Callable[[np.random.Generator], Iterator[Any]]:
        """Return what begins a pass."""

    def batch(self, item: Any) -> Batch:
        """Make a batch of what a pass gives."""


class OfSamples:
    """Batches of samples; sequences of different lengths go with those that are alike.

    Parameters
    ----------
    samples : Samples
        Inputs, and targets if there are any.
    size : int
        Samples in a batch; the last one of a pass may be short.
    """

    def __init__(self, samples: Samples, size: int) -> None:
        self._samples = samples
        self.samples: int | None = len(samples)
        self.size: int | None = size
        self.steps: int | None = batches.count(len(samples), size)

    def begin(self, shuffle: bool) -> Callable[[np.random.Generator], Iterator[Rows]]:
        """Return what begins a pass, in order or in a random one."""
        count, lengths, size = len(self._samples), self._samples.lengths, self.size
        assert size is not None
        if shuffle:
            if lengths is None:
                return batches.shuffled(count, size)
            return batches.shuffled_by_length(lengths, size)
        if lengths is None:
            return lambda _: batches.in_order(count, size)
        return lambda _: batches.by_length(lengths, size)

    def batch(self, item: Rows) -> Batch:
        """Return the samples of some rows."""
        return self._samples.batch(item)


class OfBatches:
    """A user's own batches, in the order in which they come.

    Parameters
    ----------
    given : iterable
        Of (x, y), (x, y, sample_weight), or of x where no targets are wanted.
    convert : callable
        Makes a batch of one of them.
    """

    def __init__(self, given: Any, convert: Callable[[Any], Batch]) -> None:
        self._begin, first = feed.repeatable(_Indexed(given) if _is_indexed(given) else given)
        self.batch = convert
        convert(first)  # builds the model, and finds now what does not fit
        self.samples: int | None = None
        self.size: int | None = None
        self.steps: int | None = len(given) if hasattr(given, "__len__") else None

    def begin(self, shuffle: bool) -> Callable[[np.random.Generator], Iterator[Any]]:
        """Return what begins a pass."""
        return self._begin


def of_targets(
    model: Trainable,
    names: tuple[str, str],
    x: object,
    y: object,
    sample_weight: object = None,
    class_weight: Mapping[int, float] | None = None,
) -> Samples | OfBatches:
    """Convert what a user trains or evaluates a model on; samples are yet to be cut.

    Raises
    ------
    TypeError, ValueError
        When data are no numbers, or do not fit the model or each other.
    """
    x_name, y_name = names
    if not gives_batches(x):
        return of_model.of_targets(model, x_name, x, y_name, y, sample_weight, class_weight)
    if y is not None or sample_weight is not None:
        raise ValueError(
            f"{y_name} and sample_weight must be left out where {x_name} gives batches: it gives "
            f"(x, y) or (x, y, sample_weight)"
        )

    def convert(item: Any) -> Batch:
        if not isinstance(item, (tuple, list)) or len(item) not in (2, 3):
            raise ValueError(
                f"each batch of {x_name} must be (x, y) or (x, y, sample_weight), got "
                f"{type(item).__name__}"
                + (f" of {len(item)}" if isinstance(item, (tuple, list)) else "")
            )
        own = item[2] if len(item) == 3 else None
        samples = of_model.of_targets(model, "x", item[0], "y", item[1], own, class_weight)
        return samples.batch(slice(None))

    return OfBatches(x, convert)


def of_inputs(model: Trainable, x: object) -> Samples | OfBatches:
    """Convert what a user wants predictions for; samples are yet to be cut."""
    if not gives_batches(x):
        return of_model.of_inputs(model, "x", x)

    def convert(item: Any) -> Batch:
        inputs = item[0] if isinstance(item, tuple) else item
        return of_model.of_inputs(model, "x", inputs).batch(slice(None))

    return OfBatches(x, convert)


def gives_batches(x: object) -> bool:
    """Return whether a user's x is an iterable of batches, and no data themselves."""
    if isinstance(x, (list, tuple, Mapping, str, bytes)) or hasattr(x, "__array__"):
        return False
    return isinstance(x, Iterable) or _is_indexed(x)


def _is_indexed(x: object) -> bool:
    """Return whether batches are asked for by their numbers, as of `keras.utils.PyDataset`."""
    return not hasattr(x, "__iter__") and hasattr(x, "__getitem__") and hasattr(x, "__len__")


class _Indexed:
    """Batches by their numbers, one after another."""

    def __init__(self, given: Any) -> None:
        self._given = given

    def __iter__(self) -> Iterator[Any]:
        return (self._given[k] for k in range(len(self._given)))
