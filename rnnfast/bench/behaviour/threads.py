"""What a second thread brings, and what a third and fourth on two cores cost."""

from __future__ import annotations

from collections.abc import Sequence

from rnnfast import _core

from ..cases import Case, Mode, Shape
from ..measure import agreeing_jobs
from ..peers import Ours
from ..timing import Call
from .disturbances import CASES, installed_peers, medians_of_means
from .ratios import BoundedRatio, medians
from .settings import under_plan, with_threads

__all__ = ["more_threads_than_cores", "second_thread"]

_TWICE = 1.3
_NEVER_SLOWER = 0.97  # the same plan, timed twice, differs by as much

_LARGE = ("50/64/512", "50/32/256", "25/64/1024")
_SMALL = ("100/1/32", "100/1/64", "100/4/32", "10/8/64", "1/32/64", "50/16/256")


def second_thread(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare one thread with two.

    Parameters
    ----------
    ours : Ours
        rnnfast.
    rounds : int
        Turns of each.

    Returns
    -------
    list of BoundedRatio
    """
    found = []
    for bound, shapes in ((1.85, _LARGE), (_NEVER_SLOWER, _SMALL)):
        for case in _cases(shapes):
            call = ours.prepare(case, case.inputs()).call
            times = medians({str(n): with_threads(call, n) for n in (1, 2)}, rounds)
            about = f"one thread / two, {case}"
            found.append(BoundedRatio(about, times["1"] / times["2"], "at least", bound))
    return found


def more_threads_than_cores(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare twice as many threads as cores with as many.

    Asked for with `rnnfast.set_num_threads`, which keeps to the cores that there are, and forced.

    Parameters
    ----------
    ours : Ours
        rnnfast.
    rounds : int
        Turns of each.

    Returns
    -------
    list of BoundedRatio
    """
    cores = _core.config()["available_threads"]
    return [found for case in CASES for found in _twice_as_many(case, ours, cores, rounds)]


def _twice_as_many(case: Case, ours: Ours, cores: int, rounds: int) -> list[BoundedRatio]:
    own = ours.prepare(case, case.inputs()).call
    as_many = {ours.name: with_threads(own, cores), **_of_peers(case, ours, cores)}
    twice = {ours.name: with_threads(own, 2 * cores), **_of_peers(case, ours, 2 * cores)}
    times = medians_of_means(
        {
            **{f"{name}, as many": call for name, call in as_many.items()},
            **{f"{name}, twice": call for name, call in twice.items()},
            "forced": under_plan(with_threads(own, cores), threads=2 * cores),
        },
        rounds,
    )
    ratios = {name: times[f"{name}, twice"] / times[f"{name}, as many"] for name in as_many}
    asked = ratios.pop(ours.name)
    forced = times["forced"] / times[f"{ours.name}, as many"]
    beside = "".join(f"; {name} {ratio:.2g}" for name, ratio in ratios.items())
    about = f"time of {2 * cores} threads on {cores} cores / of {cores}"
    return [
        BoundedRatio(f"{about}, asked for, {case}{beside}", asked, "at most", _TWICE),
        BoundedRatio(f"{about}, forced, {case}", forced, "at most", _TWICE),
    ]


def _of_peers(case: Case, ours: Ours, threads: int) -> dict[str, Call]:
    peers = {peer.name: peer for peer in installed_peers(threads)}
    jobs, _ = agreeing_jobs(case, ours, list(peers.values()))
    return {
        name: peer.on_its_threads(jobs[name].call) for name, peer in peers.items() if name in jobs
    }


def _cases(shapes: Sequence[str]) -> list[Case]:
    modes: tuple[Mode, ...] = ("training", "inference")
    return [Case(mode, "lstm", Shape.of(shape)) for mode in modes for shape in shapes]
