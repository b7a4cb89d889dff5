"""Streams beside their bounds: that they are looked at, not how fast they are."""

import pytest

from rnnfast.bench import Ours
from rnnfast.bench.behaviour import streams
from rnnfast.bench.behaviour.__main__ import main


@pytest.fixture
def played(monkeypatch):
    """The names of the calls of each comparison; the first took a second, the next two."""
    seen = []

    def medians(calls, rounds):
        seen.append(list(calls))
        for call in calls.values():
            call()
        return {name: 1.0 + i for i, name in enumerate(calls)}

    monkeypatch.setattr(streams, "medians", medians)
    return seen


def test_a_session_is_held_beside_onnxruntime(played):
    pytest.importorskip("onnxruntime", reason="no package onnxruntime of the extra hosts")
    found = streams.beside_onnxruntimes_steps(Ours(1), rounds=1)
    assert played == [["own", "theirs"]] * 2
    assert [(ratio.measured, ratio.bound, ratio.holds) for ratio in found] == [(2, 4.5, False)] * 2


def test_a_pool_is_held_beside_sessions(played):
    found = streams.pool_beside_sessions(Ours(1), rounds=1)
    assert [calls[:2] for calls in played] == [["pool", "sessions'"]] * 2
    assert [calls[-2:] for calls in played] == [["bfloat16", "int8"]] * 2
    onnxruntimes = len(played[0]) == 5
    of_shorter = [128 / 4, 128 / 5] if onnxruntimes else [128 / 3, 128 / 4]
    of_each = [128, *[192] * onnxruntimes, *of_shorter]
    assert [ratio.measured for ratio in found] == 2 * of_each


def test_steps_are_timed_one_by_one(monkeypatch, capsys):
    monkeypatch.setattr(streams, "_STEPS", 200)
    main(["--only", "even-steps", "--threads", "1"])
    shown = capsys.readouterr().out
    assert shown.count("99th percentile / median of a million steps") == 2
