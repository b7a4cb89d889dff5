"""One function of each backend: a layer in one direction, differentiable as the backend does it."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any, Protocol

import keras

from ..._check import cells

_MODULES = ("jax", "numpy", "tensorflow", "torch")


class Backend(Protocol):
    """The module of a backend."""

    def recurrence(
        self,
        cell: cells.Cell,
        x: Any,
        weights: tuple[Any, ...],
        h0: Any,
        c0: Any,
        *,
        lengths: Any = None,
        recurrent_mask: Any = None,
        kept_h: Any = None,
        kept_c: Any = None,
        batch_first: bool = False,
        reverse: bool = False,
    ) -> tuple[Any, Any, Any]:
        """Return y (T, B, R), h_n (B, R) and c_n (B, H), None where the cell has no memory.

        x is (T, B, I), with `batch_first` x and y have the batch first; h0 is (B, R), c0 (B, H);
        weights are in the core's order, None where one is absent. With `reverse` the last step is
        taken first; each stays where it is.
        """

    def reason_for_host(self, x: Any) -> str | None:
        """Return why the kernels cannot run on a tensor; None if they can, "" to say nothing."""

    def kernel_calls(self) -> int:
        """Return how many passes the kernels have run."""


@cache
def backend() -> Backend | None:
    """Return that of the process; None for one that has no way to the kernels."""
    name = keras.backend.backend()
    if name not in _MODULES:
        return None
    module: Any = importlib.import_module(f"._{name}", __package__)
    found: Backend = module
    return found


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
