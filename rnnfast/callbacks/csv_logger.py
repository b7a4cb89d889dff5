"""A table of all epochs in a file.

The first `size` bytes of the file are what has been written. Every row goes behind them, and
whatever is there goes away: an earlier training's rows, or rows of epochs that a resumed training
runs again.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from typing import Any

from rnnfast._check.options import flag
from rnnfast.callbacks.callback import Callback, Logs


class CSVLogger(Callback):
    """Write a row for each epoch: `keras.callbacks.CSVLogger`.

    Columns are the epoch, from 0, and the figures of the first epoch by name; what a later epoch
    lacks is NA. Where the first epoch has no validation there are columns for it all the same.

    Parameters
    ----------
    filename : str or os.PathLike
        The file.
    separator : str, default ","
        What stands between values: one character.
    append : bool, default False
        Whether rows that are there stay. Otherwise they go with the first new row.

    Raises
    ------
    ValueError
        When `separator` is not one character.
    OSError
        When training begins and the file cannot be written.
    """

    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        super().__init__()
        if len(separator) != 1:
            raise ValueError(f"separator must be one character, got {separator!r}")
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = flag("append", append)
        self.keys: list[str] = []
        self._size = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """See that the file can be written."""
        if not self.writes:
            return
        with open(self.filename, "ab") as file:
            self._size = file.tell() if self.append else 0
        self.keys = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the row of the epoch."""
        if not self.writes:
            return
        logs = logs or {}
        self.keys = self.keys or _columns(logs)
        with open(self.filename, "ab") as file:
            size = min(self._size, file.tell())
            file.truncate(size)
            if size == 0:
                file.write(self._row(["epoch", *self.keys]))
            file.write(self._row([epoch, *(_value(logs.get(key, "NA")) for key in self.keys)]))
            self._size = file.tell()

    def get_state(self) -> dict[str, Any]:
        """Return how much is written, and its columns; see `Callback.get_state`."""
        return {"size": self._size, "keys": self.keys}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from a state: later rows go with the next one; see `Callback.set_state`."""
        self._size = state["size"]
        self.keys = list(state["keys"])

    def _row(self, values: Sequence[object]) -> bytes:
        text = io.StringIO()
        csv.writer(text, delimiter=self.sep).writerow(values)
        return text.getvalue().encode()


def _columns(logs: Logs) -> list[str]:
    names = sorted(logs)
    if any(name.startswith("val_") for name in names):
        return names
    return [*names, *(f"val_{name}" for name in names)]


def _value(value: object) -> object:
    """Write a list or an array as Keras does: in brackets and quotes."""
    if isinstance(value, str) or not isinstance(value, Iterable) or not getattr(value, "ndim", 1):
        return value
    return f'"[{", ".join(map(str, value))}]"'
