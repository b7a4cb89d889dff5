"""The TensorFlow backend: an operation, in graphs as in eager mode."""

from __future__ import annotations

from typing import Any

from ..tensorflow import kernel_calls, recurrence

__all__ = ["kernel_calls", "reason_for_host", "recurrence"]


def reason_for_host(x: Any) -> str | None:
    """Return why the kernels cannot run on a tensor; None if they can."""
    device = getattr(x, "device", "")
    return None if "GPU" not in device and "TPU" not in device else f"tensors on {device}"
