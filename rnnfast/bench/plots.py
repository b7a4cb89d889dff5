"""Pictures of a report: how far ahead of whom, and how near to the machine's limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .busy import busy_rows, signs
from .cases import MODES
from .results import Report, Row
from .timing import Spread

__all__ = ["plot_all", "plot_ratios", "plot_roofline", "plot_sweep"]

_MARKERS = {"training": "o", "inference": "s", "step": "^"}
_RATIOS = (0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10, 20, 30, 50, 100, 200, 300, 500, 1000)
_RATES = tuple(digit * 10.0**power for power in range(-3, 6) for digit in (1, 2, 5))
_LONG = 30  # rows: beyond, a panel has its scale above as well, and panels stand side by side
# The same bytes for the same report, and text that stays text: reviews can read what changed.
_SVG = {"svg.hashsalt": "rnnfast", "svg.fonttype": "none"}


def plot_all(report: Report, folder: Path, name: str) -> list[Path]:
    """Draw every picture of a report.

    Parameters
    ----------
    report : Report
        What was measured.
    folder : Path
        Where to save; made if it is not there.
    name : str
        What the files' names begin with.

    Returns
    -------
    list of Path
        The files, ``<name>-ratios.svg`` and ``<name>-roofline.svg``: the first only if there were
        peers.

    Raises
    ------
    ImportError
        When matplotlib is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ratios, roofline = (folder / f"{name}-{what}.svg" for what in ("ratios", "roofline"))
    plot_roofline(report, roofline)
    if all(row.best_peer is None for row in report.rows):
        return [roofline]
    plot_ratios(report, ratios)
    return [ratios, roofline]


def plot_ratios(report: Report, path: Path) -> None:
    """Draw how many times as long each peer takes, case by case, with the spread over the rounds.

    Parameters
    ----------
    report : Report
        What was measured.
    path : Path
        Where to save; the suffix chooses the format.

    Raises
    ------
    ImportError
        When matplotlib is not installed.
    """
    rows = [row for row in report.rows if row.best_peer is not None]
    peers = list(dict.fromkeys(name for row in rows for name in row.entries if name != "rnnfast"))
    panels = [[row for row in rows if row.case.mode == mode] for mode in MODES]
    columns = _columns([panel for panel in panels if panel])
    heights = [[len(panel) + 2.5 for panel in column] for column in columns]
    figure, save = _figure(1.5 + 8.0 * len(columns), 1.0 + 0.25 * max(map(sum, heights)))
    parts = figure.subfigures(1, len(columns), squeeze=False)[0]
    for part, column, ratios in zip(parts, columns, heights, strict=True):
        every = part.subplots(len(column), 1, squeeze=False, height_ratios=ratios)[:, 0]
        for axes, panel in zip(every, column, strict=True):
            _draw_panel(axes, panel, peers)
            axes.set_yticks(range(len(panel)), labels=[_label(report, row) for row in panel])
        every[-1].set_xlabel("times as long as rnnfast (bars: quartiles of the rounds)")
    _explain(figure, peers)
    _entitle(figure, "How many times as long as rnnfast its peers take", report)
    save(path)


def plot_roofline(report: Report, path: Path) -> None:
    """Draw each case's rate over its work for each byte of R, with its limit and its spread.

    Parameters
    ----------
    report : Report
        What was measured.
    path : Path
        Where to save; the suffix chooses the format.

    Raises
    ------
    ImportError
        When matplotlib is not installed.
    """
    figure, save = _figure(9.0, 6.0)
    axes = figure.add_subplot()
    for mode in MODES:
        rows = [row for row in report.rows if row.case.mode == mode]
        if not rows:
            continue
        x = [_intensity(row) for row in rows]
        seconds = [row.entries["rnnfast"].seconds for row in rows]
        rates = [
            Spread(*(row.case.flops / time * 1e-9 for time in reversed(times)))
            for row, times in zip(rows, seconds, strict=True)
        ]
        axes.errorbar(
            x,
            [rate.median for rate in rates],
            yerr=_bars(rates),
            fmt=_MARKERS[mode],
            alpha=0.7,
            elinewidth=1,
            label=mode,
            zorder=3,
        )
        limits = [row.case.flops / row.limit * 1e-9 for row in rows]
        axes.scatter(x, limits, marker="_", s=120, color="black", linewidth=0.8, zorder=2)
    axes.scatter([], [], marker="_", s=120, color="black", label="limit of the case")
    rate = max((row.fma_rate for row in report.rows), default=1.0)
    axes.axhline(rate, color="gray", linestyle="--", label="register tile, all cores")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    _plain(axes.xaxis, [2.0**n for n in range(-10, 20)], axes.get_xlim())
    _plain(axes.yaxis, _RATES, axes.get_ylim())
    axes.grid(alpha=0.3)
    axes.set_xlabel("flops for each byte of R in a step: B (I + H) / 2 H")
    axes.set_ylabel("GFLOP/s (bars: quartiles of the rounds)")
    axes.legend(loc="lower right")
    _entitle(figure, "The rate of rnnfast beside what the machine allows", report)
    save(path)


def plot_sweep(rates: Mapping[int, Spread], about: str, path: Path) -> None:
    """Draw the rate over the number of units.

    Parameters
    ----------
    rates : mapping of int to Spread
        GFLOP/s by H.
    about : str
        The machine.
    path : Path
        Where to save; the suffix chooses the format.

    Raises
    ------
    ImportError
        When matplotlib is not installed.
    """
    figure, save = _figure(9.0, 4.5)
    axes = figure.add_subplot()
    units = list(rates)
    axes.plot(units, [rate.median for rate in rates.values()], marker=".", linewidth=0.8)
    low, high = ([getattr(rate, end) for rate in rates.values()] for end in ("low", "high"))
    axes.fill_between(units, low, high, alpha=0.3, label="quartiles of the rounds")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.set_xlabel("H = I, LSTM inference, T=10, B=32")
    axes.set_ylabel("GFLOP/s")
    axes.legend(loc="lower right")
    figure.suptitle(f"The rate of rnnfast over the number of units\n{about}", fontsize="medium")
    save(path)


def _columns(panels: list[list[Row]]) -> list[list[list[Row]]]:
    """Return the panels in one column, or in two where one would be long."""
    if sum(map(len, panels)) <= _LONG or len(panels) < 2:
        return [panels]
    return [panels[:1], panels[1:]]


def _draw_panel(axes: Any, rows: Sequence[Row], peers: Sequence[str]) -> None:
    for number, peer in enumerate(peers):
        _draw_peer(axes, rows, peer, f"C{number}", (number + 0.5) / len(peers) - 0.5)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    _plain(axes.xaxis, _RATIOS, axes.get_xlim())
    axes.tick_params(axis="x", top=True, labeltop=len(rows) > _LONG)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    for place in range(0, len(rows), 2):
        axes.axhspan(place - 0.5, place + 0.5, color="0.95", zorder=0)
    axes.grid(axis="x", alpha=0.3)
    axes.set_title(rows[0].case.mode, loc="left")


def _draw_peer(axes: Any, rows: Sequence[Row], peer: str, color: str, shift: float) -> None:
    """Draw a peer's ratios, each with its quartiles, a little above or below those of others."""
    taken = [(row, place + 0.7 * shift) for place, row in enumerate(rows) if peer in row.entries]
    ratios = [row.entries[peer].ratio for row, _ in taken]
    places = [place for _, place in taken]
    medians = [ratio.median for ratio in ratios]
    sizes = [45 if row.best_peer == peer else 14 for row, _ in taken]
    axes.errorbar(medians, places, xerr=_bars(ratios), fmt="none", ecolor=color, elinewidth=1)
    axes.scatter(medians, places, s=sizes, color=color, zorder=3)


def _explain(figure: Any, peers: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    def dot(size: int, color: str, label: str) -> Any:
        return Line2D([], [], marker="o", markersize=size, color=color, linewidth=0, label=label)

    handles = [dot(5, f"C{number}", peer) for number, peer in enumerate(peers)]
    handles += [
        Line2D([], [], color="black", linewidth=1, label="rnnfast"),
        dot(7, "gray", "the best float32 peer"),
    ]
    figure.legend(handles=handles, loc="outside right upper", frameon=False)


def _bars(spreads: Sequence[Spread]) -> list[list[float]]:
    """Return how far quartiles are below and above their medians, as `errorbar` wants it."""
    below = [spread.median - spread.low for spread in spreads]
    above = [spread.high - spread.median for spread in spreads]
    return [below, above]


def _plain(axis: Any, ticks: Sequence[float], limits: tuple[float, float]) -> None:
    """Label an axis with plain numbers, those of `ticks` that are within its limits."""
    low, high = limits
    shown = [tick for tick in ticks if low <= tick <= high]
    axis.set_ticks(shown, labels=[f"{tick:g}" for tick in shown])
    axis.set_ticks([], minor=True)


def _label(report: Report, row: Row) -> str:
    name = f"{row.case.cell_name} {row.case.shape}"
    return f"BUSY {name}" if signs(row, report.threads) else name


def _entitle(figure: Any, title: str, report: Report) -> None:
    """Say above a picture what it shows, where that was measured, and whether it was busy there."""
    machine, busy = report.machine, len(busy_rows(report))
    lines = [
        title,
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}; "
        f"{report.target}, float32, {report.threads} threads, {report.rounds} rounds",
    ]
    if busy:
        lines.append(
            f"BUSY: the machine had something else to do in {busy} of {len(report.rows)} cases"
        )
    figure.suptitle("\n".join(lines), fontsize="medium", color="darkred" if busy else "black")


def _intensity(row: Row) -> float:
    shape = row.case.shape
    return shape.B * (shape.I + shape.H) / (2 * shape.H)


def _figure(width: float, height: float) -> tuple[Any, Callable[[Path], None]]:
    # The figure classes themselves: pyplot would look for a display and keep global state.
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)

    def save(path: Path) -> None:
        with matplotlib.rc_context(_SVG):
            metadata = {"Date": None} if path.suffix == ".svg" else None
            figure.savefig(path, dpi=150, metadata=metadata)

    return figure, save
