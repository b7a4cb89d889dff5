"""One case: everyone prepares, everyone's answer is checked, then the rounds are played."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .agreement import require_agreement
from .busy import OtherWork, signs
from .cases import Case
from .limits import CaseLimit, require_possible
from .peers import Job, Ours, Peer, Unable
from .results import Entry, Row
from .timing import play_rounds, spread

__all__ = ["agreeing_jobs", "measure"]


def agreeing_jobs(
    case: Case, ours: Ours, peers: Sequence[Peer]
) -> tuple[dict[str, Job], dict[str, str]]:
    """Let everyone prepare a case, and hold the answers of all against ours.

    Parameters
    ----------
    case : Case
        What is timed.
    ours : Ours
        rnnfast.
    peers : sequence of Peer
        Who takes part beside it.

    Returns
    -------
    jobs : dict of str to Job
        By name, ours first.
    unable : dict of str to str
        Peers that cannot do the case, and why.

    Raises
    ------
    Disagreement
        If a peer's answer is not ours.
    """
    inputs = case.inputs()
    own = ours.prepare(case, inputs)
    answer = own.results(own.call())
    jobs: dict[str, Job] = {ours.name: own}
    unable: dict[str, str] = {}
    for peer in peers:
        try:
            job = peer.prepare(case, inputs)
        except Unable as reason:
            unable[peer.name] = str(reason)
            continue
        require_agreement(peer.name, inputs, answer, job.results(job.call()), peer.epsilon)
        jobs[peer.name] = job
    return jobs, unable


def measure(case: Case, ours: Ours, peers: Sequence[Peer], rounds: int) -> Row:
    """Time a case.

    Parameters
    ----------
    case : Case
        What is timed.
    ours : Ours
        rnnfast.
    peers : sequence of Peer
        Who takes part beside it.
    rounds : int
        Turns of each.

    Returns
    -------
    Row

    Raises
    ------
    Disagreement
        If a peer's answer is not ours.
    ImpossibleFraction
        If we were faster than the limit, and it was not a busy machine that made it look so.
    """
    jobs, unable = agreeing_jobs(case, ours, peers)
    others = OtherWork(ours.threads)
    limit = CaseLimit(case, ours.threads)
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for times in play_rounds({name: job.call for name, job in jobs.items()}, rounds):
        limit.measure()
        for name, time in times.items():
            seconds[name].append(time)
    ranks = {ours.name: True, **{peer.name: peer.ranks for peer in peers}}
    entries = _entries(seconds, ours.name, ranks)
    meeting = spread(limit.meetings)
    row = Row(case, entries, unable, limit.fma_rate, limit.seconds, meeting, others.taken())
    if not signs(row, ours.threads):
        require_possible(str(case), row.fraction)
    return row


def _entries(
    seconds: Mapping[str, Sequence[float]], ours: str, ranks: Mapping[str, bool]
) -> dict[str, Entry]:
    return {
        name: Entry(
            spread(times),
            spread([their / our for their, our in zip(times, seconds[ours], strict=True)]),
            ranks[name],
        )
        for name, times in seconds.items()
    }
