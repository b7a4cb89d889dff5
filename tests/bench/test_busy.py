"""A machine with something else to do is noticed, by any of three signs."""

import os

import pytest

from rnnfast.bench import Case, Shape, busy
from rnnfast.bench.behaviour.busy_cores import busy_processes
from rnnfast.bench.results import Entry, Row
from rnnfast.bench.timing import Spread

EVEN = Spread(1.0, 1.0, 1.0)
WIDE = Spread(0.7, 1.0, 1.3)
NEAR, FAR, HELD_UP = (Spread(t, t, t) for t in (58e-9, 350e-9, 8e-6))


def row(taken=0.0, meeting=NEAR, ratio=EVEN, seconds=EVEN) -> Row:
    entries = {"rnnfast": Entry(seconds, EVEN), "torch": Entry(EVEN, ratio)}
    case = Case("inference", "lstm", Shape(3, 2, 5, 7))
    return Row(case, entries, {}, 1.0, 0.5, meeting, taken)


@pytest.mark.parametrize(
    ("measured", "wanted"),
    [
        (row(), []),
        (row(taken=None), []),
        (row(taken=0.1), []),
        (row(taken=1.25), ["others took 1.2 cores"]),
        (row(meeting=FAR), []),
        (row(meeting=HELD_UP), ["threads met in 8000 ns"]),
        (row(seconds=WIDE), ["rnnfast ± 30%"]),
        (row(ratio=WIDE), ["torch ± 30%"]),
        (row(taken=0.5, meeting=HELD_UP), ["others took 0.5 cores", "threads met in 8000 ns"]),
    ],
)
def test_signs(measured, wanted):
    assert busy.signs(measured, threads=2) == wanted


def test_one_thread_meets_nobody():
    assert busy.signs(row(meeting=HELD_UP), threads=1) == []


@pytest.fixture
def readings(monkeypatch):
    """Let a second pass between two readings on a machine of four cores."""

    def between(everybody, own):
        begin = busy._Reading(10.0, 70.0, 5.0)
        given = [begin, busy._Reading(11.0, 70.0 + everybody, 5.0 + own)]
        monkeypatch.setattr(busy, "_read", lambda own: given.pop(0))
        monkeypatch.setattr(busy, "_cores", lambda: set(range(4)))

    return between


@pytest.mark.parametrize(
    ("everybody", "own", "threads", "taken"),
    [
        (2.0, 2.0, 2, 0.0),  # all of it is ours
        (4.0, 2.0, 2, 0.0),  # two others, and two cores for them
        (4.0, 1.0, 2, 1.0),
        (4.0, 2.5, 4, 1.5),
        (1.9, 2.0, 2, 0.0),  # clocks disagree
    ],
)
def test_what_others_take_is_what_we_lack(readings, everybody, own, threads, taken):
    readings(everybody, own)
    assert busy.OtherWork(threads).taken() == pytest.approx(taken)


def test_a_look_tells_what_is_taken(readings, monkeypatch):
    monkeypatch.setattr(busy, "sleep", lambda seconds: None)
    readings(3.0, 0.0)
    assert busy.take_a_look(threads=3) == "others took 2.0 cores"
    readings(1.0, 0.0)
    assert busy.take_a_look(threads=3) is None


def test_a_system_without_counters_says_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(busy, "_STAT", tmp_path / "none")
    assert busy.OtherWork(2).taken() is None


@pytest.mark.timing
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_busy_processes_are_noticed():
    cores = os.sched_getaffinity(0)
    with busy_processes(cores):
        assert busy.take_a_look(len(cores)) is not None
