"""What a second thread brings, and what a third and fourth on two cores cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rnnfast import _core, _threads

from ..cases import Case, Mode, Shape
from ..peers import Ours
from ..timing import Call
from .findings import Finding, medians
from .partitions import under_plan

__all__ = ["more_threads_than_cores", "second_thread"]

_NEVER_SLOWER = 0.97  # the same plan, timed twice, differs by as much

_LARGE = ("50/64/512", "50/32/256", "25/64/1024")
_SMALL = ("100/1/32", "100/1/64", "100/4/32", "10/8/64", "1/32/64", "50/16/256")


def second_thread(ours: Ours, rounds: int) -> list[Finding]:
    """Compare one thread with two.

    Parameters
    ----------
    ours : Ours
        rnnfast.
    rounds : int
        Turns of each.

    Returns
    -------
    list of Finding
    """
    found = []
    for bound, shapes in ((1.85, _LARGE), (_NEVER_SLOWER, _SMALL)):
        for case in _cases(shapes):
            call = ours.prepare(case, case.inputs()).call
            times = medians({str(n): _with_threads(call, n) for n in (1, 2)}, rounds)
            about = f"one thread / two, {case}"
            found.append(Finding(about, times["1"] / times["2"], "at least", bound))
    return found


def more_threads_than_cores(ours: Ours, rounds: int) -> list[Finding]:
    """Compare twice as many threads as cores with as many.

    Parameters
    ----------
    ours : Ours
        rnnfast.
    rounds : int
        Turns of each.

    Returns
    -------
    list of Finding
    """
    cores = _core.config()["available_threads"]
    found = []
    for case in _cases(("50/64/512", "100/32/128", "100/1/512")):
        call = ours.prepare(case, case.inputs()).call
        calls = {"as many": call, "twice": under_plan(call, threads=2 * cores)}
        times = medians(calls, rounds)
        about = f"{2 * cores} threads on {cores} cores / {cores}, {case}"
        found.append(Finding(about, times["twice"] / times["as many"], "at most", 1.3))
    return found


def _cases(shapes: Sequence[str]) -> list[Case]:
    modes: tuple[Mode, ...] = ("training", "inference")
    return [Case(mode, "lstm", Shape.of(shape)) for mode in modes for shape in shapes]


def _with_threads(call: Call, threads: int) -> Call:
    def run() -> Any:
        with _threads.num_threads(threads):
            return call()

    return run
