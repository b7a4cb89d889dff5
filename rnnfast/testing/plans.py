"""Force the plan of the calls made by this thread, and see which plan was taken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from rnnfast import _core

__all__ = ["forced_plan", "last_plan"]


@contextmanager
def forced_plan(
    *,
    partition: Literal["rows", "units"] | None = None,
    chunk: int | None = None,
    threads: int | None = None,
    interleaves_input: bool | None = None,
    pipelines: bool | None = None,
    helpers: int | None = None,
) -> Iterator[None]:
    """Override parts of the plan inside a ``with`` block; not to be nested.

    Where any is given, the plan goes by the settings alone, however busy the machine is.

    Parameters
    ----------
    partition : {"rows", "units"}, optional
        What each thread owns; the plan's own choice when absent.
    chunk : int, optional
        Time steps whose input product is computed at once, at most; the plan's own choice when
        absent. The plan may even chunks out, and the backward pass rounds them up to whole
        blocks of the weight gradients.
    threads : int, optional
        Shares of the plan, whatever the work and the number of cores; the plan's own choice when
        absent.
    interleaves_input : bool, optional
        Whether the input product of later steps is made beside the recurrent product of earlier
        ones, where that is possible: for one row, in cells of one phase, in chunks of 20 steps or
        more, unless threads own rows. The plan's own choice when absent.
    pipelines : bool, optional
        Whether layers, or directions, run at once, each on one thread, `chunk` steps behind each
        other, where that is possible: unless threads own rows, or numbers drop out between layers.
        The plan's own choice when absent.
    helpers : int, optional
        Threads beside the caller that calls get at most, whatever the plan counts on. All that
        there are when absent.
    """
    _core.force_plan(partition, chunk, threads, interleaves_input, pipelines, helpers)
    try:
        yield
    finally:
        _core.force_plan(None, None, None, None, None, None)


def last_plan() -> dict[str, Any]:
    """Return the plan that the last call made by this thread has followed.

    Returns
    -------
    dict
        ``partition`` is "rows", "units", or "one" for a team of one; ``threads``; ``chunk``,
        ``delta_chunk`` and ``block`` in time steps; ``interleaves_input``; ``pipelines``, whether
        layers or directions ran at once, and then ``workers``, on how many threads, the others
        telling of the first layer.
    """
    return _core.last_plan()
