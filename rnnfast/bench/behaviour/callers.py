"""Eight threads of Python that call at once, beside the same calls one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from ..agreement import require_agreement
from ..cases import Case
from ..peers import Job, Ours, Peer, Unable
from ..timing import Call, take_turn
from .disturbances import CASES, installed_peers, medians_of_means
from .ratios import BoundedRatio

__all__ = ["callers_at_once"]

_CALLERS = 8
_BATCH = 0.02  # seconds that a caller's calls take at least: long beside waking it
_BOUND = 1.3


def callers_at_once(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare the time of many calls made from eight threads with that made from one.

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
    peers = [ours, *installed_peers(ours.threads)]
    with ThreadPoolExecutor(_CALLERS) as pool:
        return [at_once(case, peers, pool, rounds) for case in CASES]


def at_once(
    case: Case, peers: Sequence[Peer], pool: ThreadPoolExecutor, rounds: int
) -> BoundedRatio:
    """Measure one case.

    Parameters
    ----------
    case : Case
        What is timed.
    peers : sequence of Peer
        Whose calls, ours first.
    pool : ThreadPoolExecutor
        The callers.
    rounds : int
        Turns of each.

    Returns
    -------
    BoundedRatio
    """
    calls: dict[str, Call] = {}
    names = []
    for peer, jobs in _agreeing_callers(case, peers):
        number = max(1, round(_BATCH / min(take_turn(jobs[0].call)) / _CALLERS))
        batches = [partial(_repeat, job.call, number) for job in jobs]
        calls[f"{peer.name}, in turn"] = partial(_one_after_the_other, batches)
        calls[f"{peer.name}, at once"] = partial(_all_at_once, pool, batches)
        names.append(peer.name)
    times = medians_of_means(calls, rounds)
    ratios = {name: times[f"{name}, at once"] / times[f"{name}, in turn"] for name in names}
    own = ratios.pop(peers[0].name)
    beside = "".join(f"; {name} {ratio:.2g}" for name, ratio in ratios.items())
    about = f"time of calls by {_CALLERS} threads at once / one after the other, {case}{beside}"
    return BoundedRatio(about, own, "at most", _BOUND)


def _agreeing_callers(case: Case, peers: Sequence[Peer]) -> list[tuple[Peer, list[Job]]]:
    inputs = case.inputs()
    able: list[tuple[Peer, list[Job]]] = []
    for peer in peers:
        try:
            able.append((peer, peer.prepare_callers(case, inputs, _CALLERS)))
        except Unable:
            continue
    own = able[0][1][0]
    answer = own.results(own.call())
    for peer, jobs in able:
        for job in jobs:
            require_agreement(peer.name, inputs, answer, job.results(job.call()), peer.epsilon)
    return able


def _repeat(call: Call, number: int) -> None:
    for _ in range(number):
        call()


def _one_after_the_other(batches: Sequence[Call]) -> None:
    for batch in batches:
        batch()


def _all_at_once(pool: ThreadPoolExecutor, batches: Sequence[Call]) -> None:
    for done in [pool.submit(batch) for batch in batches]:
        done.result()
