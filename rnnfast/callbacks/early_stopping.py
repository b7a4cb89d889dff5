"""The end of a training that has stopped to improve."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from rnnfast._check.options import flag
from rnnfast.callbacks.callback import Logs
from rnnfast.callbacks.monitoring import MonitorCallback
from rnnfast.utils.hyperparameters import at_least_zero, finite


class EarlyStopping(MonitorCallback):
    """Stop when the monitored value has not improved: `keras.callbacks.EarlyStopping`.

    Parameters
    ----------
    monitor : str, default "val_loss"
        What to watch: a name in the logs of an epoch.
    min_delta : float, default 0
        How much better a value must be to count.
    patience : int, default 0
        Epochs without improvement after which to stop. The first epoch never stops.
    verbose : {0, 1}, default 0
        Whether to print when it stops and restores.
    mode : {"auto", "min", "max"}, default "auto"
        Whether smaller or larger values are better; "auto" knows losses and metrics.
    baseline : float, optional
        Only values better than this count as improvement.
    restore_best_weights : bool, default False
        Whether the model ends with the weights of the best epoch.
    start_from_epoch : int, default 0
        Epochs to let pass before watching.

    Attributes
    ----------
    best : float or None
        The best value so far.
    best_epoch : int
        Its epoch, from 0.
    best_weights : list of ndarray or None
        The weights at its end, with `restore_best_weights`.
    wait : int
        Epochs since then.
    stopped_epoch : int
        The epoch that stopped, 0 if none did.

    Raises
    ------
    ValueError
        When a number is out of its range or `mode` unknown; at the end of an epoch when "auto"
        cannot be told.
    TypeError
        When a number is none, or an argument unknown.

    Notes
    -----
    With `restore_best_weights` the best weights are restored at the end of `fit` also where it ran
    through all its epochs, as in Keras 3. Older versions of Keras restore them only where they
    have stopped.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        at_least_zero("patience", patience)
        at_least_zero("start_from_epoch", start_from_epoch)
        self.patience = patience
        self.verbose = verbose
        self.baseline = None if baseline is None else finite("baseline", baseline)
        self.restore_best_weights = flag("restore_best_weights", restore_best_weights)
        self.start_from_epoch = start_from_epoch
        self._forget()

    def _forget(self) -> None:
        self.best = None
        self.best_epoch = 0
        self.best_weights: list[NDArray[Any]] | None = None
        self.wait = 0
        self.stopped_epoch = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget an earlier training."""
        self._forget()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare the epoch with the best, and stop when patience is over."""
        value = self.monitored(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._keep(epoch)
        self.wait += 1
        if self.better(value, self.best):
            self.best = value
            self._keep(epoch)
            # What is the best so far, but short of the baseline, buys no more time.
            if self.baseline is None or self.better(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Restore the best weights."""
        if self.stopped_epoch and self.verbose and self.writes:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping", flush=True)
        if self.best_weights is not None:
            if self.verbose and self.writes:
                print(f"Restoring the weights of the best epoch, {self.best_epoch + 1}", flush=True)
            self.model.set_weights(self.best_weights)

    def get_state(self) -> dict[str, Any]:
        """Return the best epoch and how long ago it was; see `Callback.get_state`."""
        state: dict[str, Any] = {
            "best_epoch": self.best_epoch,
            "wait": self.wait,
            "stopped_epoch": self.stopped_epoch,
        }
        if self.best is not None:
            state["best"] = self.best
        if self.best_weights is not None:
            state["best_weights"] = self.best_weights
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from a state; see `Callback.set_state`."""
        self.best = state.get("best")
        self.best_epoch = state["best_epoch"]
        self.best_weights = state.get("best_weights")
        self.wait = state["wait"]
        self.stopped_epoch = state["stopped_epoch"]

    def _keep(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()
