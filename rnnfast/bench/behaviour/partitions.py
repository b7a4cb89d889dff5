"""The plan beside every partition that it could have chosen."""

from __future__ import annotations

from collections.abc import Sequence

from ..cases import Case
from ..peers import Ours
from ..timing import Call
from .ratios import BoundedRatio, medians
from .settings import under_plan

__all__ = ["plan_beside_forced"]


def plan_beside_forced(ours: Ours, cases: Sequence[Case], rounds: int) -> list[BoundedRatio]:
    """Compare the plan's own choice with the best of those forced.

    Parameters
    ----------
    ours : Ours
        rnnfast.
    cases : sequence of Case
        What is computed.
    rounds : int
        Turns of each.

    Returns
    -------
    list of BoundedRatio
    """
    found = []
    for case in cases:
        call = ours.prepare(case, case.inputs()).call
        # The plan's own choice as well, so that all pay for being told.
        calls: dict[str, Call] = {"plan": under_plan(call), "one": under_plan(call, threads=1)}
        for partition in ("rows", "units"):
            calls[partition] = under_plan(call, partition=partition, threads=ours.threads)
        times = medians(calls, rounds)
        plan = times.pop("plan")
        best = min(times, key=lambda name: times[name])
        found.append(
            BoundedRatio(
                f"plan / best partition ({best}), {case}", plan / times[best], "at most", 1.05
            )
        )
    return found
