"""Names that Keras would give: `LSTM` becomes lstm, then lstm_1, lstm_2."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import partial

_used: Counter[str] = Counter()


def to_snake_case(name: str) -> str:
    """Turn a class name into snake case: SimpleRNN becomes simple_rnn."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def number(name: str, used: Counter[str]) -> str:
    """Count `name` in `used` and append the count from the second time on."""
    numbered = f"{name}_{used[name]}" if used[name] else name
    used[name] += 1
    return numbered


def numbered(owners: Iterable[object]) -> list[str]:
    """Name instances by their classes, counted among each other."""
    used: Counter[str] = Counter()
    return [number(to_snake_case(type(owner).__name__), used) for owner in owners]


def auto_name(owner: object) -> str:
    """Give an instance a name from its class that no earlier one in this process has."""
    return number(to_snake_case(type(owner).__name__), _used)


def check_name(name: object) -> str:
    """Return a name, or raise ValueError when it is none."""
    if not isinstance(name, str) or not name or "/" in name:
        raise ValueError(f"name must be a non-empty string without '/', got {name!r}")
    return name


def name_of(function: object) -> str:
    """Return a function's name; of another object that can be called, its class in snake case."""
    while isinstance(function, partial):
        function = function.func
    return getattr(function, "__name__", None) or to_snake_case(type(function).__name__)
