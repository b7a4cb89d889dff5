"""What is timed in company, who is timed beside us, and how: alone and in company, in turns.

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
from .findings import Finding
from .settings import with_threads

__all__ = [
    "CASES",
    "ONE_THREAD",
    "InCompany",
    "beside_its_bound",
    "contestants",
    "installed_peers",
    "mean_of_a_turn",
    "medians_of_means",
    "time_in_company",
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


class InCompany(NamedTuple):
    """Seconds a call of each contestant.

    Parameters
    ----------
    alone, beside : dict of str to float
        Without company, and in it.
    """

    alone: dict[str, float]
    beside: dict[str, float]

    def __str__(self) -> str:
        """Return how much longer each takes in company."""
        each = (f"{name} {self.beside[name] / alone:.2g}" for name, alone in self.alone.items())
        return f"in company / alone: {', '.join(each)}"


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


def time_in_company(
    calls: Mapping[str, Call],
    rounds: int,
    company: Callable[[], AbstractContextManager[Any]] = nullcontext,
    turn: Callable[[Call], float] = mean_of_a_turn,
) -> InCompany:
    """Time all contestants alone, then all in company, round after round.

    Parameters
    ----------
    calls : mapping of str to callable
        The contestants.
    rounds : int
        Turns of each, alone and in company.
    company : callable, optional
        Returns a context in which there is company; by default none comes from outside the turn.
    turn : callable, optional
        ``turn(call)`` returns the seconds a call in company; by default as alone.

    Returns
    -------
    InCompany
    """
    alone: dict[str, list[float]] = {name: [] for name in calls}
    beside: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            _settle(call)
            alone[name].append(mean_of_a_turn(call))
        with company():
            for name, call in calls.items():
                _settle(call)
                beside[name].append(turn(call))
    return InCompany(_medians(alone), _medians(beside))


def _settle(call: Call) -> None:
    """Call until what was learned of another company is forgotten."""
    until = time.perf_counter() + _SETTLES_WITHIN
    while time.perf_counter() < until:
        call()


def beside_its_bound(about: str, own: str, times: InCompany, of_alone: float) -> Finding:
    """Return our time in company beside the larger of two that it may take.

    Parameters
    ----------
    about : str
        The company and the case.
    own : str
        Our name among the contestants.
    times : InCompany
        What was measured.
    of_alone : float
        How many times our time alone is allowed; one thread's in the same company always is.

    Returns
    -------
    Finding
    """
    allowed = max(of_alone * times.alone[own], times.beside[ONE_THREAD])
    compared = f"time / {of_alone:g} of that alone or one thread's, {about}; {times}"
    return Finding(compared, times.beside[own] / allowed, "at most", 1.0)


def _medians(times: Mapping[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(of_rounds) for name, of_rounds in times.items()}
