"""NumPy's BLAS on one thread while a model runs.

A training step goes back and forth between the kernels' threads and those of NumPy's matrix
products. OpenBLAS's workers keep spinning for milliseconds after a product, on the cores that the
kernels need next: a step of the character model (LSTM of 512, 2 cores) took 108 ms with two BLAS
threads and 49 ms with one. One thread also makes the products' last bits independent of the number
of cores.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
import warnings
from collections.abc import Iterator
from typing import Any


@functools.cache
def _controller() -> Any:
    """Find the BLAS libraries of this process, once; None where threadpoolctl is missing."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        if _blas_may_have_threads():
            warnings.warn(
                "NumPy's BLAS threads spin on the cores that rnnfast needs, and training may take "
                "twice the time: pip install threadpoolctl, which holds them to one, or set "
                "OPENBLAS_NUM_THREADS=1 before NumPy is imported",
                stacklevel=2,
            )
        return None
    return ThreadpoolController()


def _cores() -> int:
    """Return how many cores the process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _blas_may_have_threads() -> bool:
    """Return whether there are cores for them, and no setting forbids them."""
    settings = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
    return _cores() > 1 and all(os.environ.get(name) != "1" for name in settings)


# The number of BLAS threads belongs to the process. Of limits that overlap in several Python
# threads, a later one would find the one thread of the first, and restore that for good. So one
# holds at a time; models that run beside it lose no more than speed when it ends before them.
_holding = threading.Lock()


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold NumPy's BLAS to one thread within a block or a decorated function.

    `fit`, `evaluate` and `predict` do so. A loop of one's own that has matrix products of NumPy
    between calls of rnnfast takes two to three times as long without it, on few cores.

    Yields
    ------
    None
        Afterwards BLAS has as many threads as before.

    Notes
    -----
    It is threadpoolctl (of the extra ``train``) that sets the number. Without it nothing changes,
    results included, and a warning tells so once. The number belongs to the process: of blocks
    that overlap in several threads the first counts.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnfast.utils import one_blas_thread
    >>> with one_blas_thread():
    ...     float(np.ones(3) @ np.ones(3))
    3.0
    """
    controller = _controller()
    if controller is None or not _holding.acquire(blocking=False):
        yield
        return
    try:
        with controller.limit(limits=1, user_api="blas"):
            yield
    finally:
        _holding.release()
