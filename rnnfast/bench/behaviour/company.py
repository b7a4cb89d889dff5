"""Other work beside ours: a busy process on one core, torch's pool in the process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ..cases import Case, Shape
from ..peers import Ours, Unable
from ..peers.peer import import_host
from .findings import Finding, medians

__all__ = ["beside_a_busy_process", "beside_torchs_pool"]

_CASES = (
    Case("training", "lstm", Shape.of("50/64/512")),
    Case("training", "lstm", Shape.of("100/32/128")),
    Case("inference", "lstm", Shape.of("100/1/512")),
)


def beside_a_busy_process(ours: Ours, rounds: int) -> list[Finding]:
    """Compare with the share of the cores that is left.

    A process that is always busy on one of n cores leaves n - 1/2 of them, since it shares its own
    with us.

    Parameters
    ----------
    ours : Ours
        rnnfast.
    rounds : int
        Turns of each.

    Returns
    -------
    list of Finding
        None where a process cannot be held to a core.
    """
    if not hasattr(os, "sched_setaffinity"):
        return []
    n = ours.threads
    found = []
    for case in _CASES:
        call = ours.prepare(case, case.inputs()).call
        alone = medians({"": call}, rounds)[""]
        with _busy_core():
            beside = medians({"": call}, rounds)[""]
        ideal = alone * n / (n - 0.5)
        about = f"time beside a busy process / ideal share, {case}"
        found.append(Finding(about, beside / ideal, "at most", 2.0))
    return found


def beside_torchs_pool(ours: Ours, rounds: int) -> list[Finding]:
    """Compare times before and after torch has started its threads.

    Parameters
    ----------
    ours : Ours
        rnnfast.
    rounds : int
        Turns of each.

    Returns
    -------
    list of Finding
        None if torch is not installed.
    """
    calls = {str(case): ours.prepare(case, case.inputs()).call for case in _CASES}
    before = medians(calls, rounds)
    try:
        torch = import_host("torch")
    except Unable:
        return []
    torch.set_num_threads(ours.threads)
    matrix = torch.ones(1000, 1000)
    (matrix @ matrix).sum()
    after = medians(calls, rounds)
    ratios = {name: after[name] / before[name] for name in calls}
    return [
        Finding(f"time with torch's pool / without, {name}", ratio, "at most", 1.1)
        for name, ratio in ratios.items()
    ]


@contextmanager
def _busy_core() -> Iterator[subprocess.Popen[bytes]]:
    core = min(os.sched_getaffinity(0))
    program = f"import os; os.sched_setaffinity(0, {{{core}}})\nwhile True: pass"
    process = subprocess.Popen([sys.executable, "-c", program])
    try:
        yield process
    finally:
        process.kill()
        process.wait()
