"""Whole models one step at a time: that they are looked at, not how fast they are."""

from rnnfast.bench import Ours
from rnnfast.bench.behaviour import served_models


def test_a_session_is_held_beside_what_it_is_made_of(monkeypatch):
    times = {"floor": 2e-6, "session": 8e-6, "predict": 1e-4}

    def medians(calls, rounds):
        shapes = {name: call().shape for name, call in calls.items()}
        assert shapes == dict.fromkeys(times, (1, 8))
        return times

    monkeypatch.setattr(served_models, "medians", medians)
    found = served_models.beside_their_kernels(Ours(1), rounds=1)
    assert [(round(one.measured, 6), one.holds) for one in found] == [
        (8.0, True),
        (4.0, True),
        (12.5, True),
    ]
