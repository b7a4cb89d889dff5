"""What the machine allows, measured beside the case that is held against it.

With F the rate at which the fastest register tile multiplies and adds from L1, on n cores at once,
in the precision of the weights:

    several rows   seconds >= work / F
    one row        seconds >= T * (the longer of  work of a step / F
                                             and  bytes of R / bandwidth)  + T meetings

A single row uses each element of the recurrent weights R once a step, so that a step takes at least
as long as reading them. The bandwidth is what the tile of a single row reaches on as much of R as a
core has to read, as often as a step does; that decides from which cache it comes. The cores share R
and meet once a step, or one core does everything: the lesser of the two is the limit. The input
product is counted in the work of its step, since it can be done while R is read. Training is two
such passes, forward and backward, and the weight gradients at F.

Packing, activations and everything else are in the times and not in the limits.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from rnnfast import _core

from .cases import Case
from .timing import wait_until_quiet

__all__ = ["CaseLimit", "ImpossibleFraction", "TileLimit", "require_possible"]

_FLOAT32 = np.dtype(np.float32)
_FIRST = 0.05  # seconds a tile, to find the fastest
_AGAIN = 0.02  # seconds between rounds


class ImpossibleFraction(ArithmeticError):
    """A case was faster than its limit: the limit is wrong, and so may be the times."""


class TileLimit:
    """The rate of the fastest tile on all cores at once.

    Parameters
    ----------
    threads : int
        Cores that take part.
    precision : str, optional
        What weights are packed in; float32 by default.

    Attributes
    ----------
    gflops : float
        The highest rate seen so far, in GFLOP/s.
    """

    def __init__(self, threads: int, precision: str | None = None) -> None:
        self._threads = threads
        self._precision = precision
        tiles = _core.probes.tiles(_FLOAT32, precision)
        self._tile = max(tiles, key=lambda tile: self._rate(tile, _FIRST))
        self.gflops = 0.0
        self.measure()

    def measure(self) -> None:
        """Run the tile once more, and keep the higher rate: what has been reached is possible."""
        wait_until_quiet()
        rate = _on_all_cores(self._threads, lambda: self._rate(self._tile, _AGAIN))
        self.gflops = max(self.gflops, rate)

    def _rate(self, tile: tuple[int, int], seconds: float) -> float:
        return _core.probes.tile_rate(_FLOAT32, *tile, seconds=seconds, precision=self._precision)


class StreamLimit:
    """The bandwidth at which cores read weights for a single row, all of them at once.

    Parameters
    ----------
    threads : int
        Cores that take part.
    columns, units : int
        The weights that each of them reads, pass after pass: (units, columns).
    precision : str, optional
        What they are packed in; float32 by default.

    Attributes
    ----------
    gbytes : float
        The highest bandwidth of all cores together seen so far, in GB/s.
    """

    def __init__(
        self, threads: int, columns: int, units: int, precision: str | None = None
    ) -> None:
        self._threads = threads
        self._precision = precision
        self._columns = columns
        self._units = units
        self.gbytes = 0.0
        self.measure()

    def measure(self) -> None:
        """Read once more, and keep the higher bandwidth."""
        wait_until_quiet()

        def read() -> float:
            return _core.probes.stream_rate(
                _FLOAT32, self._columns, self._units, seconds=_AGAIN, precision=self._precision
            )

        self.gbytes = max(self.gbytes, _on_all_cores(self._threads, read))


class CaseLimit:
    """The least time that a case can take.

    Parameters
    ----------
    case : Case
        What is timed.
    threads : int
        Cores that take part.
    precision : {"bfloat16", "float16"}, optional
        What weights are packed in; float32 by default.

    Attributes
    ----------
    meetings : list of float
        Seconds of a meeting of the threads, as often as it was measured. Where the cores of a
        machine are at times nearer to each other than at others, this shows it.
    """

    def __init__(self, case: Case, threads: int, precision: str | None = None) -> None:
        self._case = case
        self._threads = threads
        self._weight_bytes = 4.0 if precision is None else 2.0
        self._tile = TileLimit(threads, precision)
        self.meetings: list[float] = []
        self._streams: dict[int, StreamLimit] = {}
        if case.shape.B == 1:
            gates = case.cell.gates * case.shape.H
            shares = {1: gates} if threads == 1 else {1: gates, threads: gates // threads}
            self._streams = {
                n: StreamLimit(n, share, case.shape.H, precision) for n, share in shares.items()
            }
        self._measure_meeting()

    @property
    def fma_rate(self) -> float:
        """The rate of the tile on all cores, in GFLOP/s."""
        return self._tile.gflops

    @property
    def seconds(self) -> float:
        """The limit, in seconds."""
        case, T = self._case, self._case.shape.T
        work = case.flops / (self.fma_rate * 1e9)
        if not self._streams:
            return work
        passes, products = (2, 3) if case.mode == "training" else (1, 1)
        one = work / products / T  # a step's two products
        R = case.cell.output_size(case.shape.H)
        columns = case.cell.gates * R + (R if case.cell.projects else 0)
        recurrent_bytes = self._weight_bytes * case.shape.H * columns

        def step(cores: int) -> float:
            reading = recurrent_bytes / (self._streams[cores].gbytes * 1e9)
            multiplying = one * self._threads / cores
            return max(multiplying, reading) + (min(self.meetings) if cores > 1 else 0.0)

        return passes * T * min(map(step, self._streams)) + (products - passes) * T * one

    def measure(self) -> None:
        """Measure once more; what has been reached is possible."""
        self._tile.measure()
        for stream in self._streams.values():
            stream.measure()
        self._measure_meeting()

    def _measure_meeting(self) -> None:
        wait_until_quiet()
        self.meetings.append(_core.probes.meeting_time(self._threads, seconds=_AGAIN))


def _on_all_cores(threads: int, rate: Callable[[], float]) -> float:
    with ThreadPoolExecutor(threads) as pool:
        runs = [pool.submit(rate) for _ in range(threads)]
    return sum(run.result() for run in runs)


def require_possible(name: str, fraction: float) -> None:
    """Refuse a fraction of a limit that is above 1.

    Parameters
    ----------
    name : str
        What was measured.
    fraction : float
        Its rate over its limit.

    Raises
    ------
    ImpossibleFraction
        If the fraction is above 1.
    """
    if fraction > 1:
        raise ImpossibleFraction(
            f"{name} reached {fraction:.3f} of its limit: the limit is measured wrongly, or the "
            "machine changed speed in between"
        )
