"""Cost grows as the work does: with T, with B, and with H."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from ..cases import Case, Shape
from ..peers import Ours
from ..timing import Call, Spread, play_rounds, spread
from .ratios import BoundedRatio, medians

__all__ = ["growth_with_rows", "growth_with_steps", "growth_with_units", "units_sweep"]

_STEPS = (20, 100, 1000, 10000)
_ROWS = (32, 64, 128, 256, 512, 1024)
_FIRST_UNITS = 80  # below, a panel that is not full weighs more


def growth_with_steps(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare the time of a step of long and short sequences, on packed weights.

    Parameters
    ----------
    ours : Ours
        rnnfast.
    rounds : int
        Turns of each length.

    Returns
    -------
    list of BoundedRatio
    """
    found = []
    for B, H in ((1, 256), (32, 128)):
        calls = {str(T): _inference(ours, Shape(T, B, H, H)) for T in _STEPS}
        times = medians(calls, rounds)
        steps = [times[str(T)] / T for T in _STEPS]
        about = (
            f"time of a step, T from {_STEPS[0]} to {_STEPS[-1]}, B={B} H={H}: longest / shortest"
        )
        found.append(BoundedRatio(about, max(steps) / min(steps), "at most", 1.15))
    return found


def growth_with_rows(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare the time of a row in small and large batches.

    Parameters
    ----------
    ours : Ours
        rnnfast.
    rounds : int
        Turns of each size.

    Returns
    -------
    list of BoundedRatio
    """
    found = []
    for H in (128, 512):
        calls = {str(B): _inference(ours, Shape(20, B, H, H)) for B in _ROWS}
        times = medians(calls, rounds)
        rows = [times[str(B)] / B for B in _ROWS]
        about = f"time of a row, B from {_ROWS[0]} to {_ROWS[-1]}, H={H}: longest / shortest"
        found.append(BoundedRatio(about, max(rows) / min(rows), "at most", 1.15))
    return found


def units_sweep(ours: Ours, units: Iterable[int], rounds: int) -> dict[int, Spread]:
    """Return the rate at each number of units, LSTM inference at T=10, B=32.

    Parameters
    ----------
    ours : Ours
        rnnfast.
    units : iterable of int
        H, and as many inputs.
    rounds : int
        Turns of each, one after the other: neighbours are timed together.

    Returns
    -------
    dict of int to Spread
        GFLOP/s.
    """
    rates = {}
    for H in units:
        case = Case("inference", "lstm", Shape(10, 32, H, H))
        job = ours.prepare(case, case.inputs())
        played = play_rounds({"": job.call}, rounds)
        rates[H] = spread([case.flops / seconds[""] * 1e-9 for seconds in played])
    return rates


def growth_with_units(rates: dict[int, float], full: int) -> list[BoundedRatio]:
    """Compare neighbouring numbers of units.

    Parameters
    ----------
    rates : dict of int to float
        The medians of what `units_sweep` has returned.
    full : int
        Units of a full panel.

    Returns
    -------
    list of BoundedRatio
    """
    units = sorted(rates)
    large = [H for H in units if _FIRST_UNITS <= H]
    small = [H for H in units if H < _FIRST_UNITS]
    found = []
    if len(large) > 1:
        found.append(_steepest(rates, large))
    # Time, not rate: less work in the same panels may take as long as the whole of it.
    next_full = {H: -(-H // full) * full for H in small}
    worst = {H: _time(rates, H) / _time(rates, to) for H, to in next_full.items() if to in rates}
    if worst:
        H = max(worst, key=lambda H: worst[H])
        about = f"time of H, up to {small[-1]}, over that of the next full panel; most at {H}"
        found.append(BoundedRatio(about, worst[H], "at most", 1.25))
    return found


def _steepest(rates: dict[int, float], units: Sequence[int]) -> BoundedRatio:
    def ratio(pair: tuple[int, int]) -> float:
        low, high = sorted((rates[pair[0]], rates[pair[1]]))
        return high / low

    worst = max(pairwise(units), key=ratio)
    about = f"time of a flop, neighbouring H from {units[0]} to {units[-1]}; most at {worst}"
    return BoundedRatio(about, ratio(worst), "at most", 1.25)


def _time(rates: dict[int, float], H: int) -> float:
    return Case("inference", "lstm", Shape(10, 32, H, H)).flops / rates[H]


def _inference(ours: Ours, shape: Shape) -> Call:
    case = Case("inference", "lstm", shape)
    return ours.prepare(case, case.inputs()).call
