"""What a convolution is told, as Keras takes it: one number for all axes or one for each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnfast.layers.patches import Pair


def pair(name: str, value: int | Sequence[int]) -> Pair:
    """Return positive integers, of rows and columns.

    Raises
    ------
    ValueError
        When `value` is neither a positive integer nor two of them.
    """
    both = tuple(value) if isinstance(value, (list, tuple)) else (value, value)
    if len(both) != 2 or not all(map(_is_positive, both)):
        raise ValueError(f"{name} must be a positive integer or two of them, got {value!r}")
    rows, columns = both
    return int(rows), int(columns)


def padding_mode(value: str) -> str:
    """Return "valid" or "same", or raise ValueError when `value` is neither, in any case."""
    mode = str(value).lower()
    if mode not in ("valid", "same"):
        raise ValueError(f"padding must be 'valid' or 'same', got {value!r}")
    return mode


def _is_positive(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and int(value) > 0
