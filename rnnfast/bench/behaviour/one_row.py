"""A single row beside onnxruntime: streams of calls, and calls that come one by one.

A stream is what a benchmark sees: caches are warm, and threads awake. A call that comes alone, as
at a server, finds both otherwise. A script that compares two libraries sees a third thing, calls in
turns: the pool of onnxruntime spins for longer than ours takes, on the core that our second thread
wants.
"""

from __future__ import annotations

import statistics
from functools import partial
from time import perf_counter, sleep
from typing import Any, NamedTuple

from rnnfast.testing.cells import is_weight

from ..agreement import require_agreement
from ..cases import Case, Shape
from ..peers import Job, Ours, Unable
from ..peers.onnxruntime import OnnxRuntime
from ..timing import Call, wait_until_quiet
from .ratios import BoundedRatio, medians

__all__ = ["ROWS", "Row", "beside_onnxruntime"]

_CALLS = 40  # of a turn
_PAUSE = 0.005  # seconds: caches are cold then, and our threads asleep
_BOUNDS = {"in a stream": 1.0, "one by one": 1.0, "in turns": 1.3}


class Row(NamedTuple):
    """A single row, in one direction or in both.

    Parameters
    ----------
    cell : str
        The cell, as the core names it.
    T, H : int
        Steps, and both inputs and hidden units.
    directions : {1, 2}
        One or both.
    """

    cell: str
    T: int
    H: int
    directions: int

    def __str__(self) -> str:
        """Return cell, sizes and directions."""
        return f"{self.case}{', both directions' if self.directions == 2 else ''}"

    @property
    def case(self) -> Case:
        """The case of one direction."""
        return Case("inference", self.cell, Shape(self.T, 1, self.H, self.H))


ROWS: tuple[Row, ...] = (
    Row("lstm", 20, 512, 2),
    Row("lstm", 13, 384, 2),
    Row("lstm", 100, 256, 2),
    Row("lstm", 100, 256, 1),
    Row("lstm", 100, 128, 1),
    Row("gru", 100, 256, 2),
    Row("gru", 100, 128, 1),
    Row("rnn_tanh", 20, 512, 2),
)
"""What speech and text are served with."""


def beside_onnxruntime(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare times of single rows.

    Parameters
    ----------
    ours : Ours
        rnnfast.
    rounds : int
        Turns of each.

    Returns
    -------
    list of BoundedRatio
        None if onnxruntime is not installed.
    """
    try:
        peer = OnnxRuntime(ours.threads)
        contestants = {row: _agreeing(row, ours, peer) for row in ROWS}
    except Unable:
        return []
    found = []
    for row, (own, theirs) in contestants.items():
        calls = {ours.name: own, peer.name: theirs}
        times = {
            "in a stream": medians(calls, rounds),
            "one by one": _median_rounds(partial(_one_by_one, calls), rounds),
            "in turns": _median_rounds(partial(_in_turns, calls), rounds),
        }
        for manner, of in times.items():
            about = f"time / onnxruntime's, {manner}, {row} ({of[ours.name] * 1e6:.0f} us)"
            ratio = of[ours.name] / of[peer.name]
            found.append(BoundedRatio(about, ratio, "at most", _BOUNDS[manner]))
    return found


def _agreeing(row: Row, ours: Ours, peer: OnnxRuntime) -> tuple[Call, Call]:
    """Return the calls of both, once their answers agree."""
    inputs = row.case.inputs()
    if row.directions == 1:
        own, theirs = ours.prepare(row.case, inputs), peer.prepare(row.case, inputs)
    else:
        cell, reverse = row.case.cell, row.case.inputs(seed=1)
        weights: dict[str, Any] = {
            name: [inputs[name], reverse[name]] for name in inputs if is_weight(name)
        }
        call = partial(cell.prepack(weights, bidirectional=True), inputs["x"])
        own = Job(call, lambda out: out._asdict())
        theirs = peer.prepare_both(cell, inputs, reverse)
    require_agreement(peer.name, inputs, own.results(own.call()), theirs.results(theirs.call()))
    return own.call, theirs.call


def _one_by_one(calls: dict[str, Call]) -> dict[str, float]:
    """Return the median seconds of a call that follows a pause."""
    times = {}
    for name, call in calls.items():
        wait_until_quiet()
        of_calls = []
        for _ in range(_CALLS):
            sleep(_PAUSE)
            of_calls.append(_seconds(call))
        times[name] = statistics.median(of_calls)
    return times


def _in_turns(calls: dict[str, Call]) -> dict[str, float]:
    """Return the median seconds of a call that follows one of the other's."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(_CALLS):
        for name, call in calls.items():
            times[name].append(_seconds(call))
    return {name: statistics.median(of_calls) for name, of_calls in times.items()}


def _median_rounds(turn: partial[dict[str, float]], rounds: int) -> dict[str, float]:
    played = [turn() for _ in range(rounds)]
    return {name: statistics.median(times[name] for times in played) for name in played[0]}


def _seconds(call: Call) -> float:
    begin = perf_counter()
    call()
    return perf_counter() - begin
