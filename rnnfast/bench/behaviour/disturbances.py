"""What is timed alone and while something disturbs it, and who is timed beside us, in turns.

A core that is shared gives its time in slices of milliseconds. A call that is shorter is either
not disturbed at all or stands still for a whole slice, and the median of such calls would not see
the slices. What counts is therefore the mean of a turn, and the median of these over the rounds.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

from ..cases import Case, Mode, Shape
from ..measure import agreeing_jobs
from ..peers import Ours, Peer, Unable
from ..peers.onnxruntime import OnnxRuntime
from ..peers.torch import Torch
from ..timing import Call, take_turn
from .ratios import BoundedRatio
from .settings import with_threads

__all__ = [
    "CASES",
    "ONE_THREAD",
    "Times",
    "beside_its_bound",
    "contestants",
    "installed_peers",
    "mean_of_a_turn",
    "medians_of_means",
    "time_disturbed",
]

_SETTLES_WITHIN = 0.4  # seconds: longer than rnnfast does without threads that did not pay

_MODES: tuple[Mode, ...] = ("inference", "training")

CASES: tuple[Case, ...] = tuple(
    Case(mode, cell, Shape.of(shape))
    for mode in _MODES
    for cell, shape in (
        ("lstm", "13/1/384"),
        ("lstm", "100/1/512"),
        ("gru", "100/1/256"),
        ("rnn_tanh", "40/3/200"),
        ("lstm", "50/16/256"),
    )
)
"""Calls that threads gain from, most of them short: a thread that comes late costs them most."""

ONE_THREAD = "one thread"
"""Ours again, held to one thread."""


class Times(NamedTuple):
    """Seconds a call of each contestant.

    Parameters
    ----------
    alone, disturbed : dict of str to float
        While nothing else runs, and while something does.
    """

    alone: dict[str, float]
    disturbed: dict[str, float]

    def __str__(self) -> str:
        """Return how much longer each takes when disturbed."""
        each = (f"{name} {self.disturbed[name] / alone:.2g}" for name, alone in self.alone.items())
        return f"disturbed / alone: {', '.join(each)}"


def installed_peers(threads: int) -> list[Peer]:
    """Return torch and onnxruntime, as far as they are installed.

    Parameters
    ----------
    threads : int
        Of each.

    Returns
    -------
    list of Peer
    """
    installed: list[Peer] = []
    for peer in (Torch, OnnxRuntime):
        try:
            installed.append(peer(threads))
        except Unable:
            continue
    return installed


def contestants(case: Case, ours: Ours) -> dict[str, Call]:
    """Return who is timed in a case, their answers checked.

    Parameters
    ----------
    case : Case
        What is timed.
    ours : Ours
        rnnfast; the peers have as many threads.

    Returns
    -------
    dict of str to callable
        rnnfast, the same on one thread, and the peers that are installed and have such a call.
    """
    jobs, _ = agreeing_jobs(case, ours, installed_peers(ours.threads))
    calls = {name: job.call for name, job in jobs.items()}
    return {**calls, ONE_THREAD: with_threads(calls[ours.name], 1)}


def mean_of_a_turn(call: Call) -> float:
    """Time one contestant.

    Parameters
    ----------
    call : callable
        What is timed.

    Returns
    -------
    float
        Seconds a call, over all calls of a turn.
    """
    return statistics.fmean(take_turn(call))


def medians_of_means(calls: Mapping[str, Call], rounds: int) -> dict[str, float]:
    """Time all contestants, round after round.

    Parameters
    ----------
    calls : mapping of str to callable
        The contestants.
    rounds : int
        Turns of each.

    Returns
    -------
    dict of str to float
        Seconds a call.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            times[name].append(mean_of_a_turn(call))
    return _medians(times)


def time_disturbed(
    calls: Mapping[str, Call],
    rounds: int,
    disturbance: Callable[[], AbstractContextManager[Any]] = nullcontext,
    turn: Callable[[Call], float] = mean_of_a_turn,
) -> Times:
    """Time all contestants alone, then all disturbed, round after round.

    Parameters
    ----------
    calls : mapping of str to callable
        The contestants.
    rounds : int
        Turns of each, alone and disturbed.
    disturbance : callable, optional
        Returns a context in which something disturbs; by default what disturbs is in the turn.
    turn : callable, optional
        ``turn(call)`` returns the seconds a disturbed call; by default as alone.

    Returns
    -------
    Times
    """
    alone: dict[str, list[float]] = {name: [] for name in calls}
    disturbed: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            _settle(call)
            alone[name].append(mean_of_a_turn(call))
        with disturbance():
            for name, call in calls.items():
                _settle(call)
                disturbed[name].append(turn(call))
    return Times(_medians(alone), _medians(disturbed))


def _settle(call: Call) -> None:
    """Call until what was learned before is forgotten."""
    until = time.perf_counter() + _SETTLES_WITHIN
    while time.perf_counter() < until:
        call()


def beside_its_bound(about: str, own: str, times: Times, of_alone: float) -> BoundedRatio:
    """Return our disturbed time beside the larger of two that it may take.

    Parameters
    ----------
    about : str
        What disturbs, and the case.
    own : str
        Our name among the contestants.
    times : Times
        What was measured.
    of_alone : float
        How many times our time alone is allowed; one thread's, disturbed likewise, always is.

    Returns
    -------
    BoundedRatio
    """
    allowed = max(of_alone * times.alone[own], times.disturbed[ONE_THREAD])
    compared = f"time / {of_alone:g} of that alone or one thread's, {about}; {times}"
    return BoundedRatio(compared, times.disturbed[own] / allowed, "at most", 1.0)


def _medians(times: Mapping[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(of_rounds) for name, of_rounds in times.items()}
