"""What a run has found, to be printed, written as JSON and read again."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .cases import Case
from .stored import decode, encode
from .timing import Spread

__all__ = ["Entry", "Memory", "Report", "Row", "Subnormals", "Tile", "from_json", "to_json"]


@dataclass(frozen=True)
class Entry:
    """One contestant in one case.

    Parameters
    ----------
    seconds : Spread
        Time of a call, over the rounds.
    ratio : Spread
        This time over ours in the same round: above 1 where rnnfast is faster.
    ranks : bool, default True
        Whether it counts among those to beat: not if it computes something less exact.
    """

    seconds: Spread
    ratio: Spread
    ranks: bool = True


@dataclass(frozen=True)
class Row:
    """One case.

    Parameters
    ----------
    case : Case
        What was timed.
    entries : mapping of str to Entry
        The contestants by name, rnnfast among them.
    unable : mapping of str to str
        Peers that could not take part, and why.
    fma_rate : float
        GFLOP/s of the tile on all threads, measured between the rounds.
    limit : float
        Seconds that the case takes at least (`rnnfast.bench.limits`), measured likewise.
    meeting : Spread
        Seconds of a meeting of the threads, measured likewise.
    taken : float, optional
        Cores that others took from us meanwhile (`rnnfast.bench.busy`); None where nobody looked.
    """

    case: Case
    entries: Mapping[str, Entry]
    unable: Mapping[str, str]
    fma_rate: float
    limit: float
    meeting: Spread
    taken: float | None = None

    @property
    def seconds(self) -> float:
        """Our time."""
        return self.entries["rnnfast"].seconds.median

    @property
    def gflops(self) -> float:
        """Our rate, in GFLOP/s."""
        return self.case.flops / self.seconds * 1e-9

    @property
    def fma_fraction(self) -> float:
        """Our rate over that of the tile."""
        return self.gflops / self.fma_rate

    @property
    def fraction(self) -> float:
        """The limit over our time."""
        return self.limit / self.seconds

    @property
    def best_peer(self) -> str | None:
        """The fastest of the peers that rank, if there is one."""
        ranking = {
            name: entry.ratio.median
            for name, entry in self.entries.items()
            if name != "rnnfast" and entry.ranks
        }
        return min(ranking, key=lambda name: ranking[name], default=None)


@dataclass(frozen=True)
class Tile:
    """A register tile beside the fused multiply-adds of one core.

    Parameters
    ----------
    target : str
        The instruction set.
    rows, vectors : int
        Its size.
    gflops : float
        Its rate from L1, in GFLOP/s.
    fraction : Spread
        Its rate over the peak measured beside it.
    """

    target: str
    rows: int
    vectors: int
    gflops: float
    fraction: Spread


@dataclass(frozen=True)
class Subnormals:
    """A case on subnormal inputs and states.

    Parameters
    ----------
    case : Case
        What was timed, without biases.
    ratio : Spread
        Its time over that on normal numbers in the same round.
    """

    case: Case
    ratio: Spread


@dataclass(frozen=True)
class Memory:
    """The memory that a case takes beside its inputs.

    Parameters
    ----------
    case : Case
        What was computed.
    peaks : mapping of str to int
        Bytes, by contestant.
    """

    case: Case
    peaks: Mapping[str, int]


@dataclass(frozen=True)
class Report:
    """Everything that one command has measured.

    Parameters
    ----------
    command : str
        What to type to measure it again.
    machine : mapping of str to str
        Processor, cores, operating system.
    threads : int
        Threads of every contestant.
    target : str
        The instruction set of rnnfast.
    versions : mapping of str to str
        Of Python, NumPy and the contestants.
    absent : mapping of str to str
        Peers that are not there, and why.
    rounds : int
        Turns of each contestant in a case.
    rows : list of Row
        The cases.
    tiles : list of Tile
        The tiles of each target that was asked for.
    subnormals : list of Subnormals
        The cases that were tried with subnormal numbers.
    memory : list of Memory
        The cases whose peak memory was measured.
    """

    command: str
    machine: Mapping[str, str]
    threads: int
    target: str
    versions: Mapping[str, str]
    absent: Mapping[str, str]
    rounds: int
    rows: list[Row]
    tiles: list[Tile]
    subnormals: list[Subnormals]
    memory: list[Memory]


def to_json(report: Report) -> str:
    """Write a report as JSON.

    Parameters
    ----------
    report : Report
        What was measured.

    Returns
    -------
    str
        The fields of the report; beside each row's own, its `gflops`, `fma_fraction`,
        `fraction` and `best_peer`.
    """
    return encode({**_fields(report), "rows": [_with_rates(row) for row in report.rows]})


def from_json(text: str) -> Report:
    """Read what `to_json` has written.

    Parameters
    ----------
    text : str
        The JSON.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If the text is no report, or one of another version of the schema.
    """
    return decode(text, Report)


def _with_rates(row: Row) -> dict[str, Any]:
    return {
        **_fields(row),
        "gflops": row.gflops,
        "fma_fraction": row.fma_fraction,
        "fraction": row.fraction,
        "best_peer": row.best_peer,
    }


def _fields(record: Report | Row) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
