"""Whether the machine had something else to do.

Three signs, any of which makes a row BUSY:

    taken     others > cores - threads         others: processor time that they had, per second
    meeting   longer than any distance between cores explains
    spread    repeats of somebody's calls differ too much

The system's load average says nothing here: it lags by a minute, and counts us.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter, process_time, sleep
from typing import NamedTuple

from .results import Report, Row

__all__ = ["OtherWork", "busy_rows", "signs", "take_a_look"]

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
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._begin = _read()

    def taken(self) -> float | None:
        """Return the cores that we lacked so far.

        Returns
        -------
        float or None
            On average; None on a system that does not tell what its cores do.
        """
        begin, end = self._begin, _read()
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
    return _too_much_taken(others.taken())


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
    found = [_too_much_taken(row.taken)]
    if threads > 1 and row.meeting.median > threads * _MEETING:
        found.append(f"threads met in {row.meeting.median * 1e9:.0f} ns")
    for name, entry in row.entries.items():
        half = max(entry.seconds.half_width, entry.ratio.half_width)
        if half > _SPREAD:
            found.append(f"{name} ± {half:.0%}")
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


def _too_much_taken(taken: float | None) -> str | None:
    return f"others took {taken:.1f} cores" if taken is not None and taken > _TAKEN else None


def _cores() -> set[int]:
    return os.sched_getaffinity(0)


def _read() -> _Reading | None:
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
    return _Reading(perf_counter(), ticks / os.sysconf("SC_CLK_TCK"), process_time())
