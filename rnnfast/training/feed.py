"""Batches, epoch by epoch, from a place that can be noted and taken up again.

An epoch is a pass over the data, or a number of steps; then passes follow one another, and an
epoch may end within one. Where it stands is told by what the random numbers were when the running
pass began, the batches taken since, and the steps done in the running epoch.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from rnnfast.training.samples import Batch

_END = object()


class Feed:
    """The batches of a training.

    Parameters
    ----------
    begin : callable
        Takes a generator of random numbers, begins a pass and gives an iterator.
    batch : callable
        Makes a batch of what that iterator gives.
    steps : int or None
        Batches of an epoch; None for those of a pass.
    rng : Generator
        Of the order of samples.
    signature : list
        What must be the same where another goes on: samples, batch size, steps.

    Attributes
    ----------
    done : int
        Steps of the running epoch.
    """

    def __init__(
        self,
        begin: Callable[[np.random.Generator], Iterator[Any]],
        batch: Callable[[Any], Batch],
        steps: int | None,
        rng: np.random.Generator,
        signature: list[int | None],
    ) -> None:
        self.signature = signature
        self._begin = begin
        self._batch = batch
        self._steps = steps
        self._rng = rng
        self._pass: Iterator[Any] | None = None
        self._before: Any = None  # state of the random numbers when the pass began
        self._taken = 0
        self._cut = False
        self.done = 0

    def epoch(self) -> Iterator[Batch]:
        """Give the batches of an epoch, or those that are left of one."""
        while not self._cut and (self._steps is None or self.done < self._steps):
            running = self._start() if self._pass is None else self._pass
            item: Any = next(running, _END)
            if item is not _END:
                self._taken += 1
                self.done += 1
                yield self._batch(item)
                continue
            self._pass = None
            if not self._taken:
                warnings.warn(
                    "there are no more batches: give an iterable that can be begun again, such "
                    "as a list or an object with __iter__, or a generator without an end",
                    stacklevel=2,
                )
            if self._steps is None or not self._taken:
                break
        self.end_epoch()

    def cut(self) -> None:
        """Give nothing more in this epoch: it was stopped here."""
        self._cut = True

    def end_epoch(self) -> None:
        """Be ready for the next epoch, also where one was stopped before its end."""
        self.done = 0
        self._cut = False

    def _start(self) -> Iterator[Any]:
        self._before = self._rng.bit_generator.state
        self._taken = 0
        self._pass = self._begin(self._rng)
        return self._pass

    def get_state(self) -> dict[str, Any]:
        """Return where it stands."""
        running = self._pass is not None
        return {
            "random": self._before if running else self._rng.bit_generator.state,
            "taken": self._taken if running else 0,
            "done": self.done,
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go to where another one stood."""
        self._rng.bit_generator.state = state["random"]
        self._pass = None
        if state["taken"]:
            for _ in itertools.islice(self._start(), state["taken"]):
                self._taken += 1
        self.done = state["done"]


def repeatable(batches: Iterable[Any]) -> tuple[Callable[..., Iterator[Any]], Any]:
    """Return what begins a pass over a user's batches, and the first of them.

    Of what can be begun but once, that one is not lost.

    Raises
    ------
    ValueError
        When there is none.
    """
    iterator = iter(batches)
    try:
        first = next(iterator)
    except StopIteration:
        raise ValueError("the batches must be one at least, got none") from None
    if iterator is not batches:
        return lambda _: iter(batches), first
    whole = itertools.chain([first], iterator)
    return lambda _: whole, first
