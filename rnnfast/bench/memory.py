"""The peak memory of training, each contestant in a process of its own.

    python -m rnnfast.bench.memory PEER MODE CELL T/B/H THREADS    prints bytes

What a process holds when inputs and weights are there is left out, and so is the answer's check: it
is the most that a few calls add, results, saved states and workspaces. A library's own first
allocations are in it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .cases import Case, Shape
from .peers import PEERS, Ours, OursWithCheckpoints, Peer, Unable
from .results import Memory

__all__ = ["measure_memory", "peak_of_calls"]

_CALLS = 3
_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")


def measure_memory(case: Case, names: Sequence[str], threads: int) -> Memory:
    """Measure the peak of each contestant.

    Parameters
    ----------
    case : Case
        What is computed.
    names : sequence of str
        The contestants. Those that cannot do the case are left out.
    threads : int
        Threads of each.

    Returns
    -------
    Memory

    Raises
    ------
    subprocess.CalledProcessError
        If a contestant fails.
    """
    words = (case.mode, case.cell_name, str(case.shape), str(threads))
    peaks = {}
    for name in names:
        run = subprocess.run(
            [sys.executable, "-m", "rnnfast.bench.memory", name, *words],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        if run.stdout.strip():
            peaks[name] = int(run.stdout)
    return Memory(case, peaks)


def peak_of_calls(peer: Peer, case: Case) -> int:
    """Return the most memory that calls add to this process.

    Parameters
    ----------
    peer : Peer
        Who computes.
    case : Case
        What is computed.

    Returns
    -------
    int
        Bytes.

    Raises
    ------
    Unable
        If the peer cannot do the case, or the system does not tell a process its peak.
    """
    job = peer.prepare(case, case.inputs())
    try:
        before = _kibibytes("VmRSS")
        _RESET.write_text("5")  # the peak begins anew
    except OSError:
        raise Unable("this system does not tell a process its peak memory") from None
    for _ in range(_CALLS):
        job.call()
    return 1024 * (_kibibytes("VmHWM") - before)


def _kibibytes(name: str) -> int:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1])


def _main(name: str, mode: str, cell: str, shape: str, threads: str) -> None:
    own = {peer.name: peer for peer in (Ours, OursWithCheckpoints)}
    contestants: dict[str, type[Peer]] = {**own, **PEERS}
    case = Case(mode, cell, Shape.of(shape))  # type: ignore[arg-type]
    try:
        print(peak_of_calls(contestants[name](int(threads)), case))
    except Unable as reason:
        print(f"{name}: {reason}", file=sys.stderr)


if __name__ == "__main__":
    _main(*sys.argv[1:])
