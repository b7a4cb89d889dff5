"""Whether a monitored value is better than one before.

    value + min_delta < before    mode "min"
    value - min_delta > before    mode "max"

Mode "auto" is "min" for a loss, and for a metric what the metric says of itself. NaN is never
better.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from rnnfast._check.spelling import meant
from rnnfast.callbacks.callback import Callback, Logs
from rnnfast.utils.hyperparameters import finite

_MODES = ("auto", "min", "max")


class MonitorCallback(Callback):
    """Base class of callbacks that watch one figure of the logs.

    Parameters
    ----------
    monitor : str, default "val_loss"
        Its name there.
    mode : {"auto", "min", "max"}, default "auto"
        Whether smaller or larger values are better.
    min_delta : float, default 0
        How much better a value must be; its sign does not matter.

    Attributes
    ----------
    best : float or None
        The best value so far.

    Raises
    ------
    ValueError
        When `mode` is none of these; at the end of an epoch when "auto" cannot be told, or what
        is monitored is no single number.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        min_delta: float = 0,
    ) -> None:
        super().__init__()
        if mode not in _MODES:
            raise ValueError(
                f"mode must be 'auto', 'min' or 'max', got {mode!r}{meant(mode, _MODES)}"
            )
        self.monitor = monitor
        self.mode = mode
        self.min_delta = abs(finite("min_delta", min_delta))
        self.best: float | None = None
        self._warned = False

    def monitored(self, logs: Logs | None) -> float | None:
        """Return the monitored value; None, with a warning the first time, where there is none.

        Parameters
        ----------
        logs : dict, optional
            Figures by name.
        """
        value = (logs or {}).get(self.monitor)
        if value is None:
            self._warn_once(logs or {})
            return None
        if np.ndim(value):
            raise ValueError(
                f"{type(self).__name__} monitors {self.monitor!r}, which must be one number, got "
                f"an array of shape {np.shape(value)}"
            )
        return float(value)

    def better(self, value: float, before: float | None) -> bool:
        """Return whether a value is better than one before; any number is better than none.

        Parameters
        ----------
        value : float
            The new value.
        before : float or None
            The one before.
        """
        wanted = self._resolved_mode()
        if math.isnan(value) or before is None:
            return not math.isnan(value)
        if wanted == "min":
            return value + self.min_delta < before
        return value - self.min_delta > before

    def _resolved_mode(self) -> str:
        if self.mode != "auto":
            return self.mode
        name = self.monitor.removeprefix("val_")
        if name == "loss" or name.endswith("_loss"):
            return "min"
        direction = _direction(name, getattr(self.model, "metrics", ()))
        if direction is None:
            raise ValueError(
                f"{type(self).__name__} cannot tell whether {self.monitor!r} is to become small "
                f"or large; pass mode='min' or mode='max'"
            )
        return direction

    def _warn_once(self, logs: Iterable[str]) -> None:
        if self._warned:
            return
        self._warned = True
        if self.monitor.startswith("val_") and not any(name.startswith("val_") for name in logs):
            hint = "; it needs validation_data or validation_split"
        else:
            hint = meant(self.monitor, logs)
        warnings.warn(
            f"{type(self).__name__} monitors {self.monitor!r}, which is not in the logs{hint}; "
            f"there are {', '.join(logs) or 'none'}",
            stacklevel=2,
        )


def _direction(name: str, metrics: Iterable[Any]) -> str | None:
    """Ask the metric behind a figure, which may be named by an output or numbered as well."""
    found = [
        metric
        for metric in metrics
        if re.fullmatch(rf"(.+_)?{re.escape(metric.name)}(_\d+)?", name)
    ]
    nearest = max(found, key=lambda metric: len(metric.name), default=None)
    direction: str | None = getattr(nearest, "direction", None)
    return direction
