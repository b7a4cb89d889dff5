"""Layer normalization.

    N(v) = gain (v - mean(v)) / sqrt(mean((v - mean(v))^2) + 1e-5) + bias

over the last axis. Source: J. L. Ba, J. R. Kiros and G. E. Hinton, "Layer normalization", 2016.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["layer_norm"]

Array = NDArray[Any]


def layer_norm(v: Array, gain: Array, bias: Array | None = None) -> Array:
    """Normalize the rows of `v` (B, K); `gain` and `bias` are (K,)."""
    centred = v - v.mean(axis=-1, keepdims=True)
    variance = (centred * centred).mean(axis=-1, keepdims=True)
    normalized: Array = gain * centred / np.sqrt(variance + 1e-5)
    return normalized if bias is None else normalized + bias
