"""The loss of each epoch as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def save_loss_curve(
    path: Path, training: Sequence[float], validation: Sequence[float], trigram: float
) -> None:
    """Draw training and validation bits per character beside the trigram's.

    Parameters
    ----------
    path : Path
        Where to save; the suffix, such as .png, chooses the format.
    training, validation : sequence of float
        Bits per character after each epoch.
    trigram : float
        Bits per character of the trigram model on the validation text.

    Raises
    ------
    ImportError
        When matplotlib is not installed.
    OSError
        When the file cannot be written.
    ValueError
        When the suffix names no format.
    """
    # The figure classes themselves: pyplot would look for a display and keep global state.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    epochs = range(1, len(training) + 1)
    axes.plot(epochs, training, marker=".", label="training")
    axes.plot(epochs, validation, marker=".", label="validation")
    axes.axhline(trigram, color="gray", linestyle="--", label="Kneser-Ney trigram, validation")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("epoch")
    axes.set_ylabel("bits per character")
    axes.legend()
    figure.savefig(path, dpi=150)
