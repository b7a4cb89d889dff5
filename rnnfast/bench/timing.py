"""Turns A B C A B C: who is timed when, and what the times say.

A thread pool goes on spinning after its call, for a millisecond or for a fifth of a second, and
slows whoever comes next by up to two times. Each turn therefore

    1. waits until the process uses no processor time: every pool is asleep;
    2. makes untimed calls for a while: its own pool and the caches are warm;
    3. makes several timed ones.

Contestants are compared within a round, so that a machine that changes speed between rounds
changes no ratio.
"""

from __future__ import annotations

import gc
import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import repeat
from time import perf_counter, process_time, sleep
from typing import Any, NamedTuple, TypeAlias

__all__ = ["Call", "Spread", "play_rounds", "spread", "take_turn", "wait_until_quiet"]

Call: TypeAlias = Callable[[], Any]

_WINDOW = 0.005  # seconds over which the process is watched
_BUSY = 0.1  # of one core: below this no thread spins
_PATIENCE = 10.0  # seconds
_WARM_UP = 0.010  # seconds
_SAMPLE = 0.001  # seconds: long beside the clock's own cost
_TURN = 0.05  # seconds, or _SAMPLES samples if that takes longer
_SAMPLES = 3


class Spread(NamedTuple):
    """A median between its quartiles."""

    low: float
    median: float
    high: float

    @property
    def half_width(self) -> float:
        """Half the distance of the quartiles, over the median."""
        return (self.high - self.low) / 2 / self.median


def spread(values: Sequence[float]) -> Spread:
    """Return the median and quartiles of values.

    Parameters
    ----------
    values : sequence of float
        One or more.

    Returns
    -------
    Spread
    """
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    return Spread(*statistics.quantiles(values, n=4, method="inclusive"))


def wait_until_quiet() -> None:
    """Sleep until no thread of this process runs.

    Raises
    ------
    TimeoutError
        If that takes longer than ten seconds.
    """
    end = perf_counter() + _PATIENCE
    while perf_counter() < end:
        used, begin = process_time(), perf_counter()
        sleep(_WINDOW)
        if process_time() - used < _BUSY * (perf_counter() - begin):
            return
    raise TimeoutError(
        f"a thread of this process has been busy for {_PATIENCE:g} s: nothing else "
        "may run in a process that times"
    )


def take_turn(call: Call) -> list[float]:
    """Time one contestant, once the one before it is quiet.

    Parameters
    ----------
    call : callable
        What is timed.

    Returns
    -------
    list of float
        Seconds a call, one of each sample; a sample is as many calls as fill a millisecond.
    """
    wait_until_quiet()
    calls, begin, elapsed = 0, perf_counter(), 0.0
    while elapsed < _WARM_UP:
        call()
        calls += 1
        elapsed = perf_counter() - begin
    number = math.ceil(_SAMPLE * calls / elapsed)
    samples: list[float] = []
    end = perf_counter() + _TURN
    with _collector_off():
        while len(samples) < _SAMPLES or perf_counter() < end:
            samples.append(_seconds_a_call(call, number))
    return samples


def play_rounds(calls: Mapping[str, Call], rounds: int) -> Iterator[dict[str, float]]:
    """Let everyone have a turn, round after round.

    Parameters
    ----------
    calls : mapping of str to callable
        The contestants, in the order of their turns.
    rounds : int
        How often each has one.

    Yields
    ------
    dict of str to float
        After each round, the median seconds a call of each contestant.
    """
    for _ in range(rounds):
        yield {name: statistics.median(take_turn(call)) for name, call in calls.items()}


def _seconds_a_call(call: Call, number: int) -> float:
    times = repeat(None, number)
    begin = perf_counter()
    for _ in times:
        call()
    return (perf_counter() - begin) / number


@contextmanager
def _collector_off() -> Iterator[None]:
    """Keep Python's garbage collector out of the samples, as `timeit` does."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
