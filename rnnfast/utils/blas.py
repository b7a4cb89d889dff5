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
import threading
from collections.abc import Iterator
from typing import Any


@functools.cache
def _controller() -> Any:
    """Find the BLAS libraries of this process, once; None where threadpoolctl is missing."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController()


# The number of BLAS threads belongs to the process. Of limits that overlap in several Python
# threads, a later one would find the one thread of the first, and restore that for good. So one
# holds at a time; models that run beside it lose no more than speed when it ends before them.
_holding = threading.Lock()


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread within a block or a decorated function.

    Without threadpoolctl (of the extra ``train``) nothing changes: models run slower, and as right.
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
