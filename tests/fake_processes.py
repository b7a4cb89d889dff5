"""Processes that train together, as threads of one: a reducer without MPI."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np


class Thread:
    """The reducer of one of several threads."""

    def __init__(self, rank: int, size: int, barrier: threading.Barrier, given: list[Any]) -> None:
        self.rank, self.size = rank, size
        self.means = 0
        self.aborted = False
        self._barrier, self._given = barrier, given

    def mean_(self, flat):
        assert flat.ndim == 1 and flat.flags.c_contiguous
        self.means += 1
        self._given[self.rank] = flat.copy()
        self._barrier.wait()
        mean = np.mean(self._given, axis=0, dtype=np.float64)
        self._barrier.wait()
        flat[...] = mean

    def abort(self):
        self.aborted = True
        self._barrier.abort()


def together(size: int, work: Callable[[Thread], Any], timeout: float = 60) -> list[Any]:
    """Do work in as many threads; return what each returned, or the exception that ended it."""
    barrier, given = threading.Barrier(size, timeout=timeout), [None] * size
    with ThreadPoolExecutor(size) as pool:
        futures = [pool.submit(work, Thread(rank, size, barrier, given)) for rank in range(size)]
    return [future.exception() or future.result() for future in futures]
