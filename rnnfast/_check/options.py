"""Arguments that are not arrays of numbers."""

from __future__ import annotations

import operator
from collections.abc import Collection

import numpy as np

_LARGEST_COUNT = 2**31 - 1  # the core counts threads in an int


def flag(name: str, value: bool) -> bool:
    """Return a truth value; only a bool is one, so that no misplaced argument passes for it."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def directions(reverse: bool, bidirectional: bool) -> tuple[bool, bool]:
    """Return both flags, if they go together."""
    both, back = flag("bidirectional", bidirectional), flag("reverse", reverse)
    if both and back:
        raise ValueError("reverse must be False with bidirectional=True, which runs both ways")
    return back, both


def count(name: str, value: int) -> int:
    """Return an integer of at least 1; True is none."""
    other_kind = TypeError(f"{name} must be an integer of at least 1, got {value!r}")
    if isinstance(value, (bool, np.bool_)):  # some NumPys still take theirs for an index
        raise other_kind
    try:
        number = operator.index(value)
    except TypeError:
        raise other_kind from None
    if number < 1:
        raise ValueError(f"{name} must be at least 1, got {number}")
    return min(number, _LARGEST_COUNT)


def rate(name: str, value: float) -> float:
    """Return a probability below 1."""
    if type(value) is float and 0 <= value < 1:
        return value
    if isinstance(value, (bool, np.bool_)) or not isinstance(
        value, (int, float, np.integer, np.floating)
    ):
        raise TypeError(f"{name} must be a number from 0 to less than 1, got {value!r}")
    if not 0 <= value < 1 or float(value) == 1:
        raise ValueError(f"{name} must be from 0 to less than 1, got {value!r}")
    return float(value)


def rates(
    name: str, value: float | tuple[float, ...], states: tuple[str, ...]
) -> tuple[float, ...]:
    """Return a probability below 1 for each state: one given for all, or as many."""
    if not isinstance(value, (tuple, list)):
        return (rate(name, value),) * len(states)
    if len(value) != len(states):
        wanted = "a number" if len(states) == 1 else f"a number, or one for each of {states}"
        raise ValueError(f"{name} must be {wanted}, got {value!r}")
    return tuple(rate(f"{name} of {state}", one) for state, one in zip(states, value, strict=True))


def seed(value: int | None) -> int | None:
    """Return a seed, None where there is none."""
    if value is None:
        return None
    other_kind = TypeError(f"seed must be None or an integer of at least 0, got {value!r}")
    if isinstance(value, (bool, np.bool_)):
        raise other_kind
    try:
        number = operator.index(value)
    except TypeError:
        raise other_kind from None
    if not 0 <= number < 2**64:
        raise ValueError(f"seed must be from 0 to 2**64 - 1, got {number}")
    return number


def interval(name: str, value: int | None) -> int:
    """Return a number of steps, 0 for None."""
    return 0 if value is None else count(name, value)


def wanted(wrt: Collection[str] | None, names: tuple[str, ...]) -> frozenset[str]:
    """Return the names of the arguments whose gradients are wanted; None asks for all."""
    if wrt is None:
        return frozenset(names)
    if isinstance(wrt, str):
        raise TypeError(
            f"wrt must be a collection of names, got the string {wrt!r}; pass [{wrt!r}]"
        )
    try:
        chosen = tuple(wrt)
    except TypeError:
        raise TypeError(f"wrt must be None or a collection of names, got {wrt!r}") from None
    for name in chosen:
        if name not in names:
            raise ValueError(f"wrt must name some of {', '.join(names)}, got {name!r}")
    return frozenset(chosen)
