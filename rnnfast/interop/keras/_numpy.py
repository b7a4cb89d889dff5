"""The NumPy backend, which has no gradients: arrays go straight to the kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._check import cells
from .._layer import network

_calls = 0


def recurrence(
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
    """Return y, h_n and c_n."""
    global _calls
    _calls += 1
    # Keras's variables may hold arrays of another dtype than they say: float32 of initializers.
    weights = tuple(None if one is None else np.asarray(one, x.dtype) for one in weights)
    layer = network(
        cell,
        x,
        weights,
        h0,
        c0,
        lengths=lengths,
        recurrent_mask=recurrent_mask,
        kept_h=kept_h,
        kept_c=kept_c,
        batch_first=batch_first,
        reverse=reverse,
    )
    y, h_n, *c_n = layer.forward()
    return y, h_n, c_n[0] if c_n else None


def reason_for_host(x: Any) -> None:
    """Return None: arrays lie where the kernels run."""


def kernel_calls() -> int:
    """Return how many passes the kernels have run."""
    return _calls
