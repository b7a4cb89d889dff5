"""Turns and rounds, on a clock that only the contestants move."""

import gc

import pytest

from rnnfast.bench import timing
from rnnfast.bench.timing import Spread, play_rounds, spread, take_turn, wait_until_quiet


class Clock:
    """Wall and processor time of a process whose pool spins for a while after each call."""

    def __init__(self):
        self.wall = self.busy_until = self.processor = 0.0

    def sleep(self, seconds):
        self.processor += max(0.0, min(seconds, self.busy_until - self.wall))
        self.wall += seconds

    def call(self, seconds, spinning=0.0):
        self.wall += seconds
        self.processor += seconds
        self.busy_until = self.wall + spinning


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(timing, "perf_counter", lambda: clock.wall)
    monkeypatch.setattr(timing, "process_time", lambda: clock.processor)
    monkeypatch.setattr(timing, "sleep", clock.sleep)
    return clock


def test_quiet_is_when_no_thread_runs_any_more(clock):
    clock.call(0.001, spinning=0.1)
    wait_until_quiet()
    assert clock.busy_until <= clock.wall < clock.busy_until + 0.02


def test_a_thread_that_never_stops_is_an_error(clock):
    clock.call(0.001, spinning=1e9)
    with pytest.raises(TimeoutError, match="nothing else may run"):
        wait_until_quiet()


@pytest.mark.parametrize("seconds", [2e-6, 3e-4, 0.004, 0.2])
def test_a_turn_times_what_a_call_takes(clock, seconds):
    samples = take_turn(lambda: clock.call(seconds))
    assert len(samples) >= 3
    assert samples == pytest.approx([seconds] * len(samples))


def test_a_turn_begins_with_untimed_calls(clock):
    """The first calls, slow because all is cold, are in no sample."""
    first = clock.wall

    def call():
        clock.call(0.005 if clock.wall < first + 0.010 else 0.001)

    assert max(take_turn(call)) == pytest.approx(0.001)


def test_the_collector_is_off_only_while_the_clock_runs(clock):
    seen = set()

    def call():
        seen.add(gc.isenabled())
        clock.call(0.002)

    take_turn(call)
    assert seen == {True, False}
    assert gc.isenabled()


def test_rounds_take_turns_and_never_start_while_another_spins(clock):
    order = []

    def contestant(name, seconds):
        def call():
            if order[-1:] != [name]:
                assert clock.wall >= clock.busy_until
                order.append(name)
            clock.call(seconds, spinning=0.2)

        return call

    calls = {"a": contestant("a", 0.001), "b": contestant("b", 0.003), "c": contestant("c", 2e-5)}
    rounds = list(play_rounds(calls, rounds=3))
    assert order == ["a", "b", "c"] * 3
    for times in rounds:
        assert times == pytest.approx({"a": 0.001, "b": 0.003, "c": 2e-5})


def test_spread():
    assert spread([3.0]) == Spread(3, 3, 3)
    assert spread([5.0, 1.0, 3.0, 2.0, 4.0]) == Spread(2, 3, 4)
