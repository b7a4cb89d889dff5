"""Which classes are taken for which, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Classes = NDArray[np.int64]


def draw_confusion(axes: Any, truth: Classes, predicted: Classes, names: Sequence[str]) -> None:
    """Draw how often each class is taken for each.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    truth, predicted : ndarray of int, shape (N,)
        Class numbers.
    names : sequence of str
        Of the classes.
    """
    counts = np.zeros((len(names), len(names)), int)
    np.add.at(counts, (truth, predicted), 1)
    axes.imshow(counts, cmap="Blues", vmin=0)
    for (row, column), count in np.ndenumerate(counts):
        color = "white" if count > counts.max() / 2 else "black"
        axes.text(column, row, count, ha="center", va="center", color=color, fontsize="small")
    places = range(len(names))
    # Long names would meet side by side.
    turned = 90 if max(map(len, names)) > 3 else 0
    axes.set_xticks(places, names, rotation=turned)
    axes.set_yticks(places, names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("class")
