"""Equality to the last bit, where order of accumulation is promised not to vary."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from .cells import Array

__all__ = ["digest"]


def digest(arrays: Iterable[Array | None]) -> str:
    """Hash of the shapes, types and bits of arrays, None among them included.

    Zeros of either sign differ; NaNs do not, since their payload is the processor's affair.
    """
    state = hashlib.sha256()
    for array in arrays:
        if array is None:
            state.update(b"None")
        else:
            state.update(f"{array.dtype}{array.shape}".encode())
            state.update(np.where(np.isnan(array), np.nan, array).astype(array.dtype).tobytes())
    return state.hexdigest()
