"""Where batches come from: samples that are cut into them, or a user's own, one after another.

for item in source.begin(shuffle)(rng):        a pass
    batch = source.batch(item)
"""

from __future__ import annotations

import copy
import itertools
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

    def first(self, steps: int) -> Source:
        """Return the source of the first batches alone."""


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
        self.count = len(samples)
        self.lengths = samples.lengths
        self.samples: int | None = self.count
        self.size: int | None = size
        self.steps: int | None = batches.count(len(samples), size)

    def begin(self, shuffle: bool) -> Callable[[np.random.Generator], Iterator[Rows]]:
        """Return what begins a pass, in order or in a random one."""
        count, lengths, size = self.count, self.lengths, self.size
        assert size is not None
        if shuffle:
            if not lengths:
                return batches.shuffled(count, size)
            return batches.shuffled_by_length(lengths[0], size)
        if not lengths:
            return lambda _: batches.in_order(count, size)
        return lambda _: batches.by_length(lengths[0], size)

    def batch(self, item: Rows) -> Batch:
        """Return the samples of some rows."""
        return self._samples.batch(item)

    def first(self, steps: int) -> OfSamples:
        """Return the source of the first samples, as many as fill so many batches."""
        assert self.size is not None
        return OfSamples(self._samples.part(slice(0, steps * self.size)), self.size)


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
        told = hasattr(given, "on_epoch_end") or _is_indexed(given)
        self._begin, first = feed.repeatable(_Passes(given) if told else given)
        self.batch = convert
        convert(first)  # builds the model, and finds now what does not fit
        self.samples: int | None = None
        self.size: int | None = None
        self.steps: int | None = _count(given)

    def begin(self, shuffle: bool) -> Callable[[np.random.Generator], Iterator[Any]]:
        """Return what begins a pass."""
        return self._begin

    def first(self, steps: int) -> OfBatches:
        """Return the source of the first batches alone."""
        part = copy.copy(self)
        part._begin = lambda rng: itertools.islice(self._begin(rng), steps)
        part.steps = steps
        return part


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
        # As from a loader that gives targets as well.
        inputs = item[0] if isinstance(item, (tuple, list)) and 0 < len(item) < 4 else item
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


def _count(given: Any) -> int | None:
    try:
        return len(given)
    except TypeError:  # also of a data set that does not know its length
        return None


class _Passes:
    """Batches by their numbers or as they come, of what is told that a pass is over.

    Such is `keras.utils.PyDataset`, which shuffles itself then.
    """

    def __init__(self, given: Any) -> None:
        self._given = given

    def __iter__(self) -> Iterator[Any]:
        given = self._given
        yield from (given[k] for k in range(len(given))) if _is_indexed(given) else given
        if hasattr(given, "on_epoch_end"):
            given.on_epoch_end()
