"""Beside processes that never rest: one on every core, and one on a single core."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from ..peers import Ours
from .disturbances import CASES, ONE_THREAD, Times, beside_its_bound, contestants, time_disturbed
from .ratios import BoundedRatio

__all__ = ["beside_a_busy_core", "beside_busy_cores", "busy_processes"]

_AS_ONE_THREAD = 1.2
_OF_ALONE = 1.5

# Says when it begins, and ends by itself should its parent have been killed.
_PROGRAM = """
import os, sys
os.sched_setaffinity(0, {{{core}}})
print(flush=True)
while os.getppid() == {parent}:
    for _ in range(1_000_000):
        pass
"""


def beside_busy_cores(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare with one thread, and with the peers, while a process is busy on every core.

    Parameters
    ----------
    ours : Ours
        rnnfast.
    rounds : int
        Turns of each.

    Returns
    -------
    list of BoundedRatio
        None where a process cannot be held to a core.
    """
    if not hasattr(os, "sched_setaffinity"):
        return []
    disturbance = partial(busy_processes, os.sched_getaffinity(0))
    found = []
    for case in CASES:
        times = time_disturbed(contestants(case, ours), rounds, disturbance)
        found += on_busy_cores(str(case), ours.name, times)
    return found


def on_busy_cores(about: str, own: str, times: Times) -> list[BoundedRatio]:
    """Return how our time on busy cores stands beside one thread's and each peer's.

    Parameters
    ----------
    about : str
        The case.
    own : str
        Our name among the contestants.
    times : Times
        What was measured.

    Returns
    -------
    list of BoundedRatio
    """
    found = []
    for name, seconds in times.disturbed.items():
        if name != own:
            bound = _AS_ONE_THREAD if name == ONE_THREAD else 1.0
            compared = f"time / {name}'s with every core busy, {about}; {times}"
            found.append(BoundedRatio(compared, times.disturbed[own] / seconds, "at most", bound))
    return found


def beside_a_busy_core(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare with the time alone, and with one thread, while a process is busy on one core.

    Parameters
    ----------
    ours : Ours
        rnnfast.
    rounds : int
        Turns of each.

    Returns
    -------
    list of BoundedRatio
        None where a process cannot be held to a core.
    """
    if not hasattr(os, "sched_setaffinity"):
        return []
    disturbance = partial(busy_processes, {min(os.sched_getaffinity(0))})
    found = []
    for case in CASES:
        times = time_disturbed(contestants(case, ours), rounds, disturbance)
        found.append(beside_its_bound(f"with one core busy, {case}", ours.name, times, _OF_ALONE))
    return found


@contextmanager
def busy_processes(cores: Collection[int]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Keep cores busy, each with a process of its own.

    Parameters
    ----------
    cores : collection of int
        As `os.sched_getaffinity` counts them.

    Yields
    ------
    list of subprocess.Popen
        All at work. They are gone afterwards, whatever happens inside.
    """
    with ExitStack() as processes:
        yield [processes.enter_context(_busy_process(core)) for core in sorted(cores)]


@contextmanager
def _busy_process(core: int) -> Iterator[subprocess.Popen[bytes]]:
    program = _PROGRAM.format(core=core, parent=os.getpid())
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise RuntimeError(f"the process that keeps core {core} busy has not begun")
        yield process
    finally:
        process.kill()
        process.communicate()
