"""Disturbed times: what disturbs is there when it should be, and gone after; bounds can fail."""

import os
import subprocess
import sys
from contextlib import contextmanager
from itertools import cycle
from time import monotonic, perf_counter, sleep

import pytest

from rnnfast import get_num_threads, num_threads
from rnnfast.bench import Case, Ours, Shape
from rnnfast.bench.agreement import Disagreement
from rnnfast.bench.behaviour import busy_cores, callers, disturbances, pools, threads
from rnnfast.bench.behaviour.disturbances import ONE_THREAD, Times, beside_its_bound
from rnnfast.bench.peers import Job

needs_affinity = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="no affinity on this system"
)


class Twin(Ours):
    name = "twin"


class WrongTwin(Ours):
    name = "wrong twin"

    def prepare(self, case, inputs):
        job = super().prepare(case, inputs)
        return Job(job.call, lambda out: {name: 2 * a for name, a in job.results(out).items()})


@pytest.fixture
def timed(monkeypatch):
    """Run the looks on a small case beside a twin, with turns of these lengths over and over."""

    def with_turns(*seconds, peer=Twin):
        turns = cycle(seconds)

        def take_turn(call):
            call()
            return [next(turns)]

        small = (Case("inference", "lstm", Shape(3, 2, 5, 7)),)
        for module in (busy_cores, callers, pools, threads):
            monkeypatch.setattr(module, "CASES", small)
        for module in (callers, disturbances, threads):
            monkeypatch.setattr(module, "installed_peers", lambda threads: [peer(1)])
        monkeypatch.setattr(disturbances, "take_turn", take_turn)
        return Ours(1)

    with num_threads(get_num_threads()):
        yield with_turns


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@needs_affinity
@pytest.mark.parametrize("how", [KeyboardInterrupt, ValueError, None])
def test_busy_processes_are_gone_whatever_happens(how):
    processes = []
    try:
        with busy_cores.busy_processes(os.sched_getaffinity(0)) as processes:
            assert len(processes) == len(os.sched_getaffinity(0))
            assert all(process.poll() is None for process in processes)
            if how:
                raise how
    except (KeyboardInterrupt, ValueError):
        pass
    assert all(process.poll() is not None for process in processes)


@needs_affinity
@pytest.mark.timing
def test_a_busy_process_is_busy_on_its_core():
    core = max(os.sched_getaffinity(0))
    with busy_cores.busy_processes({core}) as (process,):
        assert os.sched_getaffinity(process.pid) == {core}
        before = os.times().children_user
        sleep(0.3)
    assert os.times().children_user - before > 0.05


@needs_affinity
def test_a_busy_process_ends_with_its_parent():
    program = f"""
import os, sys
sys.path[:0] = {sys.path!r}
from rnnfast.bench.behaviour import busy_cores
with busy_cores.busy_processes({{min(os.sched_getaffinity(0))}}) as (process,):
    print(process.pid, flush=True)
    os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    end = monotonic() + 30
    while not gone(int(done.stdout)):
        assert monotonic() < end
        sleep(0.05)


def test_something_disturbs_half_of_the_turns(monkeypatch):
    monkeypatch.setattr(disturbances, "_SETTLES_WITHIN", 0.0)
    present, seen = [], []

    @contextmanager
    def somebody():
        present.append(1)
        yield
        present.pop()

    def call():
        seen.append(bool(present))

    def turn(call):
        call()
        return 1.0

    disturbances.time_disturbed({"a": call, "b": call}, 2, somebody, turn)
    alone = [there for there in seen if not there]
    assert len(alone) > 4  # samples of real turns
    assert [there for there in seen if there] == [True] * 4


@needs_affinity
def test_beside_busy_cores(timed):
    # In the order of turns: alone, then disturbed; rnnfast, its twin, one thread.
    ours = timed(1, 1, 1.5, 3, 2, 2.4)
    peer, single = busy_cores.beside_busy_cores(ours, rounds=2)
    assert (peer.measured, peer.bound, peer.holds) == (1.5, 1.0, False)
    assert "time / twin's" in peer.about
    assert "alone: rnnfast 3, twin 2, one thread 1.6" in peer.about
    assert (single.measured, single.bound, single.holds) == (1.25, 1.2, False)


@needs_affinity
def test_beside_one_busy_core(timed):
    (found,) = busy_cores.beside_a_busy_core(timed(1, 1, 1.5, 3, 2, 1.6), rounds=1)
    assert (found.measured, found.holds) == (3 / 1.6, False)


def test_the_larger_of_two_bounds_counts():
    def at(beside, one_thread):
        times = Times({"a": 1.0, ONE_THREAD: 1.0}, {"a": beside, ONE_THREAD: one_thread})
        return beside_its_bound("", "a", times, 1.5).measured

    assert at(3.0, 1.0) == 2.0
    assert at(3.0, 3.0) == 1.0


def test_a_spinning_pool_runs_between_the_calls_that_are_timed(monkeypatch):
    order = []
    monkeypatch.setattr(pools, "_TURN", 0.0)

    def spin():
        order.append("spin")
        sleep(0.05)

    mean = pools.mean_after(spin, lambda: order.append("call"))
    assert order == ["call", *["spin", "call"] * 3]
    assert mean < 0.05


def test_a_pool_that_rests_does_not_disturb():
    with pytest.raises(RuntimeError, match="nothing disturbs"):
        pools.require_spinning(lambda: None)


def test_more_threads_than_cores(timed):
    # As many: rnnfast, twin; twice: rnnfast, twin; forced.
    asked, forced = threads.more_threads_than_cores(timed(1, 1, 1.4, 2, 1.2), rounds=1)
    assert (asked.measured, asked.bound, asked.holds) == (1.4, 1.3, False)
    assert asked.about.endswith("; twin 2")
    assert (forced.measured, forced.bound, forced.holds) == (1.2, 1.3, True)


def test_callers_at_once(timed, monkeypatch):
    monkeypatch.setattr(callers, "take_turn", lambda call: [1.0])
    # One after the other and at once: rnnfast, then its twin.
    (found,) = callers.callers_at_once(timed(2, 3, 1, 4), rounds=1)
    assert (found.measured, found.bound, found.holds) == (1.5, 1.3, False)
    assert found.about.endswith("; twin 4")


def test_callers_do_call_at_once():
    with callers.ThreadPoolExecutor(4) as pool:
        begin = perf_counter()
        callers._all_at_once(pool, [lambda: sleep(0.2)] * 4)
        assert perf_counter() - begin < 0.7
        with pytest.raises(ZeroDivisionError):
            callers._all_at_once(pool, [lambda: 1 / 0])


@pytest.mark.parametrize("look", [busy_cores.beside_a_busy_core, threads.more_threads_than_cores])
def test_wrong_answers_are_not_timed_disturbed(timed, look):
    with pytest.raises(Disagreement, match="wrong twin"):
        look(timed(1, peer=WrongTwin), rounds=1)


def test_wrong_answers_of_callers_are_not_timed(timed):
    with pytest.raises(Disagreement, match="wrong twin"):
        callers.callers_at_once(timed(1, peer=WrongTwin), rounds=1)
