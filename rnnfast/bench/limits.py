"""What the machine allows, measured beside the case that is held against it.

The limit of a case with many rows is its work over the rate at which the register tile multiplies
and adds from L1, on as many cores as the case may use:

    seconds >= flops / (threads * F),   F of the fastest tile

It is a bound for every case. The cases with few rows have a nearer one, the bandwidth at which a
core reads its share of the recurrent weights, which is not measured yet: their fraction of this
limit says how much of the arithmetic is used, not how much there is to gain.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from rnnfast import _core

from .timing import wait_until_quiet

__all__ = ["ImpossibleFraction", "TileLimit", "require_possible"]

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

    Attributes
    ----------
    gflops : float
        The highest rate seen so far, in GFLOP/s.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        tiles = _core.probes.tiles(_FLOAT32)
        self._tile = max(tiles, key=lambda tile: _rate(tile, _FIRST))
        self.gflops = 0.0
        self.measure()

    def measure(self) -> None:
        """Run the tile once more, and keep the higher rate: what has been reached is possible."""
        wait_until_quiet()
        with ThreadPoolExecutor(self._threads) as pool:
            runs = [pool.submit(_rate, self._tile, _AGAIN) for _ in range(self._threads)]
        self.gflops = max(self.gflops, sum(run.result() for run in runs))


def _rate(tile: tuple[int, int], seconds: float) -> float:
    return _core.probes.tile_rate(_FLOAT32, *tile, seconds=seconds)


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
