"""The JAX backend, by `rnnfast.interop.jax`."""

from __future__ import annotations

from typing import Any

import jax

from ..jax._kernels import kernel_calls
from ..jax._recurrence import recurrence

__all__ = ["kernel_calls", "reason_for_host", "recurrence"]


def reason_for_host(x: Any) -> str | None:
    """Return why the kernels cannot run; None if they can. A traced array is on no device yet."""
    platform = jax.default_backend()
    return None if platform == "cpu" else f"the platform {platform}"
