"""Pictures of a report: how far ahead of whom, and how near to the machine's limit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .cases import MODES
from .results import Report, Row

__all__ = ["plot_all", "plot_ratios", "plot_roofline", "plot_sweep"]

_MARKERS = {"training": "o", "inference": "s", "step": "^"}
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
    """Draw how many times as long each peer takes, case by case.

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
    axes, save = _picture(8.0, 1.2 + 0.24 * len(rows))
    peers = list(dict.fromkeys(name for row in rows for name in row.entries if name != "rnnfast"))
    for number, peer in enumerate(peers):
        taken = [(row, place) for place, row in enumerate(rows) if peer in row.entries]
        best = [row.best_peer == peer for row, _ in taken]
        axes.scatter(
            [row.entries[peer].ratio.median for row, _ in taken],
            [place for _, place in taken],
            s=[40 if is_best else 14 for is_best in best],
            color=f"C{number}",
            label=peer,
            zorder=2,
        )
    axes.axvline(1, color="black", linewidth=1, label="rnnfast")
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    ticks = [tick for tick in (0.5, 1, 1.5, 2, 3, 5, 10, 20, 50, 100) if low <= tick <= high]
    axes.set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks(range(len(rows)), labels=[str(row.case) for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(alpha=0.3)
    axes.set_xlabel("times as long as rnnfast (large: the best float32 peer)")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    save(path)


def plot_roofline(report: Report, path: Path) -> None:
    """Draw each case's rate over its work for each byte of R, with its limit.

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
    axes, save = _picture(8.0, 5.0)
    for mode in MODES:
        rows = [row for row in report.rows if row.case.mode == mode]
        if not rows:
            continue
        x = [_intensity(row) for row in rows]
        axes.scatter(x, [row.gflops for row in rows], marker=_MARKERS[mode], label=mode, zorder=3)
        limits = [row.case.flops / row.limit * 1e-9 for row in rows]
        axes.scatter(x, limits, marker="_", s=120, color="black", zorder=2)
    axes.scatter([], [], marker="_", s=120, color="black", label="limit of the case")
    rate = max((row.fma_rate for row in report.rows), default=1.0)
    axes.axhline(rate, color="gray", linestyle="--", label="register tile, all cores")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.grid(alpha=0.3, which="both")
    axes.set_xlabel("flops for each byte of R in a step: B (I + H) / 2 H")
    axes.set_ylabel("GFLOP/s")
    axes.legend(loc="lower right")
    save(path)


def plot_sweep(rates: Mapping[int, float], path: Path) -> None:
    """Draw the rate over the number of units.

    Parameters
    ----------
    rates : mapping of int to float
        GFLOP/s by H.
    path : Path
        Where to save; the suffix chooses the format.

    Raises
    ------
    ImportError
        When matplotlib is not installed.
    """
    axes, save = _picture(8.0, 4.0)
    axes.plot(list(rates), list(rates.values()), marker=".", linewidth=0.8)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.set_xlabel("H = I, LSTM inference, T=10, B=32")
    axes.set_ylabel("GFLOP/s")
    save(path)


def _intensity(row: Row) -> float:
    shape = row.case.shape
    return shape.B * (shape.I + shape.H) / (2 * shape.H)


def _picture(width: float, height: float) -> tuple[Any, Any]:
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

    return figure.add_subplot(), save
