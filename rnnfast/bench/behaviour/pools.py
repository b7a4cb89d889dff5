"""Beside other pools of threads in the process: torch's at rest, and onnxruntime's at a spin."""

from __future__ import annotations

from functools import partial
from time import perf_counter, process_time, sleep

from ..cases import Case, Shape
from ..peers import Ours, Unable
from ..peers.onnxruntime import OnnxRuntime
from ..peers.peer import import_host
from ..timing import Call, wait_until_quiet
from .disturbances import CASES, beside_its_bound, contestants, time_disturbed
from .ratios import BoundedRatio, medians

__all__ = ["beside_a_spinning_pool", "beside_torchs_pool"]

_AT_REST = (
    Case("training", "lstm", Shape.of("50/64/512")),
    Case("training", "lstm", Shape.of("100/32/128")),
    Case("inference", "lstm", Shape.of("100/1/512")),
)
_SPINNING = Case("inference", "lstm", Shape.of("2/16/64"))  # small, to leave the caches alone
_OF_ALONE = 1.3
_TURN = 0.05  # seconds of disturbed calls, or _CALLS calls if these take longer
_CALLS = 3
_WATCHED = 0.012  # seconds: systems count those of a thread by ticks of some milliseconds


def beside_torchs_pool(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare times before and after torch has started its threads.

    Parameters
    ----------
    ours : Ours
        rnnfast.
    rounds : int
        Turns of each.

    Returns
    -------
    list of BoundedRatio
        None if torch is not installed.
    """
    calls = {str(case): ours.prepare(case, case.inputs()).call for case in _AT_REST}
    before = medians(calls, rounds)
    try:
        torch = import_host("torch")
    except Unable:
        return []
    torch.set_num_threads(ours.threads)
    matrix = torch.ones(1000, 1000)
    (matrix @ matrix).sum()
    after = medians(calls, rounds)
    ratios = {name: after[name] / before[name] for name in calls}
    return [
        BoundedRatio(f"time with torch's pool / without, {name}", ratio, "at most", 1.1)
        for name, ratio in ratios.items()
    ]


def beside_a_spinning_pool(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare calls alone with calls that each follow one of onnxruntime.

    Its threads go on spinning in wait of more, for longer than the calls that are timed.

    Parameters
    ----------
    ours : Ours
        rnnfast.
    rounds : int
        Turns of each.

    Returns
    -------
    list of BoundedRatio
        None if onnxruntime is not installed, or its pool would have a single thread.

    Raises
    ------
    RuntimeError
        If its threads do not spin: nothing disturbs then.
    """
    if ours.threads == 1:
        return []
    try:
        spin = OnnxRuntime(ours.threads).prepare(_SPINNING, _SPINNING.inputs()).call
    except Unable:
        return []
    require_spinning(spin)
    found = []
    for case in CASES:
        calls = contestants(case, ours)
        calls.pop(OnnxRuntime.name, None)  # a pool does not disturb its own kind
        times = time_disturbed(calls, rounds, turn=partial(mean_after, spin))
        about = f"beside a spinning pool, {case}"
        found.append(beside_its_bound(about, ours.name, times, _OF_ALONE))
    return found


def mean_after(disturbance: Call, call: Call) -> float:
    """Time calls that each follow one that leaves threads spinning.

    Parameters
    ----------
    disturbance : callable
        Called before each, not timed.
    call : callable
        What is timed.

    Returns
    -------
    float
        Seconds a call, over all calls of a turn.
    """
    wait_until_quiet()
    call()
    calls, elapsed = 0, 0.0
    while elapsed < _TURN or calls < _CALLS:
        disturbance()
        begin = perf_counter()
        call()
        elapsed += perf_counter() - begin
        calls += 1
    return elapsed / calls


def require_spinning(call: Call) -> None:
    """Make sure that threads of this process go on running after a call.

    Parameters
    ----------
    call : callable
        What should leave them spinning.

    Raises
    ------
    RuntimeError
        If they rest.
    """
    wait_until_quiet()
    for _ in range(_CALLS):
        call()
    used, begin = process_time(), perf_counter()
    sleep(_WATCHED)
    if process_time() - used < 0.5 * (perf_counter() - begin):
        raise RuntimeError("no thread of onnxruntime spins after its call: nothing disturbs")
