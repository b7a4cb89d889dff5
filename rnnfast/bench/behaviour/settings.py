"""A call under other settings than it would have: another plan, another number of threads."""

from __future__ import annotations

from typing import Any

from rnnfast import _threads
from rnnfast.testing.plans import forced_plan

from ..timing import Call

__all__ = ["under_plan", "with_threads"]


def under_plan(call: Call, **forced: Any) -> Call:
    """Return the call under a plan that is forced in part.

    Parameters
    ----------
    call : callable
        What is timed.
    **forced
        What `forced_plan` takes.

    Returns
    -------
    callable
    """

    def run() -> Any:
        with forced_plan(**forced):
            return call()

    return run


def with_threads(call: Call, threads: int) -> Call:
    """Return the call with another number of threads asked for.

    Parameters
    ----------
    call : callable
        What is timed.
    threads : int
        What `rnnfast.set_num_threads` takes.

    Returns
    -------
    callable
    """

    def run() -> Any:
        with _threads.num_threads(threads):
            return call()

    return run
