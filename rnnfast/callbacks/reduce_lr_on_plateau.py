"""A smaller learning rate where the training has stopped to improve.

rate = max(factor rate, min_lr)    after `patience` epochs without improvement
"""

from __future__ import annotations

from typing import Any

from rnnfast.callbacks import learning_rate
from rnnfast.callbacks.callback import Logs
from rnnfast.callbacks.monitoring import MonitorCallback
from rnnfast.utils.hyperparameters import at_least_zero


class ReduceLROnPlateau(MonitorCallback):
    """Lower the learning rate on a plateau: `keras.callbacks.ReduceLROnPlateau`.

    The logs of each epoch get its "learning_rate".

    Parameters
    ----------
    monitor : str, default "val_loss"
        What to watch: a name in the logs of an epoch.
    factor : float, default 0.1
        What the learning rate is multiplied by, below 1.
    patience : int, default 10
        Epochs without improvement after which to do so.
    verbose : {0, 1}, default 0
        Whether to print when it does.
    mode : {"auto", "min", "max"}, default "auto"
        Whether smaller or larger values are better; "auto" knows losses and metrics.
    min_delta : float, default 1e-4
        How much better a value must be to count.
    cooldown : int, default 0
        Epochs after a reduction in which nothing is counted.
    min_lr : float, default 0.0
        Where to end.

    Attributes
    ----------
    best : float or None
        The best value so far.
    wait : int
        Epochs since then.
    cooldown_counter : int
        Epochs of the cooldown that remain.

    Raises
    ------
    ValueError
        When a number is out of its range or `mode` unknown; at the end of an epoch when "auto"
        cannot be told.
    TypeError
        When a number is none, or an argument unknown; when training begins and the learning rate
        is a schedule.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        if at_least_zero("factor", factor) >= 1:
            raise ValueError(f"factor must be below 1, got {factor!r}")
        at_least_zero("patience", patience)
        at_least_zero("cooldown", cooldown)
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = at_least_zero("min_lr", min_lr)
        self._forget()

    def _forget(self) -> None:
        self.best = None
        self.wait = 0
        self.cooldown_counter = 0

    def in_cooldown(self) -> bool:
        """Return whether a reduction was so recent that nothing is counted."""
        return self.cooldown_counter > 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget an earlier training."""
        learning_rate.require_settable(type(self).__name__, self.model.optimizer)
        self._forget()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare the epoch with the best, and lower the rate when patience is over."""
        learning_rate.report(self.model.optimizer, logs)
        value = self.monitored(logs)
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
        if self.better(value, self.best):
            self.best = value
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        optimizer = self.model.optimizer
        if optimizer.learning_rate <= self.min_lr:
            return
        optimizer.learning_rate = max(optimizer.learning_rate * self.factor, self.min_lr)
        self.cooldown_counter = self.cooldown
        self.wait = 0
        if self.verbose and self.writes:
            print(
                f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to "
                f"{optimizer.learning_rate}.",
                flush=True,
            )

    def get_state(self) -> dict[str, Any]:
        """Return the best value and how long ago it was; see `Callback.get_state`."""
        state: dict[str, Any] = {"wait": self.wait, "cooldown_counter": self.cooldown_counter}
        if self.best is not None:
            state["best"] = self.best
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from a state; see `Callback.set_state`."""
        self.best = state.get("best")
        self.wait = state["wait"]
        self.cooldown_counter = state["cooldown_counter"]
