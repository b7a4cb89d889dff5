"""How many threads a call uses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from . import _core
from ._check import options


def set_num_threads(n: int) -> None:
    """Set how many threads a call may use at most.

    The setting is the process's. A call uses fewer where the work is small, where the affinity of
    the process or its CPU quota allows fewer, and while other calls or other processes keep the
    cores busy; results do not depend on it, to the last bit.

    Parameters
    ----------
    n : int
        At least 1. Until it is called, OpenMP's settings count, as they do for other libraries:
        ``OMP_NUM_THREADS``, ``threadpoolctl.threadpool_limits``; and without any, every core that
        the process may use.

    Raises
    ------
    ValueError
        If `n` is less than 1.
    TypeError
        If `n` is not an integer.
    """
    _core.choose_threads(options.count("n", n))


def get_num_threads() -> int:
    """Return how many threads a call may use at most.

    Returns
    -------
    int
        What `set_num_threads` has set, or else what OpenMP's settings say, within what the process
        may use.
    """
    return _core.get_num_threads()


@contextmanager
def num_threads(n: int) -> Iterator[None]:
    """Set the number of threads inside a `with` block, or during a decorated function.

    The setting is the process's: other threads of the program see it too while the block runs.

    Parameters
    ----------
    n : int
        At least 1.

    Yields
    ------
    None

    Raises
    ------
    ValueError
        If `n` is less than 1.
    TypeError
        If `n` is not an integer.

    Examples
    --------
    >>> import rnnfast
    >>> with rnnfast.num_threads(1):
    ...     rnnfast.get_num_threads()
    1
    """
    before = _core.chosen_threads()
    set_num_threads(n)
    try:
        yield
    finally:
        _core.choose_threads(before)
