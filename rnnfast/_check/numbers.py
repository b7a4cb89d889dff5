"""Numbers that go along with arrays, as the kernels hold them.

They are rounded to the dtype of the arrays, or what these are computed in on a device, in which
some are infinite and others zero; subnormal numbers count as zero inside the kernels.
"""

from __future__ import annotations

from math import isfinite

import numpy as np

from .._devices import computed_in
from .arrays import DType


def number(name: str, value: object) -> float:
    """Return a finite number as a float."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(
        value, (int, float, np.integer, np.floating)
    ):
        raise TypeError(f"{name} must be a number, got {value!r}")
    try:
        converted = float(value)
    except OverflowError:
        raise ValueError(f"{name} must be finite as a float, got {value!r}") from None
    if not isfinite(converted):
        raise ValueError(f"{name} must be finite, got {value!r}")
    return converted


def require_held(name: str, value: float, dtype: DType) -> None:
    """Raise unless a finite number is 0, or a normal number of a dtype."""
    scalar = computed_in(dtype)
    limits = np.finfo(scalar)
    smallest, largest = float(limits.tiny), float(limits.max)
    if value == 0 or smallest <= abs(value) <= largest:
        return
    raise ValueError(
        f"{name} must be a number that {scalar}, {_role(dtype)}, can hold, "
        f"{smallest:.4g} to {largest:.4g} in size, got {value!r}{_fix(value, scalar)}"
    )


def require_held_share(name: str, value: float, dtype: DType) -> None:
    """Raise unless a number from 0 to below 1 is below 1 in a dtype as well."""
    require_held(name, value, dtype)
    scalar = computed_in(dtype)
    if scalar.type(value) == 1:
        nearest = np.nextafter(scalar.type(1), scalar.type(0))
        raise ValueError(
            f"{name} must be less than 1 in {scalar}, {_role(dtype)}, in which {value!r} "
            f"is 1; the nearest that is less is {nearest!s}{_fix(value, scalar)}"
        )


def _role(dtype: DType) -> str:
    """Return what the type of a number is to arrays of a dtype."""
    if computed_in(dtype).name == dtype.name:
        return "the type of the arrays"
    return f"which arrays of {dtype} are computed in"


def _fix(value: float, dtype: DType) -> str:
    wider = np.finfo(np.float64)
    helps = dtype.itemsize < 8 and float(wider.tiny) <= abs(value)
    return "; float64 can" if helps else ""
