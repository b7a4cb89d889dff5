"""A report in words: tables for a terminal, and for Markdown."""

from __future__ import annotations

import statistics
import textwrap
from collections.abc import Sequence
from typing import NamedTuple

from .busy import busy_rows, signs
from .cases import KINDS
from .results import Report, Row
from .timing import Spread

__all__ = ["headline", "markdown", "terminal"]

_BUSY = "BUSY"

# What the README shows: large, small, and by the step.
_HEADLINE = {
    "training lstm 50/64/512": "train an LSTM: 512 units, 64 sequences of 50 steps",
    "inference lstm 100/1/512": "run an LSTM: 512 units, one sequence of 100 steps",
    "step lstm 1/1/64": "one step of an LSTM of 64 units",
}


class _Table(NamedTuple):
    title: str
    header: tuple[str, ...]
    lines: list[tuple[str, ...]]


def terminal(report: Report) -> str:
    """Return everything in a report, in columns.

    Parameters
    ----------
    report : Report
        What was measured.

    Returns
    -------
    str
    """
    introduction = [textwrap.fill(text, 100) for text in _introduction(report)]
    tables = [f"{table.title}\n\n{_in_columns(table)}" for table in _tables(report)]
    return _joined(*introduction, f"    {report.command}", *tables, _notes(report))


def markdown(report: Report) -> str:
    """Return everything in a report, as Markdown.

    Parameters
    ----------
    report : Report
        What was measured.

    Returns
    -------
    str
    """
    tables = [f"## {table.title}\n\n{_in_markdown(table)}" for table in _tables(report)]
    return _joined(*_introduction(report), f"    {report.command}", *tables, _notes(report))


def headline(report: Report) -> str:
    """Return three cases of a report, each beside the peers that compute in float32, as Markdown.

    Parameters
    ----------
    report : Report
        What was measured.

    Returns
    -------
    str
        Empty, if none of the three was measured.
    """
    rows = {str(row.case): row for row in report.rows}
    shown = [(rows[case], words) for case, words in _HEADLINE.items() if case in rows]
    peers = [
        name
        for name in dict.fromkeys(name for row, _ in shown for name in row.entries)
        if name != "rnnfast" and any(name in row.entries and _ranks(row, name) for row, _ in shown)
    ]
    lines = [
        (
            f"{_BUSY} {words}" if signs(row, report.threads) else words,
            _bare_time(row.seconds),
            *(_bare_ratio(row, peer) for peer in peers),
        )
        for row, words in shown
    ]
    return _in_markdown(_Table("", ("", "rnnfast", *peers), lines)) if lines else ""


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


def _tables(report: Report) -> list[_Table]:
    tables = (
        _classes(report),
        _cases(report),
        _tiles(report),
        _subnormals(report),
        _memory(report),
    )
    return [table for table in tables if table.lines]


def _introduction(report: Report) -> list[str]:
    machine = report.machine
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    busy = len(busy_rows(report))
    warning = (
        f"{_BUSY}: the machine had something else to do in {busy} of {len(report.rows)} cases, "
        "marked so. Measure them again when nothing else runs."
    )
    return [
        *([warning] if busy else []),
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}; "
        f"target {report.target}, float32, {report.threads} threads; {versions}.",
        "Training is forward and every gradient, packing included; inference and steps have packed "
        f"weights. Times are medians of {report.rounds} rounds, in which everyone has a turn once "
        "the threads of the one before are idle, ± half the distance of the quartiles. The column "
        'of a peer says how many times as long as rnnfast it takes; "best peer" is the fastest '
        "of those that compute in float32.",
        "Of limit: the least time in which this machine could do the case, over our time; its rate "
        "and bandwidth are measured between the rounds (limits.py). Meeting: what it takes the "
        "threads to tell each other that a step is done; where it is long, short steps are slow.",
    ]


def _classes(report: Report) -> _Table:
    """Summarize how far ahead of the best peer rnnfast is, by class, mode and cell."""
    ratios: dict[tuple[str, str, str], dict[str, float]] = {}
    for row in report.rows:
        if row.best_peer is not None:
            group = ratios.setdefault((row.case.kind, row.case.mode, row.case.cell_name), {})
            group[str(row.case.shape)] = row.entries[row.best_peer].ratio.median
    lines: list[tuple[str, ...]] = []
    for (kind, mode, cell), group in sorted(
        ratios.items(), key=lambda item: KINDS.index(item[0][0])
    ):
        worst = min(group, key=lambda shape: group[shape])
        mean = statistics.geometric_mean(group.values())
        lines.append(
            (kind, mode, cell, str(len(group)), f"{mean:.2f}", f"{group[worst]:.2f}", worst)
        )
    header = ("class", "mode", "cell", "cases", "geometric mean", "worst", "at")
    return _Table("Times as long as rnnfast the best peer takes", header, lines)


def _cases(report: Report) -> _Table:
    peers = list(dict.fromkeys(name for row in report.rows for name in row.entries))[1:]
    own = (
        "mode",
        "cell",
        "T/B/H",
        "time",
        "GFLOP/s",
        "of FMA rate",
        "of limit",
        "meeting",
        "best peer",
    )
    header = (*own, *peers)
    return _marked(_Table("Cases", header, [_case(row, peers) for row in report.rows]), report)


def _marked(cases: _Table, report: Report) -> _Table:
    """Put BUSY before the cases that were measured so, if there are any."""
    marks = [_BUSY if signs(row, report.threads) else "" for row in report.rows]
    if not any(marks):
        return cases
    lines = [(mark, *line) for mark, line in zip(marks, cases.lines, strict=True)]
    return _Table(cases.title, ("", *cases.header), lines)


def _case(row: Row, peers: Sequence[str]) -> tuple[str, ...]:
    return (
        row.case.mode,
        row.case.cell_name,
        str(row.case.shape),
        _time(row.entries["rnnfast"].seconds),
        f"{row.gflops:.3g}",
        f"{row.fma_fraction:.2f}",
        f"{row.fraction:.2f}",
        f"{row.meeting.median * 1e9:.0f} ns",
        "-" if row.best_peer is None else f"{row.entries[row.best_peer].ratio.median:.2f}",
        *(_ratio(row.entries[peer].ratio) if peer in row.entries else "-" for peer in peers),
    )


def _tiles(report: Report) -> _Table:
    return _Table(
        "Register tiles, on one core",
        ("target", "rows x vectors", "GFLOP/s", "of FMA peak"),
        [
            (
                tile.target,
                f"{tile.rows}x{tile.vectors}",
                f"{tile.gflops:.0f}",
                f"{tile.fraction.median:.3f}",
            )
            for tile in report.tiles
        ],
    )


def _subnormals(report: Report) -> _Table:
    return _Table(
        "Time on subnormal inputs and states, over that on normal ones",
        ("mode", "cell", "T/B/H", "ratio"),
        [
            (pair.case.mode, pair.case.cell_name, str(pair.case.shape), _ratio(pair.ratio))
            for pair in report.subnormals
        ],
    )


def _memory(report: Report) -> _Table:
    names = list(dict.fromkeys(name for one in report.memory for name in one.peaks))
    return _Table(
        "Peak memory beside inputs and weights, in MiB",
        ("mode", "cell", "T/B/H", *names),
        [
            (
                one.case.mode,
                one.case.cell_name,
                str(one.case.shape),
                *(f"{one.peaks[name] / 2**20:.1f}" if name in one.peaks else "-" for name in names),
            )
            for one in report.memory
        ],
    )


def _notes(report: Report) -> str:
    """Say why a case is BUSY, and why a peer is absent or left a case out, each reason once."""
    busy = [
        f"{_BUSY}: {row.case}: {', '.join(signs(row, report.threads))}."
        for row in busy_rows(report)
    ]
    absent = [f"{name} is absent: {reason}." for name, reason in report.absent.items()]
    unable = [f"Not timed: {reason}." for row in report.rows for reason in row.unable.values()]
    return "\n".join(f"- {note}" for note in dict.fromkeys((*busy, *absent, *unable)))


def _in_columns(table: _Table) -> str:
    lines = [table.header, *table.lines]
    widths = [max(len(line[i]) for line in lines) for i in range(len(table.header))]
    rows = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    return "\n".join(rows)


def _in_markdown(table: _Table) -> str:
    rule = ("---",) * len(table.header)
    return "\n".join(f"| {' | '.join(line)} |" for line in (table.header, rule, *table.lines))


def _time(seconds: Spread) -> str:
    return f"{_bare_time(seconds.median)} ± {seconds.half_width:.0%}"


def _bare_time(seconds: float) -> str:
    for unit, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= unit or name == "µs":
            break
    return f"{seconds / unit:.3g} {name}"


def _ratio(ratio: Spread) -> str:
    return f"{ratio.median:.2f} ± {ratio.half_width:.0%}"


def _ranks(row: Row, peer: str) -> bool:
    return row.entries[peer].ranks


def _bare_ratio(row: Row, peer: str) -> str:
    return f"{row.entries[peer].ratio.median:.2f}" if peer in row.entries else "-"
