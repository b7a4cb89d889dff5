"""The benchmark of PyTorch's modules on small sizes: it runs, and compares what it times."""

import math

import pytest

from rnnfast.bench import Ours
from rnnfast.bench.behaviour import autograd, modules

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    def medians(calls, rounds):
        for call in calls.values():
            call()
        return dict.fromkeys(calls, 1e-3)

    monkeypatch.setattr(modules, "medians", medians)
    sizes = {"_STEPS": 3, "_EMBEDDING": 4, "_UNITS": 8, "_SEQ_LEN": 6, "_BATCH_SIZE": 4}
    for name, size in {**sizes, "_T": 24, "_B": 3, "_H": 8}.items():
        monkeypatch.setattr(modules, name, size)


def test_every_module_is_timed():
    ratios = modules.beside_torchs_modules(Ours(1), rounds=1)
    assert all(math.isfinite(ratio.measured) for ratio in ratios)
    abouts = [ratio.about for ratio in ratios]
    for part in ("model, lstm", "model, gru", "model, rnn", "Packed", "LSTMCell", "GRUCell"):
        assert any(part in about for about in abouts), part
    losses = [ratio for ratio in ratios if "losses" in ratio.about]
    assert len(losses) == 3
    assert all(ratio.holds for ratio in losses)


@pytest.mark.parametrize("look", ["_packed_sequences", "_cells", "_overhead"])
def test_other_results_are_refused(monkeypatch, look):
    both = modules.both

    def with_another_weight(torch, module):
        theirs, own = both(torch, module)
        with torch.no_grad():
            next(theirs.parameters()).add_(1)
        return theirs, own

    monkeypatch.setattr(modules, "both", with_another_weight)
    if look == "_overhead":
        # There the module is held beside the kernels, which are given its own weights.
        monkeypatch.setattr(modules._core.Packed, "forward", lambda *_: None)
    with pytest.raises(AssertionError):
        getattr(modules, look)(torch, 1)


def test_training_calls_are_held_beside_an_empty_function(monkeypatch):
    threads = torch.get_num_threads()
    monkeypatch.setattr(autograd, "_CALLS", 1)
    ratios = autograd.beside_an_empty_function(Ours(1), rounds=2)
    assert torch.get_num_threads() == threads
    assert all(0 < ratio.measured < math.inf for ratio in ratios)
    for kind in ("LSTM", "GRU", "LSTMCell", "GRUCell"):
        assert any(f", {kind} " in ratio.about for ratio in ratios), kind


def test_training_calls_with_other_results_are_refused(monkeypatch):
    def with_another_weight(torch, module):
        with torch.no_grad():
            next(module.parameters()).add_(1)
        return torch.nn.LSTM(1, 1), module

    monkeypatch.setattr(autograd, "both", with_another_weight)
    with pytest.raises(AssertionError):
        autograd.beside_an_empty_function(Ours(1), 1)
