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
        self._next: Any = _END  # drawn by `has_more`, not yet taken
        self._before: Any = None  # state of the random numbers when the pass began
        self._taken = 0
        self._cut = False
        self.done = 0

    def has_more(self) -> bool:
        """Return whether another epoch has a batch at all; of one that has begun, true."""
        if self.done or self._cut:
            return True
        if self._next is _END:
            self._next = self._draw()
        if self._next is _END:
            self._next = self._draw()  # the pass had ended with the last epoch
        return self._next is not _END

    def epoch(self) -> Iterator[Batch]:
        """Give the batches of an epoch, or those that are left of one."""
        while not self._cut and (self._steps is None or self.done < self._steps):
            item, self._next = self._next, _END
            if item is _END:
                item = self._draw()
            if item is not _END:
                self._taken += 1
                self.done += 1
                yield self._batch(item)
            elif self._steps is None:
                break
            else:
                self._next = self._draw()
                if self._next is _END:
                    warnings.warn(
                        f"the batches ended after {self.done} of {self._steps} steps of an epoch",
                        stacklevel=2,
                    )
                    break
        self.end_epoch()

    def cut(self) -> None:
        """Give nothing more in this epoch: it was stopped here."""
        self._cut = True

    def end_epoch(self) -> None:
        """Be ready for the next epoch, also where one was stopped before its end."""
        self.done = 0
        self._cut = False

    def _draw(self) -> Any:
        """Return what the running pass gives next, of a new one where none is running."""
        item = next(self._start() if self._pass is None else self._pass, _END)
        if item is _END:
            self._pass = None
        return item

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
        self._next = _END
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
    begun = [itertools.chain([first], iterator)]
    if iterator is batches:
        return lambda _: begun[0], first
    # What has begun is the first pass: to begin a loader that shuffles draws random numbers.
    return lambda _: begun.pop() if begun else iter(batches), first
