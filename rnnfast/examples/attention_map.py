"""What each symbol that was written looked at, as a heat map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray


def draw_maps(
    figure: Any, maps: Sequence[tuple[Sequence[str], Sequence[str], NDArray[Any]]]
) -> None:
    """Draw a heat map for each pair of sequences, one below the other.

    Parameters
    ----------
    figure : matplotlib Figure
        Is drawn on.
    maps : sequence of (sequence of str, sequence of str, ndarray)
        What was read (S), what was written (T), and the weights (T, S).
    """
    for axes, (read, written, weights) in zip(
        figure.subplots(len(maps), squeeze=False)[:, 0], maps, strict=True
    ):
        image = axes.imshow(weights, cmap="viridis", vmin=0, vmax=1, aspect="auto")
        axes.set_xticks(range(len(read)), read)
        axes.set_yticks(range(len(written)), written)
        axes.tick_params(length=0, labelsize="small")
        axes.set_ylabel("written")
        figure.colorbar(image, ax=axes, pad=0.01)
    axes.set_xlabel("read")
