"""Checks of the numbers that steer training."""

from __future__ import annotations

import math

import numpy as np


def at_least_zero(name: str, value: float) -> float:
    """Return a finite number of at least 0."""
    if (number := finite(name, value)) < 0:
        raise ValueError(f"{name} must be at least 0, got {value!r}")
    return number


def above_zero(name: str, value: float) -> float:
    """Return a finite number above 0."""
    if (number := finite(name, value)) <= 0:
        raise ValueError(f"{name} must be above 0, got {value!r}")
    return number


def share(name: str, value: float) -> float:
    """Return a number from 0 to 1."""
    if not 0 <= (number := finite(name, value)) <= 1:
        raise ValueError(f"{name} must be from 0 to 1, got {value!r}")
    return number


def finite(name: str, value: float) -> float:
    """Return a finite number as a float."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} must be a number, got {value!r} of type {type(value).__name__}")
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite, got {value!r}")
    return float(value)


def whole(name: str, value: object) -> int:
    """Return `value` as an int, or raise TypeError when it is no integer."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    return int(value)


def require_positive(name: str, value: object) -> int:
    """Return `value` as an int, or raise ValueError when it is not a positive integer."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value <= 0:
        raise ValueError(f"{name} must be a positive integer, got {value!r}")
    return int(value)
