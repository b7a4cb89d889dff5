"""Epochs of a program: everybody's losses are compared, then everybody has turns.

    |theirs - ours| <= allowed * |ours|       for each of the first epochs, from the same weights

Keras is held to 1e-4. PyTorch is held to 1e-3: the sums of its gradients are taken in another
order, and Adam divides the small ones by their own size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..busy import OtherWork, too_much_spread, too_much_taken
from ..timing import Spread, spread
from .by_hand import ByHand
from .fitted import Fitted
from .processes import Apart

__all__ = ["PROGRAMS", "Timed", "Times", "measure_epochs"]


@dataclass(frozen=True)
class Timed:
    """A program that is timed.

    Parameters
    ----------
    program : str
        Name of the function of `programs`.
    compared, timed : dict
        Its arguments where losses are compared, and where it is timed.
    against : tuple of str
        Who else runs it.
    """

    program: str
    compared: dict[str, Any]
    timed: dict[str, Any]
    against: tuple[str, ...]

    def __str__(self) -> str:
        """Return the program's name."""
        return self.program


@dataclass(frozen=True)
class Times:
    """What was found of a program.

    Parameters
    ----------
    program : str
        Its name.
    seconds : dict of str to Spread
        Of an epoch, by contestant.
    ratios : dict of str to Spread
        Their times over ours, of the same round.
    work : dict of str to Spread
        Their processor time over ours, likewise: what a busy machine leaves as it is, though
        threads that spin while they wait count as well.
    apart : dict of str to float
        The largest relative difference of their losses.
    signs : sequence of str
        What shows that the machine was busy.
    """

    program: str
    seconds: dict[str, Spread]
    ratios: dict[str, Spread]
    work: dict[str, Spread]
    apart: dict[str, float]
    signs: Sequence[str]


OURS, KERAS, TORCH, PADDED = "rnnfast", "keras", "torch", "torch, padded"

PROGRAMS = (
    Timed("classifier", {"samples": 512}, {}, (KERAS, TORCH)),
    Timed("text_classifier", {"samples": 256}, {}, (KERAS, TORCH, PADDED)),
    Timed("char_lm", {"samples": 96, "dropout": 0.0}, {}, (KERAS, TORCH)),
)
"""What the recorded figures are of: programs 1, 3 and 8 of the examples."""

_ALLOWED = {KERAS: 1e-4, TORCH: 1e-3}
_COMPARED = 2  # epochs


def measure_epochs(timed: Sequence[Timed], rounds: int, threads: int) -> list[Times]:
    """Compare and time programs.

    Parameters
    ----------
    timed : sequence of Timed
        The programs.
    rounds : int
        Turns of everyone, each an epoch.
    threads : int
        Of everyone.

    Returns
    -------
    list of Times

    Raises
    ------
    ValueError
        If losses disagree: nothing is timed.
    """
    makers: dict[str, tuple[Any, str]] = {
        OURS: (Fitted, "rnnfast"),
        KERAS: (Fitted, "keras"),
        TORCH: (ByHand, "packed"),
        PADDED: (ByHand, "padded"),
    }
    wanted = {OURS, *(name for one in timed for name in one.against)}
    with ExitStack() as stack:
        contestants = {
            name: stack.enter_context(Apart(make, kind, threads))
            for name, (make, kind) in makers.items()
            if name in wanted
        }
        return [_measure(one, contestants, rounds, threads) for one in timed]


def _measure(one: Timed, contestants: Mapping[str, Apart], rounds: int, threads: int) -> Times:
    taking_part = {name: contestants[name] for name in (OURS, *one.against)}
    _prepare(one.program, one.compared, taking_part)
    losses = {name: each.ask("losses", _COMPARED) for name, each in taking_part.items()}
    apart = {
        name: _compare(one.program, name, losses[OURS], losses[name])
        for name in one.against
        if name in _ALLOWED
    }
    _prepare(one.program, one.timed, taking_part)
    for contestant in taking_part.values():
        contestant.ask("epoch")  # compiles, and wakes
    others = OtherWork(
        threads, lambda: sum(float(each.ask("processor_time")) for each in contestants.values())
    )
    played = [
        {name: _turn(contestant) for name, contestant in taking_part.items()} for _ in range(rounds)
    ]
    seconds = {name: spread([turns[name].seconds for turns in played]) for name in taking_part}
    ratios, work = (
        {
            name: spread([turns[name][which] / turns[OURS][which] for turns in played])
            for name in one.against
        }
        for which in range(len(_Turn._fields))
    )
    signs = [
        too_much_taken(others.taken()),
        *(too_much_spread(name, own.half_width) for name, own in seconds.items()),
    ]
    return Times(one.program, seconds, ratios, work, apart, [sign for sign in signs if sign])


class _Turn(NamedTuple):
    seconds: float
    processor_time: float


def _turn(contestant: Apart) -> _Turn:
    before = float(contestant.ask("processor_time"))
    seconds = float(contestant.ask("epoch"))
    return _Turn(seconds, float(contestant.ask("processor_time")) - before)


def _prepare(program: str, sizes: dict[str, Any], contestants: Mapping[str, Apart]) -> None:
    weights = contestants[OURS].ask("prepare", program, sizes)
    for name, contestant in contestants.items():
        if name != OURS:
            contestant.ask("prepare", program, sizes, weights)


def _compare(program: str, name: str, ours: list[float], theirs: list[float]) -> float:
    """Return how far losses are apart."""
    apart = max(abs(a - b) / abs(a) for a, b in zip(ours, theirs, strict=True))
    if not apart <= _ALLOWED[name]:
        raise ValueError(
            f"{name} and rnnfast disagree on the losses of {program}: {theirs} and {ours}, "
            f"{apart:.2g} apart (relative; {_ALLOWED[name]:.2g} is allowed)"
        )
    return apart
