"""Whether the machine had something else to do.

Three signs, any of which makes a row BUSY:

    taken     others > cores - threads         others: processor time that they had, per second
    meeting   longer than any distance between cores explains
    spread    repeats of somebody's calls differ too much

The system's load average says nothing here: it lags by a minute, and counts us.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter, process_time, sleep
from typing import NamedTuple

from .results import Report, Row

__all__ = ["OtherWork", "busy_rows", "signs", "take_a_look", "too_much_spread", "too_much_taken"]

_STAT = Path("/proc/stat")
_LOOK = 0.5  # seconds
_TAKEN = 0.2  # cores: below this it is the system's own small work
_MEETING = 1e-6  # seconds a thread: two threads on far cores meet in a third of it
_SPREAD = 0.2  # half the distance of the quartiles over the median


class _Reading(NamedTuple):
    """Seconds since something: of the clock, of all cores' work, and of our own."""

    clock: float
    all: float
    own: float


class OtherWork:
    """What others do on the cores that this process may use, from now on.

    Parameters
    ----------
    threads : int
        How many cores we need.
    own : callable, optional
        Gives the processor time that is ours so far; by default that of this process.
    """

    def __init__(self, threads: int, own: Callable[[], float] = process_time) -> None:
        self._threads = threads
        self._own = own
        self._begin = _read(own)

    def taken(self) -> float | None:
        """Return the cores that we lacked so far.

        Returns
        -------
        float or None
            On average; None on a system that does not tell what its cores do.
        """
        begin, end = self._begin, _read(self._own)
        if begin is None or end is None:
            return None
        others = (end.all - begin.all - (end.own - begin.own)) / (end.clock - begin.clock)
        return max(0.0, others + self._threads - len(_cores()))


def take_a_look(threads: int) -> str | None:
    """Look for half a second what others do, while we do nothing.

    Parameters
    ----------
    threads : int
        How many cores we shall need.

    Returns
    -------
    str or None
        What to tell, if they leave us too few.
    """
    others = OtherWork(threads)
    sleep(_LOOK)
    return too_much_taken(others.taken())


def signs(row: Row, threads: int) -> list[str]:
    """Say what shows that the machine was busy while a row was measured.

    Parameters
    ----------
    row : Row
        What was measured.
    threads : int
        Of everyone.

    Returns
    -------
    list of str
        Nothing, if nothing shows it.
    """
    found: list[str | None] = [too_much_taken(row.taken)]
    if threads > 1 and row.meeting.median > threads * _MEETING:
        found.append(f"threads met in {row.meeting.median * 1e9:.0f} ns")
    for name, entry in row.entries.items():
        half = max(entry.seconds.half_width, entry.ratio.half_width)
        found.append(too_much_spread(name, half))
    return [sign for sign in found if sign]


def busy_rows(report: Report) -> Sequence[Row]:
    """Return the rows that were measured on a busy machine.

    Parameters
    ----------
    report : Report
        What was measured.

    Returns
    -------
    sequence of Row
    """
    return [row for row in report.rows if signs(row, report.threads)]


def too_much_spread(name: str, half_width: float) -> str | None:
    """Say that somebody's times differ too much.

    Parameters
    ----------
    name : str
        Whose they are.
    half_width : float
        Half the distance of their quartiles over the median.

    Returns
    -------
    str or None
        What to tell, if they do.
    """
    return f"{name} ± {half_width:.0%}" if half_width > _SPREAD else None


def too_much_taken(taken: float | None) -> str | None:
    """Say that others took too much.

    Parameters
    ----------
    taken : float or None
        What `OtherWork.taken` returned.

    Returns
    -------
    str or None
        What to tell, if they did.
    """
    return f"others took {taken:.1f} cores" if taken is not None and taken > _TAKEN else None


def _cores() -> set[int]:
    return os.sched_getaffinity(0)


def _read(own: Callable[[], float]) -> _Reading | None:
    """Read the counters of Linux: user, nice, system, idle, iowait, irq, softirq, steal."""
    if not (_STAT.is_file() and hasattr(os, "sched_getaffinity")):
        return None
    names = {f"cpu{core}" for core in _cores()}
    lines = [line.split() for line in _STAT.read_text().splitlines()]
    ticks = sum(
        int(ticks)
        for name, *counts in lines
        if name in names
        for place, ticks in enumerate(counts[:8])
        if place not in (3, 4)
    )
    return _Reading(perf_counter(), ticks / os.sysconf("SC_CLK_TCK"), own())
