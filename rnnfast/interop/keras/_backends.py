"""One function of each backend: a layer in one direction, differentiable as the backend does it.

    recurrence(cell, x, weights, h0, c0, *, lengths, resets, recurrent_mask,
               kept_h, kept_c) -> y, h_n, c_n or None

x is (T, B, I), y (T, B, R), h0 and h_n are (B, R), c0 and c_n (B, H); weights are in the core's
order, None where one is absent.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Protocol

import keras

from ..._check import cells


class Recurrence(Protocol):
    """What every backend has."""

    def __call__(
        self,
        cell: cells.Cell,
        x: Any,
        weights: tuple[Any, ...],
        h0: Any,
        c0: Any,
        *,
        lengths: Any = None,
        resets: Any = None,
        recurrent_mask: Any = None,
        kept_h: Any = None,
        kept_c: Any = None,
    ) -> tuple[Any, Any, Any]:
        """Return y, h_n and c_n, which is None where the cell has no memory."""


class Backend(Protocol):
    """A module of a backend."""

    recurrence: Recurrence

    def reason_for_host(self, x: Any) -> str | None:
        """Return why the kernels cannot run on a tensor; None if they can."""

    def kernel_calls(self) -> int:
        """Return how many passes the kernels have run."""


@cache
def backend() -> Backend | None:
    """Return that of the process; None for one that has no way to the kernels."""
    name = keras.backend.backend()
    found: Any = None
    if name == "torch":
        from . import _torch as found
    elif name == "numpy":
        from . import _numpy as found
    elif name == "jax":
        from . import _jax as found
    elif name == "tensorflow":
        from . import _tensorflow as found
    return found  # type: ignore[no-any-return]  # a module is no class


def kernel_calls() -> int:
    """Return how many passes, forward or backward, the kernels have run for Keras's backend.

    Returns
    -------
    int
        Counted in this process. Under TensorFlow and JAX a pass counts when it runs, not when it is
        traced.
    """
    found = backend()
    return 0 if found is None else found.kernel_calls()
