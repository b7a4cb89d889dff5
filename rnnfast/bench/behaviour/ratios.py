"""A ratio: what was looked at, what was measured, what it should be at most or at least."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ..stored import encode
from ..timing import Call, play_rounds, spread

__all__ = ["BoundedRatio", "medians", "to_json", "to_markdown"]


@dataclass(frozen=True)
class BoundedRatio:
    """One ratio, beside its bound.

    Parameters
    ----------
    about : str
        What it is the ratio of, with the sizes.
    measured : float
        The ratio.
    sense : {"at most", "at least"}
        What the bound is.
    bound : float
        How large it may, or must, be.
    """

    about: str
    measured: float
    sense: Literal["at most", "at least"]
    bound: float

    @property
    def holds(self) -> bool:
        """Whether it keeps its bound."""
        if self.sense == "at most":
            return self.measured <= self.bound
        return self.measured >= self.bound


def medians(calls: Mapping[str, Call], rounds: int) -> dict[str, float]:
    """Return the median seconds a call of each contestant, in turns.

    Parameters
    ----------
    calls : mapping of str to callable
        The contestants.
    rounds : int
        Turns of each.

    Returns
    -------
    dict of str to float
    """
    played = list(play_rounds(calls, rounds))
    return {name: spread([times[name] for times in played]).median for name in calls}


def to_json(ratios: Sequence[BoundedRatio]) -> str:
    """Write ratios as JSON.

    Parameters
    ----------
    ratios : sequence of BoundedRatio
        What was found.

    Returns
    -------
    str
        Their fields and whether each holds.
    """
    return encode({"ratios": [{**dataclasses.asdict(r), "holds": r.holds} for r in ratios]})


def to_markdown(ratios: Sequence[BoundedRatio]) -> str:
    """Write ratios as a table.

    Parameters
    ----------
    ratios : sequence of BoundedRatio
        What was found.

    Returns
    -------
    str
    """
    lines = ["| what | measured | wanted | holds |", "| --- | --- | --- | --- |"]
    for r in ratios:
        holds = "yes" if r.holds else "**no**"
        lines.append(f"| {r.about} | {r.measured:.2f} | {r.sense} {r.bound:.3g} | {holds} |")
    return "\n".join(lines) + "\n"
