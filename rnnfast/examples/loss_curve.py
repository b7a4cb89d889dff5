"""The loss of each epoch as a picture, beside a model that counts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rnnfast.utils import plot_history


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
    figure = plot_history({"loss": training, "val_loss": validation})
    (axes,) = figure.axes
    axes.axhline(trigram, color="gray", linestyle="-.", label="Kneser-Ney trigram, validation")
    axes.set_ylabel("bits per character")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)
