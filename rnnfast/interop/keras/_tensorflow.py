"""The TensorFlow backend, by `rnnfast.interop.tensorflow`."""

from __future__ import annotations

from functools import cache
from typing import Any

import tensorflow as tf

from ..tensorflow import kernel_calls, recurrence

__all__ = ["kernel_calls", "reason_for_host", "recurrence"]


def reason_for_host(x: Any) -> str | None:
    """Return why the kernels cannot run; None if they can. Graphs choose devices when they run."""
    return _reason()


@cache
def _reason() -> str | None:
    others = {device.device_type for device in tf.config.list_logical_devices()} - {"CPU"}
    return f"the device {min(others)}" if others else None
