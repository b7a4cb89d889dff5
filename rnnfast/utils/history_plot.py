"""Curves of a training: a picture of what `fit` returns."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from rnnfast._check.spelling import meant

_TRAINING, _VALIDATION, _BEST = "#2166ac", "#d6604d", "#666666"


def plot_history(
    history: Any,
    filepath: str | os.PathLike[str] | None = None,
    metrics: str | Sequence[str] | None = None,
) -> Any:
    """Draw the loss and the metrics of every epoch, of training and of validation.

    A vertical line marks the best epoch: that of the least validation loss, or training loss where
    there is no validation.

    Parameters
    ----------
    history : History or dict
        What `fit` returns, or its `history`.
    filepath : str or os.PathLike, optional
        Where to save the picture; the suffix, such as .png or .svg, chooses the format.
    metrics : str or sequence of str, optional
        What to draw, by names without `val_`, each in axes of its own; by default all.

    Returns
    -------
    matplotlib.figure.Figure
        The picture, to be changed further or saved.

    Raises
    ------
    ImportError
        When matplotlib is not installed.
    ValueError
        When there is no epoch to draw, a name is unknown, or the suffix names no format.
    OSError
        When the file cannot be written.

    Notes
    -----
    A curve with fewer values than there are epochs is drawn as one of every k-th epoch: with
    `validation_freq=k`.
    """
    try:
        # The figure class itself: pyplot would look for a display and keep global state.
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "plot_history draws with matplotlib; run `pip install 'rnnfast[plot]'`"
        ) from error
    drawn: Mapping[str, Sequence[float]] = getattr(history, "history", history)
    curves = {name: list(values) for name, values in drawn.items() if len(values)}
    names = _names(curves, metrics)
    numbers = getattr(history, "epoch", None) or range(max(map(len, curves.values())))
    epochs = [number + 1 for number in numbers]
    columns = min(len(names), 2)
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(7 if columns == 1 else 10, 0.8 + 3.2 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    for place, name in enumerate(names, start=1):
        axes = figure.add_subplot(rows, columns, place)
        _draw(axes, epochs, curves.get(name, ()), _TRAINING, "-", "training")
        _draw(axes, epochs, curves.get(f"val_{name}", ()), _VALIDATION, "--", "validation")
        _mark_best(axes, epochs, curves)
        axes.set_xlabel("epoch")
        axes.set_ylabel(name.replace("_", " "))
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    if filepath is not None:
        figure.savefig(filepath, dpi=150)
    return figure


def _names(curves: Mapping[str, list[float]], metrics: str | Sequence[str] | None) -> list[str]:
    known = list(dict.fromkeys(name.removeprefix("val_") for name in curves))
    if not known:
        raise ValueError("history has no epoch to draw; call fit first")
    if not metrics:
        return known
    names = [metrics] if isinstance(metrics, str) else list(metrics)
    for name in names:
        if name not in known:
            raise ValueError(
                f"metrics names {name!r}, which is not in the history{meant(name, known)}; "
                f"there are {', '.join(known)}"
            )
    return names


def _epochs_of(epochs: Sequence[int], values: Sequence[float]) -> Sequence[int]:
    """Pick the epochs that have values: every k-th."""
    every = len(epochs) // len(values)
    return epochs[every - 1 :: every][: len(values)]


def _draw(
    axes: Any, epochs: Sequence[int], values: Sequence[float], color: str, style: str, label: str
) -> None:
    if values:
        # Markers show where the points are, and would hide a long curve.
        marker = f"o{style}" if len(values) <= 30 else style
        at = _epochs_of(epochs, values)
        axes.plot(at, values, marker, color=color, markersize=3.5, label=label)


def _mark_best(axes: Any, epochs: Sequence[int], curves: Mapping[str, list[float]]) -> None:
    losses = curves.get("val_loss") or curves.get("loss")
    if losses:
        best = _epochs_of(epochs, losses)[min(range(len(losses)), key=losses.__getitem__)]
        axes.axvline(best, color=_BEST, linewidth=1, linestyle=":", label=f"best epoch: {best}")
