"""Files of the model while it trains: of every epoch, the best, or every so many batches."""

from __future__ import annotations

import os
from string import Formatter
from typing import Any

from rnnfast._check.options import flag
from rnnfast._check.spelling import meant
from rnnfast.callbacks.callback import Logs
from rnnfast.callbacks.monitoring import MonitorCallback
from rnnfast.utils.hyperparameters import finite, require_positive

_SUFFIX = ".safetensors"


class ModelCheckpoint(MonitorCallback):
    """Save the model while it trains: `keras.callbacks.ModelCheckpoint`.

    A file is whole at any moment, also when the program is stopped while it writes.

    Parameters
    ----------
    filepath : str or os.PathLike
        Where to save, ending in .safetensors. May name `{epoch}`, from 1, `{batch}`, from 1, and
        what is in the logs: "{epoch:02d}-{val_loss:.2f}.safetensors". Folders that are missing
        are made.
    monitor : str, default "val_loss"
        With `save_best_only`, what to watch: a name in the logs.
    verbose : {0, 1}, default 0
        Whether to print what is saved.
    save_best_only : bool, default False
        Whether to save only when the monitored value is the best so far.
    save_weights_only : bool, default False
        Whether to save with `model.save_weights`, or all that there is, with `model.save`.
    mode : {"auto", "min", "max"}, default "auto"
        Whether smaller or larger values are better; "auto" knows losses and metrics.
    save_freq : "epoch" or int, default "epoch"
        When to save: after each epoch, or after as many batches.
    initial_value_threshold : float, optional
        With `save_best_only`, the value to be better than at first.

    Attributes
    ----------
    best : float or None
        The best value so far; `fit` does not forget it.

    Raises
    ------
    ValueError
        When an argument is none of these; when saving, if `filepath` names what is not in the
        logs, or "auto" cannot be told.
    TypeError
        When an argument is of another kind, or unknown.
    OSError
        When saving, if the file cannot be written.

    Notes
    -----
    Where `monitor` is not in the logs, the model is saved each time, with a warning, as in Keras.
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: int | str = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode)
        self.filepath = os.fspath(filepath)
        _check_template(self.filepath)
        self.verbose = verbose
        self.save_best_only = flag("save_best_only", save_best_only)
        self.save_weights_only = flag("save_weights_only", save_weights_only)
        if isinstance(save_freq, str) and save_freq != "epoch":
            raise ValueError(
                f"save_freq must be 'epoch' or a number of batches, got {save_freq!r}"
                f"{meant(save_freq, ['epoch'])}"
            )
        self.save_freq = (
            save_freq if save_freq == "epoch" else require_positive("save_freq", save_freq)
        )
        if initial_value_threshold is not None:
            self.best = finite("initial_value_threshold", initial_value_threshold)
        self._epoch = 0
        self._batches = 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the number of the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Save when it is time."""
        if isinstance(self.save_freq, int):
            self._batches += 1
            if self._batches >= self.save_freq:
                self._batches = 0
                self._save(self._epoch, {"batch": batch + 1, **(logs or {})})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save when it is time."""
        if self.save_freq == "epoch":
            self._save(epoch, logs or {})

    def get_state(self) -> dict[str, Any]:
        """Return the best value and the batches since the last file; see `Callback.get_state`."""
        state: dict[str, Any] = {"batches": self._batches}
        if self.best is not None:
            state["best"] = self.best
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from a state; see `Callback.set_state`."""
        self.best = state.get("best")
        self._batches = state["batches"]

    def _save(self, epoch: int, logs: Logs) -> None:
        path = self._path({"epoch": epoch + 1, **logs})
        if not self._wanted(epoch, logs, path) or not self.writes:
            return
        if folder := os.path.dirname(path):
            os.makedirs(folder, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)

    def _wanted(self, epoch: int, logs: Logs, path: str) -> bool:
        """Tell whether to save; with `save_best_only`, note the value if it is the best."""
        saving = f"saving model to {path}"
        if not self.save_best_only or (value := self.monitored(logs)) is None:
            self._print(epoch, saving)
            return True
        before = "none" if self.best is None else f"{self.best:.5f}"
        if not self.better(value, self.best):
            self._print(epoch, f"{self.monitor} did not improve from {before}")
            return False
        self._print(epoch, f"{self.monitor} improved from {before} to {value:.5f}, {saving}")
        self.best = value
        return True

    def _print(self, epoch: int, what: str) -> None:
        if self.verbose and self.writes:
            print(f"\nEpoch {epoch + 1}: {what}", flush=True)

    def _path(self, values: Logs) -> str:
        for name in _names(self.filepath):
            if name not in values:
                raise ValueError(
                    f"filepath {self.filepath!r} names {name!r}, which is not there when the "
                    f"model is saved{meant(name, values)}; there are {', '.join(values)}"
                )
        return self.filepath.format(**values)


def _check_template(filepath: str) -> None:
    if not filepath.endswith(_SUFFIX):
        raise ValueError(f"filepath must end in {_SUFFIX}, got {filepath!r}")
    try:
        names = _names(filepath)
    except ValueError as error:
        raise ValueError(f"filepath {filepath!r} has a damaged {{field}}: {error}") from None
    if not all(name.isidentifier() for name in names):
        raise ValueError(
            f"filepath {filepath!r} must name what is to be filled in, such as {{epoch:02d}}"
        )


def _names(template: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(template) if name is not None]
