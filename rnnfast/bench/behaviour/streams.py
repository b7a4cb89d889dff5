"""Streams: a session's step beside onnxruntime's, how even its steps are, a pool beside sessions.

onnxruntime runs one step with inputs and outputs bound to memory, as a stream would; either has one
thread. A step that asks nothing of the system is as long as any other: of a million, one in a
hundred may take half as long again. A pool reads weights once for all of its sessions: its bound is
the rate of multiplications, that of a session by itself the rate at which weights come from L2, and
the one is some four times as far away as the other (bench/NOTES.md). Shorter weights are multiplied
two or four at a time, where the processor can.
"""

from __future__ import annotations

import gc
from functools import partial
from time import perf_counter_ns

import numpy as np

from rnnfast.serving import Model, load
from rnnfast.testing.cells import Arguments, is_weight
from rnnfast.weights import StackWeights

from ..agreement import require_agreement
from ..cases import Case, Shape
from ..peers import Ours, Unable
from ..peers.onnxruntime import OnnxRuntime
from ..timing import Call
from .int8 import AGREEMENT
from .ratios import BoundedRatio, medians

__all__ = ["beside_onnxruntimes_steps", "even_steps", "pool_beside_sessions"]

_CELLS = ("lstm", "gru")
_STEPS = 1_000_000
_SESSIONS = 64
_OF_SHORTER = {"bfloat16": 4.5, "int8": 7.0}  # with BF16 and VNNI


def beside_onnxruntimes_steps(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare a step of a session with onnxruntime's, on one thread.

    Parameters
    ----------
    ours : Ours
        rnnfast.
    rounds : int
        Turns of each.

    Returns
    -------
    list of BoundedRatio
        None if onnxruntime is not installed.
    """
    try:
        peer = OnnxRuntime(1)
    except Unable:
        return []
    found = []
    for cell in _CELLS:
        case, inputs = _case(cell, 64)
        theirs = peer.prepare(case, inputs)
        session, x, out = _model(case, inputs).session(), inputs["x"][0, 0], np.empty(64, "f")
        states = tuple(inputs[state][0] for state in case.cell.states)
        session.reset(states if len(states) == 2 else states[0])
        own = {"h_n": session.step(x, out=out)[None]}
        named = theirs.results(theirs.call())
        require_agreement(peer.name, inputs, own, {"h_n": named["h_n"]})
        times = medians({"own": partial(session.step, x, out), "theirs": theirs.call}, rounds)
        about = f"onnxruntime's time / a session's, step {cell} H=64 ({times['own'] * 1e6:.2f} us)"
        found.append(BoundedRatio(about, times["theirs"] / times["own"], "at least", 4.5))
    return found


def even_steps(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare the slow steps of a million with the median one.

    Parameters
    ----------
    ours : Ours
        rnnfast.
    rounds : int
        Not looked at: a million steps are enough.

    Returns
    -------
    list of BoundedRatio
    """
    found = []
    for cell in _CELLS:
        case, inputs = _case(cell, 64)
        step, x, out = _model(case, inputs).session().step, inputs["x"][0, 0], np.empty(64, "f")
        nanoseconds = np.empty(_STEPS, np.int64)
        gc.disable()
        try:
            for i in range(_STEPS):
                begin = perf_counter_ns()
                step(x, out)
                nanoseconds[i] = perf_counter_ns() - begin
        finally:
            gc.enable()
        median, slow = np.percentile(nanoseconds, [50, 99])
        about = f"99th percentile / median of a million steps, {cell} H=64"
        found.append(BoundedRatio(about, slow / median, "at most", 1.5))
    return found


def pool_beside_sessions(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare a step of a pool with steps of as many sessions, and of onnxruntime.

    Parameters
    ----------
    ours : Ours
        rnnfast.
    rounds : int
        Turns of each.

    Returns
    -------
    list of BoundedRatio
        Without onnxruntime's if it is not installed.
    """
    found = []
    for cell in _CELLS:
        case, inputs = _case(cell, 128)
        model, x, out = _model(case, inputs), inputs["x"][0, 0], np.empty(128, "f")
        pool, session = model.pool(_SESSIONS), model.session()
        ids = np.array([pool.open() for _ in range(_SESSIONS)])
        rows, outs = np.tile(x, (_SESSIONS, 1)), np.empty((_SESSIONS, 128), "f")
        if not np.array_equal(pool.step(ids, rows, outs)[-1], session.step(x)):
            raise RuntimeError("a session in a pool gives other bits than one by itself")
        calls: dict[str, Call] = {
            "pool": partial(pool.step, ids, rows, outs),
            "sessions'": partial(session.step, x, out),
        }
        bounds = {"sessions'": 3.0}
        try:
            calls["onnxruntime's"] = OnnxRuntime(1).prepare(case, inputs).call
            bounds["onnxruntime's"] = 6.0
        except Unable:
            pass
        for precision in _OF_SHORTER:
            shorter = _model(case, inputs, precision).pool(_SESSIONS)
            own = np.array([shorter.open() for _ in range(_SESSIONS)])
            error = np.abs(shorter.step(own, rows) - outs).max()
            if not error <= AGREEMENT:
                raise RuntimeError(f"a pool in {precision} differs from float32 by {error}")
            calls[precision] = partial(shorter.step, own, rows, outs)
        times = medians(calls, rounds)
        for name, bound in bounds.items():
            about = f"{name} 64 steps / a pool's, {cell} H=128 ({times['pool'] * 1e6:.0f} us)"
            ratio = _SESSIONS * times[name] / times["pool"]
            found.append(BoundedRatio(about, ratio, "at least", bound))
        for precision, bound in _OF_SHORTER.items():
            about = (
                f"sessions' 64 steps in float32 / a pool's in {precision}, {cell} H=128 "
                f"({times[precision] * 1e6:.0f} us)"
            )
            ratio = _SESSIONS * times["sessions'"] / times[precision]
            found.append(BoundedRatio(about, ratio, "at least", bound))
    return found


def _case(cell: str, H: int) -> tuple[Case, Arguments]:
    case = Case("step", cell, Shape(1, 1, H, H))
    return case, case.inputs()


def _model(case: Case, inputs: Arguments, precision: str | None = None) -> Model:
    weights = {name: array for name, array in inputs.items() if is_weight(name)}
    return load(StackWeights(case.cell.function, **weights, **case.cell.options), precision)
