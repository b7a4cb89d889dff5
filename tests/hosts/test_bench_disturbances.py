"""Disturbed times on a small case: torch and onnxruntime take part, and are told beside us."""

import pytest

import rnnfast
from rnnfast.bench import Case, Ours, Shape
from rnnfast.bench.behaviour import busy_cores, callers, disturbances, one_row, pools, threads

torch = pytest.importorskip("torch")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    def take_turn(call):
        call()
        return [1.0]

    for module in (busy_cores, callers, pools, threads):
        monkeypatch.setattr(module, "CASES", (Case("inference", "gru", Shape(3, 2, 5, 7)),))
    monkeypatch.setattr(disturbances, "take_turn", take_turn)


@pytest.mark.parametrize(
    "look",
    [
        busy_cores.beside_a_busy_core,
        busy_cores.beside_busy_cores,
        threads.more_threads_than_cores,
        callers.callers_at_once,
    ],
)
def test_peers_take_part(look):
    found = look(Ours(1), rounds=1)
    assert "torch 1" in found[0].about
    assert "onnxruntime 1" in found[0].about
    assert all(ratio.holds for ratio in found)


def test_torchs_number_of_threads_is_set_before_each_call():
    one, two = (disturbances.Torch(threads) for threads in (1, 2))
    assert one.on_its_threads(torch.get_num_threads)() == 1
    assert two.on_its_threads(torch.get_num_threads)() == 2


def test_the_pool_of_onnxruntime_spins():
    threads = rnnfast.show_config(mode="dicts")["available_threads"]
    found = pools.beside_a_spinning_pool(Ours(min(2, threads)), rounds=1)
    assert len(found) == (threads > 1)
    assert all("torch" in ratio.about for ratio in found)


def test_a_single_row_is_held_beside_onnxruntime(monkeypatch):
    rows = (one_row.Row("lstm", 4, 5, 2), one_row.Row("rnn_tanh", 3, 7, 2))
    monkeypatch.setattr(one_row, "ROWS", (*rows, one_row.Row("gru", 3, 7, 1)))
    monkeypatch.setattr(one_row, "_CALLS", 1)
    monkeypatch.setattr(one_row, "medians", lambda calls, rounds: dict.fromkeys(calls, 1.0))
    found = one_row.beside_onnxruntime(Ours(1), rounds=1)
    assert [ratio.measured for ratio in found if "stream" in ratio.about] == [1, 1, 1]
    assert sum("both directions" in ratio.about for ratio in found) == 6
    assert all(ratio.measured > 0 for ratio in found)
