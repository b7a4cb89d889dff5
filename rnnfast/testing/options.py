"""Every option of a call that tests loop over, alone and in pairs: a new one is an entry here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, count
from math import comb
from typing import Any, Literal

import numpy as np

__all__ = [
    "OPTIONS",
    "Option",
    "alone",
    "covering",
    "drawn",
    "of_equations",
    "of_packed_call",
    "of_prepack",
    "pairs",
    "without_gradients",
]


@dataclass(frozen=True, eq=False)
class Option:
    """An option of `rnn`, `lstm` and `gru`.

    Parameters
    ----------
    name : str
        Name of the argument.
    draw : callable
        ``draw(rng, T, B)`` returns a value worth testing.
    belongs_to : {"cell", "call", "training", "gradient", "memory"}
        What it is an option of: the cell, and so of `prepack`; the call, also of a packed cell;
        training, where there is a `seed`; the gradient alone, and so of the functions that return
        one; what these keep for it, which changes no number.
    """

    name: str
    draw: Callable[[np.random.Generator, int, int], Any]
    belongs_to: Literal["cell", "call", "training", "gradient", "memory"]

    def __str__(self) -> str:
        """Return the name, for test ids."""
        return self.name


def _lengths(rng: np.random.Generator, T: int, B: int) -> Any:
    """Draw lengths from 0 to T; that nobody takes the last step must work as well."""
    lengths = rng.integers(0, T + 1, B)
    lengths[rng.integers(B)] = T if rng.random() < 0.8 else max(T - 1, 0)
    return lengths


OPTIONS: tuple[Option, ...] = (
    Option("reverse", lambda rng, T, B: True, "cell"),
    Option("zoneout", lambda rng, T, B: float(rng.uniform(0.1, 0.6)), "cell"),
    Option("clip", lambda rng, T, B: float(rng.uniform(0.6, 1.5)), "cell"),
    Option("lengths", _lengths, "call"),
    Option("resets", lambda rng, T, B: rng.random((T, B)) < 0.25, "call"),
    Option("input_dropout", lambda rng, T, B: float(rng.uniform(0.1, 0.6)), "training"),
    Option("recurrent_dropout", lambda rng, T, B: float(rng.uniform(0.1, 0.6)), "training"),
    Option("weight_dropout", lambda rng, T, B: float(rng.uniform(0.1, 0.6)), "training"),
    Option("seed", lambda rng, T, B: int(rng.integers(2**63)), "training"),
    Option("truncate", lambda rng, T, B: int(rng.integers(1, 4)), "gradient"),
    Option("checkpoint", lambda rng, T, B: True, "memory"),
)

_BELONGS = {option.name: option.belongs_to for option in OPTIONS}


def alone(options: Sequence[Option] = OPTIONS) -> list[tuple[Option, ...]]:
    """Return each option alone."""
    return [(option,) for option in options]


def pairs(options: Sequence[Option] = OPTIONS) -> list[tuple[Option, ...]]:
    """Return every pair of options."""
    return list(combinations(options, 2))


def covering(options: Sequence[Option] = OPTIONS) -> list[tuple[Option, ...]]:
    """Return few choices in which each two options meet: both given, one, the other, neither.

    Of n choices each option is given in another set of ``n // 2 + 1``: any two sets share a choice,
    and neither holds the other. In one further choice nothing is given. Source: D. J. Kleitman and
    J. Spencer, "Families of k-independent sets", Discrete Mathematics 6, 1973.
    """
    n = next(n for n in count(1) if comb(n, n // 2 + 1) >= len(options))
    given = list(zip(options, combinations(range(n), n // 2 + 1), strict=False))
    choices = [tuple(option for option, choices in given if i in choices) for i in range(n)]
    return [(), *choices]


def drawn(chosen: tuple[Option, ...], rng: np.random.Generator, T: int, B: int) -> dict[str, Any]:
    """Draw a value of each, and a seed if training wants one."""
    values = {option.name: option.draw(rng, T, B) for option in chosen}
    if any(option.belongs_to == "training" for option in chosen):
        values.setdefault("seed", 5)
    return values


def of_prepack(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `prepack` takes."""
    return {name: value for name, value in options.items() if _BELONGS[name] == "cell"}


def without_gradients(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a forward pass takes."""
    return {n: value for n, value in options.items() if _BELONGS[n] not in ("gradient", "memory")}


def of_equations(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the reference takes."""
    return {name: value for name, value in options.items() if _BELONGS[name] != "memory"}


def of_packed_call(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a call of a packed cell takes."""
    return {name: value for name, value in options.items() if _BELONGS[name] == "call"}
