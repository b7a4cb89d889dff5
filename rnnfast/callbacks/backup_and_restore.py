"""Training that goes on where it was interrupted, with the same bits."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import ClassVar

from rnnfast.callbacks.callback import Callback, Logs
from rnnfast.utils.hyperparameters import require_positive
from rnnfast.utils.options import refuse

_NOT_YET = {"double_checkpoint": False}


class BackupAndRestore(Callback):
    """Keep a running `fit` in a file, from which an equal one goes on.

    `keras.callbacks.BackupAndRestore`. A program that is killed at any moment and started again
    ends with the same bits as one that was never stopped: the file holds weights, the optimizer's
    state, the epoch and the place in it, running figures, what layers carry and draw, what other
    callbacks remember, and the random numbers of rnnfast, NumPy and Python.

    Parameters
    ----------
    backup_dir : path
        A folder for the file, of this `fit` alone; it is made if it is not there.
    save_freq : "epoch" or int, default "epoch"
        When to save: after each epoch, or after so many batches and after each epoch.
    double_checkpoint : bool, default False
        Keras's, at its default: one file is whole at any moment.
    delete_checkpoint : bool, default True
        Whether the file is removed when `fit` ends.

    Raises
    ------
    ValueError
        When `save_freq` is none of these; in `fit`, when the file is damaged, or of another model,
        optimizer, callbacks or data. Nothing has changed then.
    NotImplementedError
        For another `double_checkpoint`.
    OSError
        In `fit`, when the file cannot be written; the one of before is there still.

    Notes
    -----
    Samples, targets and arguments must be those of before; of a generator, the batches too: those
    that were done are drawn again and left out. `epochs` may be larger.
    """

    hears_last: ClassVar[bool] = True

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: int | str = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        refuse("BackupAndRestore", {"double_checkpoint": double_checkpoint}, _NOT_YET)
        super().__init__()
        self.backup_dir = Path(backup_dir)
        if isinstance(save_freq, str) and save_freq != "epoch":
            raise ValueError(f"save_freq must be 'epoch' or a number of batches, got {save_freq!r}")
        self.save_freq = (
            save_freq if save_freq == "epoch" else require_positive("save_freq", save_freq)
        )
        self.delete_checkpoint = delete_checkpoint

    @property
    def path(self) -> Path:
        """The file."""
        return self.backup_dir / "fit.safetensors"

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Go on from the file, if there is one; see `Callback.on_train_begin`."""
        self.backup_dir.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            self.model.run.load(self.path)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Save after every `save_freq` batches; see `Callback.on_train_batch_end`."""
        # A step whose loss is NaN is not taken: who starts again meets it again.
        taken = math.isfinite((logs or {}).get("loss", 0.0))
        if isinstance(self.save_freq, int) and (batch + 1) % self.save_freq == 0 and taken:
            self._save()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save; see `Callback.on_epoch_end`."""
        self._save()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Remove the file: there is nothing to go on with; see `Callback.on_train_end`."""
        if self.delete_checkpoint and self.writes:
            self.path.unlink(missing_ok=True)

    def _save(self) -> None:
        if self.writes:
            self.model.run.save(self.path)
