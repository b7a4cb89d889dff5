"""Sparse weights beside dense ones: that they are looked at, not how fast they are."""

from rnnfast.bench import Ours
from rnnfast.bench.behaviour import sparse


def test_a_sparse_step_is_held_beside_a_dense_one(monkeypatch):
    seen = []

    def medians(calls, rounds):
        seen.append(list(calls))
        assert len({call().tobytes() for call in calls.values()}) == 1
        return {"dense": 9.0, "sparse": 2.0}

    monkeypatch.setattr(sparse, "medians", medians)
    monkeypatch.setattr(sparse, "_H", 32)
    found = sparse.beside_dense_weights(Ours(1), rounds=1)
    assert seen == [["dense", "sparse"]] * 6
    assert {ratio.measured for ratio in found} == {4.5}
    assert [ratio.bound for ratio in found] == [4.0, 3.0, 1.6] * 2
