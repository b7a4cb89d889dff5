"""The record that `fit` returns."""

from __future__ import annotations

from typing import Any

from rnnfast.callbacks.callback import Callback, Logs


class History(Callback):
    """Losses and metrics of each epoch: `keras.callbacks.History`.

    Attributes
    ----------
    epoch : list of int
        The epochs run, from 0.
    history : dict of list of float
        For each of "loss", the metrics, and these with "val_" before them, one value per epoch.
    """

    def __init__(self) -> None:
        super().__init__()
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Append the values of the epoch; see `Callback.on_epoch_end`."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def get_state(self) -> dict[str, Any]:
        """Return the epochs and their values; see `Callback.get_state`."""
        return {
            "epoch": list(self.epoch),
            "names": list(self.history),
            "values": [list(values) for values in self.history.values()],
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from a state; see `Callback.set_state`."""
        self.epoch = list(state["epoch"])
        self.history = {
            name: list(values) for name, values in zip(state["names"], state["values"], strict=True)
        }
