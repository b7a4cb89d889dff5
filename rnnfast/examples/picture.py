"""A picture at the end of a program, or a line that says why there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def save_picture(
    path: Path, draw: Callable[[Any], None], size: tuple[float, float] = (7.0, 4.0)
) -> None:
    """Save what is drawn, and say so; a program that has its result does not fail for a picture.

    Parameters
    ----------
    path : Path
        Where; the suffix, such as .png, chooses the format.
    draw : callable
        Is given a matplotlib Figure.
    size : (float, float), default (7, 4)
        Width and height in inches.
    """
    try:
        # The figure classes themselves: pyplot would look for a display and keep global state.
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        print(f"no picture {path}: matplotlib is missing, pip install 'rnnfast[plot]'")
        return
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    draw(figure)
    try:
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        print(f"no picture {path}: {error}")
    else:
        print(f"picture saved in {path}")
