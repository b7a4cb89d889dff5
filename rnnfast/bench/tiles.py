"""The register tiles beside the peak of fused multiply-adds, on one core.

    python -m rnnfast.bench.tiles           prints them as JSON, of the active target

The target is chosen when the extension is loaded, so another one is measured in another process.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys

import numpy as np

from rnnfast import _core

from .limits import require_possible
from .results import Tile
from .timing import Spread, spread

__all__ = ["measure_tiles", "measure_tiles_of"]

_FLOAT32 = np.dtype(np.float32)
_BETWEEN_TWO_MEASUREMENTS = 0.005  # tiles at the peak were seen at up to 1.002 of it
_SECONDS = 0.02
_ATTEMPTS = 5  # a machine that changes speed in between does not do so every time


def measure_tiles(rounds: int) -> list[Tile]:
    """Measure every tile of the active target that a kernel uses, in turns with the peak.

    Parameters
    ----------
    rounds : int
        Turns of each.

    Returns
    -------
    list of Tile
    """
    target = _core.config()["target"]
    tiles = _core.probes.tiles(_FLOAT32)
    rates: dict[tuple[int, int], list[float]] = {tile: [] for tile in tiles}
    peaks: list[float] = []
    for _ in range(rounds):
        peaks.append(_core.probes.fma_rate(_FLOAT32, _SECONDS))
        for tile in tiles:
            rates[tile].append(_core.probes.tile_rate(_FLOAT32, *tile, seconds=_SECONDS))
    return [
        Tile(
            target,
            *tile,
            gflops=spread(rates[tile]).median,
            fraction=spread([rate / peak for rate, peak in zip(rates[tile], peaks, strict=True)]),
        )
        for tile in tiles
    ]


def measure_tiles_of(target: str, rounds: int) -> list[Tile]:
    """Measure the tiles of another target, in a process of its own.

    Parameters
    ----------
    target : str
        As RNNFAST_TARGET takes it.
    rounds : int
        Turns of each.

    Returns
    -------
    list of Tile

    Raises
    ------
    subprocess.CalledProcessError
        If this machine cannot run the target.
    ImpossibleFraction
        If a tile was faster than the peak, by more than two measurements of one rate differ, time
        after time.
    """
    for _ in range(_ATTEMPTS):
        tiles = _measure_in_another_process(target, rounds)
        fastest = max(tiles, key=lambda tile: tile.fraction.median)
        if fastest.fraction.median <= 1 + _BETWEEN_TWO_MEASUREMENTS:
            break
    else:
        name = f"tile {fastest.rows}x{fastest.vectors} of {target}"
        require_possible(name, fastest.fraction.median)
    return tiles


def _measure_in_another_process(target: str, rounds: int) -> list[Tile]:
    run = subprocess.run(
        [sys.executable, "-m", "rnnfast.bench.tiles", str(rounds)],
        env={**os.environ, "RNNFAST_TARGET": target},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return [
        Tile(**{**tile, "fraction": Spread(*tile["fraction"])}) for tile in json.loads(run.stdout)
    ]


if __name__ == "__main__":
    measured = measure_tiles(rounds=int(sys.argv[1]) if sys.argv[1:] else 10)
    print(json.dumps([dataclasses.asdict(tile) for tile in measured], indent=1))
