"""Whatever team comes to a call, it ends with the same bits: none, one too few, others' threads."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from itertools import product
from typing import Any

import numpy as np
import pytest

import rnnfast
from rnnfast.testing.bits import digest
from rnnfast.testing.cells import CELLS, Cell
from rnnfast.testing.plans import forced_plan, last_plan
from rnnfast.testing.random import Problem

every_cell = pytest.mark.parametrize("cell", CELLS, ids=str)
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")

T, B, I, H = 30, 9, 5, 21  # noqa: E741
LENGTHS = np.array([30, 1, 17, 0, 30, 9, 22, 3, 28])
SHARES, HELPERS = (1, 2, 3, 4), (0, 1, 2, 3)

# Programs in a process of their own begin with this.
PROBLEM = """
import os, signal, sys, threading, time, warnings
import numpy as np
import rnnfast
from rnnfast.testing.bits import digest
from rnnfast.testing.plans import forced_plan

warnings.simplefilter("ignore", DeprecationWarning)  # of forking a process that has threads
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
rng = np.random.default_rng(0)

def weights(cell, I, H):
    G = {"lstm": 4, "gru": 3, "rnn": 1}[cell]
    shapes = [(G * H, I), (G * H, H), (G * H,), (G * H,)]
    return [(0.2 * rng.standard_normal(s)).astype(np.float32) for s in shapes]

T, B, I, H = 60, 16, 24, 40
x = rng.standard_normal((T, B, I)).astype(np.float32)
w = weights("lstm", I, H)
lengths = rng.integers(0, T + 1, B)
lengths[0] = T

def gradients(**options):
    out, pullback = rnnfast.lstm_vjp(x, *w, **options)
    return digest([*out, *pullback(dy=np.ones_like(out.y))])
"""


def run(program: str, *arguments: str, **environment: str) -> str:
    """What a program prints, which must end well and without a word."""
    done = subprocess.run(
        [sys.executable, "-c", PROBLEM + program, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, ""), f"{done.returncode}: {done.stderr[-2000:]}"
    return done.stdout.strip()


def arguments_of(cell: Cell, **sizes: int) -> tuple[dict[str, Any], dict[str, Any]]:
    rng = np.random.default_rng(1)
    problem = Problem(cell, np.float32, **{"T": T, "B": B, "I": I, "H": H, **sizes})
    arguments = {**problem.arguments(rng), "lengths": LENGTHS}
    return arguments, problem.cotangents(rng)


@every_cell
def test_any_team_under_any_plan(cell: Cell) -> None:
    arguments, cotangents = arguments_of(cell)
    found = set()
    for partition, shares, helpers in product(cell.partitions, SHARES, HELPERS):
        with forced_plan(partition=partition, threads=shares, helpers=helpers):
            plain = cell.forward(arguments)
            out, pullback = cell.vjp(arguments)
            saved = [*out, *pullback(**cotangents)]
            out, pullback = cell.vjp({**arguments, "checkpoint": True})
            again = [*out, *pullback(**cotangents)]
        found |= {digest([*plain, *saved]), digest([*plain, *again])}
    assert len(found) == 1


@pytest.mark.parametrize("directions", [1, 2])
def test_any_team_under_any_plan_of_layers(directions: int) -> None:
    rng = np.random.default_rng(1)
    layers, width = 3, directions * H

    def weights(columns: int | None) -> list:
        shapes = [
            (4 * H, *(() if columns is None else (columns or (I if i < directions else width),)))
            for i in range(layers * directions)
        ]
        return [0.2 * rng.standard_normal(shape) for shape in shapes]

    x, arguments = rng.standard_normal((T, B, I)), (weights(0), weights(H), weights(None))
    dy = rng.standard_normal((T, B, width))
    found = set()
    # What is planned for a pass of one layer by several threads is run by one in a pipeline.
    plans = product((None, "rows", "units"), (False, True), SHARES, HELPERS)
    for partition, pipelines, shares, helpers in plans:
        options = {"threads": shares, "helpers": helpers, "pipelines": pipelines}
        with forced_plan(partition=partition, **options):
            options = {"bidirectional": directions == 2, "lengths": LENGTHS}
            plain = rnnfast.lstm(x, *arguments, **options)
            out, pullback = rnnfast.lstm_vjp(x, *arguments, **options)
            if pipelines and partition == "units" and shares > 1:
                assert last_plan()["pipelines"]
            grads = pullback(dy=dy)
        parts: list = []
        for gradient in grads:
            parts += gradient if isinstance(gradient, list) else [gradient]
        found.add(digest([*plain, *out, *parts]))
    assert len(found) == 1


@pytest.mark.parametrize(
    "setting",
    [
        {"OMP_THREAD_LIMIT": "1"},
        {"OMP_DYNAMIC": "true"},
        {"OMP_MAX_ACTIVE_LEVELS": "0"},
        {"OMP_NUM_THREADS": "1"},
        {"OMP_NUM_THREADS": "7"},
    ],
    ids=lambda setting: "=".join(next(iter(setting.items()))),
)
def test_openmps_settings_change_no_bit(setting: dict[str, str]) -> None:
    program = "print(*(gradients(lengths=lengths, reverse=r) for r in (False, True)))"
    assert run(program, **setting) == run(program)


def test_openmps_number_of_threads_counts() -> None:
    program = """
before = len(os.listdir("/proc/self/task")) if sys.platform == "linux" else 0
with forced_plan(helpers=8):
    gradients()
print(rnnfast.get_num_threads())
rnnfast.set_num_threads(10**6)
print(rnnfast.get_num_threads())
"""
    cores = rnnfast.show_config(mode="dicts")["available_threads"]
    assert run(program, OMP_NUM_THREADS="1").split() == ["1", str(cores)]
    assert run(program, OMP_THREAD_LIMIT="1").split() == ["1", str(cores)]


def test_threadpoolctl_limits_calls() -> None:
    program = """
import threadpoolctl
before = rnnfast.get_num_threads()
with threadpoolctl.threadpool_limits(1):
    print(rnnfast.get_num_threads())
assert rnnfast.get_num_threads() == before
with threadpoolctl.threadpool_limits(1), rnnfast.num_threads(before):
    print(rnnfast.get_num_threads() == before)
"""
    assert run(program).split() == ["1", "True"]


def test_many_callers_share_one_pool() -> None:
    """Neither a pool for each thread that has called, nor a wrong bit when all call at once."""
    program = """
def threads():
    return len(os.listdir("/proc/self/task"))

want, others = gradients(lengths=lengths), []
at_once = threading.Barrier(16)

def call():
    at_once.wait()
    for _ in range(5):
        others.append(gradients(lengths=lengths))
    at_once.wait()
    others.append(threads() if sys.platform == "linux" else 16)
    at_once.wait()

callers = [threading.Thread(target=call) for _ in range(16)]
before = threads() if sys.platform == "linux" else 0
for caller in callers: caller.start()
for caller in callers: caller.join()
digests = {found for found in others if isinstance(found, str)}
assert digests == {want}, digests
print(max(found for found in others if isinstance(found, int)) - before - len(callers))
"""
    cores = rnnfast.show_config(mode="dicts")["available_threads"]
    assert int(run(program, OPENBLAS_NUM_THREADS="1")) < cores


# --- processes ------------------------------------------------------------------------------------

FORK = """
def child(work):
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if work() else 3)
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(4)
    for _ in range(3000):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    return "hangs"
"""


@forks
@pytest.mark.parametrize("partition", ["rows", "units"])
def test_forked_processes_compute(partition: str) -> None:
    """Children and grandchildren, on a team of their own; with what was made before."""
    program = f"""
with forced_plan(partition={partition!r}, threads=2):
    want = gradients(lengths=lengths)
    out, pullback = rnnfast.lstm_vjp(x, *w, lengths=lengths)
    cell = rnnfast.prepack("lstm", *w)
    want_pulled = digest(pullback(dy=np.ones_like(out.y)))
    want_packed = digest(cell(x, lengths=lengths))

    def everything():
        return (
            gradients(lengths=lengths) == want
            and digest(pullback(dy=np.ones_like(out.y))) == want_pulled
            and digest(cell(x, lengths=lengths)) == want_packed
        )

    assert child(everything) == 0
    assert child(lambda: everything() and child(everything) == 0 and everything()) == 0
    assert everything()
"""
    run(FORK + program)


@forks
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="not glibc")
def test_a_process_forked_after_somebody_elses_openmp_computes() -> None:
    """Of OpenMP's threads none are left in a child, whoever has started them."""
    program = """
import ctypes
nothing = ctypes.cast(ctypes.CDLL(None).getpid, ctypes.c_void_p)
ctypes.CDLL("libgomp.so.1").GOMP_parallel(nothing, None, 2, 0)
with forced_plan(threads=2):
    assert child(lambda: np.isfinite(rnnfast.lstm(x, *w).y).all()) == 0
"""
    run(FORK + program)


@forks
def test_forks_at_any_moment() -> None:
    """While another thread is in a call."""
    program = """
want, stop = gradients(lengths=lengths), False

def calls():
    while not stop:
        gradients(lengths=lengths)

thread = threading.Thread(target=calls)
thread.start()
try:
    for _ in range(40):
        time.sleep(0.001 * rng.random())
        assert child(lambda: gradients(lengths=lengths) == want) == 0
finally:
    stop = True
    thread.join()
"""
    run(FORK + program)


@forks
@pytest.mark.slow
def test_a_signal_handler_may_fork_within_a_call() -> None:
    """The child cannot go on with the call of its parent, and says so."""
    program = """
long = np.broadcast_to(x[:1], (200_000, B, I))
forked = []

def handler(*_):
    if not forked:
        forked.append(os.fork())

signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.2)
with forced_plan(partition="units", threads=2):
    try:
        y, h, c = rnnfast.lstm(long, *w)
    except RuntimeError as error:
        assert forked == [0] and "forked" in str(error)
        os._exit(0 if gradients() else 1)
assert forked and forked[0] > 0
assert os.waitstatus_to_exitcode(os.waitpid(forked[0], 0)[1]) == 0
"""
    run(program)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="not glibc")
def test_no_thread_can_be_started(tmp_path) -> None:
    """Calls do without, and the process lives."""
    import shutil

    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    source, shim = tmp_path / "none.c", tmp_path / "none.so"
    source.write_text("#include <errno.h>\nint pthread_create(void) { return EAGAIN; }\n")
    subprocess.run([compiler, "-shared", "-fPIC", str(source), "-o", str(shim)], check=True)
    program = "with forced_plan(threads=3): print(gradients(lengths=lengths))"
    before = os.environ.get("LD_PRELOAD", "")
    refused = run(program, LD_PRELOAD=f"{before}:{shim}", OPENBLAS_NUM_THREADS="1")
    assert refused == run(program)


def test_a_daemon_thread_in_a_call_does_not_keep_a_process_from_ending() -> None:
    program = """
inside = threading.Event()

def forever():
    while True:
        inside.set()
        gradients()

for _ in range(3):
    threading.Thread(target=forever, daemon=True).start()
inside.wait()
time.sleep(0.02)
"""
    for _ in range(5):
        run(program)


# --- interrupts -----------------------------------------------------------------------------------

INTERRUPT = """
from collections import Counter

# Calls of a second and more, in which nothing but the kernel runs.
many = np.broadcast_to(x[:1], (150_000, B, I))
calls = {
    "forward": lambda: rnnfast.lstm(many, *w),
    "saving": lambda: rnnfast.lstm_vjp(many[:60_000], *w),
    "checkpoints": lambda: rnnfast.lstm_vjp(many, *w, checkpoint=True),
    "layers": lambda: rnnfast.lstm(many, *([a, b] for a, b in zip(w, weights("lstm", H, H)))),
    "noise": lambda: rnnfast.lstm(many, *w, input_dropout=0.1, zoneout=(0.1, 0.1), seed=1),
}

def interrupted(call, after):
    sent = []
    def send():
        time.sleep(after)
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)
    sender = threading.Thread(target=send)
    sender.start()
    try:
        while True:
            call()
    except KeyboardInterrupt:
        took = time.perf_counter() - sent[0]
    sender.join()
    return took
"""


@pytest.mark.slow
def test_a_signal_ends_any_call_soon() -> None:
    """Also a backward pass; and the next call is as ever."""
    program = """
want = gradients(lengths=lengths)
out, pullback = rnnfast.lstm_vjp(many[:60_000], *w)
dy = np.ones_like(out.y)
calls["backward"] = lambda: pullback(dy=dy)
of_samples = rnnfast.lstm_vjp(many[:60_000], *w, per_sample=True)[1]
calls["by sample"] = lambda: of_samples(dy=dy)
logits, targets = np.tile(x[:, :2], (15_000, 1, 1)), np.ones((2, 500), int)
calls["ctc"] = lambda: rnnfast.ctc_loss(logits, targets)
for plan in ({"partition": "rows", "threads": 2}, {"partition": "units", "threads": 2},
             {"threads": 1}, {"pipelines": True, "threads": 2}):
    for name, call in calls.items():
        with forced_plan(**plan):
            took = []
            while len(took) < 6 and min(took, default=1) >= 0.4:  # others may be at work
                took.append(interrupted(call, 0.02 + 0.1 * rng.random()))
        print(name, plan, took)
        assert min(took) < 0.4, (name, plan, took)  # 0.2 on a machine of one's own
        assert gradients(lengths=lengths) == want
"""
    run(INTERRUPT + program)


def test_a_single_step_can_be_interrupted() -> None:
    """It is entered past pybind11, which would translate what ends it."""
    program = """
class Stop(Exception): pass

def handler(*_): raise Stop

cell, many = rnnfast.prepack("lstm", *w), np.broadcast_to(x[0, 0], (100_000, I)).copy()
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.2)
try:
    while True: cell.step(many)
except Stop:
    assert np.isfinite(cell.step(many)[0]).all()
"""
    run(program)


def test_a_handler_that_does_not_raise_ends_nothing() -> None:
    program = """
seen = []
half_of_tiny = np.array([np.finfo(np.float32).tiny / 2])
want = gradients()

def handler(*_):
    assert (half_of_tiny.astype(np.float32) * np.float32(0.5))[0] > 0  # Python's own mode
    assert gradients() == want  # a call within a call
    seen.append(1)

signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.05, 0.2)
long = np.broadcast_to(x[:1], (60_000, B, I))
y, h, c = rnnfast.lstm(long, *w)
signal.setitimer(signal.ITIMER_REAL, 0)
assert seen and np.isfinite(h).all()
"""
    run(program)


def test_signals_of_the_main_thread_do_not_end_others_calls() -> None:
    program = """
found = []
def work():
    found.append(digest(rnnfast.lstm(np.broadcast_to(x[:1], (30_000, B, I)), *w)))
want = digest(rnnfast.lstm(np.broadcast_to(x[:1], (30_000, B, I)), *w))
worker = threading.Thread(target=work)
worker.start()
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(10)
except KeyboardInterrupt:
    pass
worker.join()
assert found == [want]
"""
    run(program)


# --- the caller's floating-point mode -------------------------------------------------------------


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="not glibc")
@pytest.mark.parametrize("mode", ["upward", "downward", "toward zero", "trapping"])
def test_the_callers_floating_point_mode_changes_no_bit(mode: str) -> None:
    """And is as before afterwards, also where a call has failed."""
    program = """
import ctypes
libm = ctypes.CDLL("libm.so.6")
rounding = {"upward": 0x800, "downward": 0x400, "toward zero": 0xC00}.get(sys.argv[1], 0)
x[3, 0, 0], x[4, -1, 0] = np.nan, np.inf
plans = [{"threads": 1}, {"partition": "rows", "threads": 2}, {"partition": "units", "threads": 2}]
want = []
for plan in plans:
    with forced_plan(**plan):
        want.append(gradients())
    libm.fesetround(rounding)
    if not rounding:
        libm.feenableexcept(1 | 4 | 8)
    try:
        with forced_plan(**plan):
            out, pullback = rnnfast.lstm_vjp(x, *w)
            grads = pullback(dy=np.ones_like(out.y))
        try:
            rnnfast.lstm(np.lib.stride_tricks.as_strided(x, (2**41, 2**10, I), (0, 0, 4)), *w)
        except MemoryError:
            pass
        assert libm.fegetround() == rounding
    finally:
        libm.fesetround(0)
        libm.fedisableexcept(61)
    want.append(digest([*out, *grads]))
assert len(set(want)) == 1
tiny = np.finfo(np.float32).tiny
assert (np.array([tiny], np.float32) * np.float32(0.5))[0] > 0
"""
    import platform

    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("not an x86-64 machine")
    run(program, mode)


def test_callers_in_python_threads_get_the_same_bits() -> None:
    arguments, cotangents = arguments_of(CELLS[0])
    want = digest(CELLS[0].vjp(arguments)[1](**cotangents))
    found: list[str] = []

    def call() -> None:
        for _ in range(20):
            found.append(digest(CELLS[0].vjp(arguments)[1](**cotangents)))

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert set(found) == {want}
