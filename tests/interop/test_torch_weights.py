"""Weights that are written to in any way: what is computed follows, unless a module is frozen."""

import copy
import gc
import pickle

import pytest
import torch

from rnnfast.interop import torch as ours
from rnnfast.interop.torch import _packed

T, B, INPUTS, H = 6, 3, 5, 8
LAYERS = ("RNN", "LSTM", "GRU")
CELLS = ("RNNCell", "LSTMCell", "GRUCell")
every_kind = pytest.mark.parametrize("kind", (*LAYERS, *CELLS))

# Ways past autograd's counters, each with what it leaves of all weights but one number, or two.
WRITES = {
    "prune": lambda p: p.data.__setitem__(p.data.abs() < 0.05, 0),
    "clamp": lambda p: p.data.clamp_(-0.1, 0.1),
    "average": lambda p: p.data.mul_(0.99).add_(0.01),
    "numpy": lambda p: p.detach().numpy().reshape(-1)[1::2].fill(0),
    "dlpack": lambda p: torch.from_dlpack(p.detach()).mul_(2),
    "one number": lambda p: p.data.view(-1)[3].add_(1e-3),
    "a sign": lambda p: p.data.view(-1)[5].neg_(),
    "two that change places": lambda p: p.data.view(-1)[[1, 2]].copy_(p.data.view(-1)[[2, 1]]),
    "rows that change places": lambda p: p.data.copy_(p.data.flip(0)),
    "the storage": lambda p: p.untyped_storage().copy_((2 * p.data).untyped_storage()),
}


def twins(kind, **form):
    """Our module and torch's, with the same weights in memory of their own."""
    torch.manual_seed(1)
    own = getattr(ours, kind)(INPUTS, H, **form)
    theirs = getattr(torch.nn, kind)(INPUTS, H, **form)
    theirs.load_state_dict(own.state_dict())
    return own, theirs


def inputs_of(kind):
    return torch.randn(*([] if kind in CELLS else [T]), B, INPUTS)


def tensors(results):
    return torch.utils._pytree.tree_leaves(results)


def assert_alike(own, theirs, x):
    with torch.no_grad():
        torch.testing.assert_close(tensors(own(x)), tensors(theirs(x)), rtol=1e-5, atol=1e-6)


def assert_stays(own, x, write):
    """Fail if a write is seen; that it would change results is seen by torch's module."""
    with torch.no_grad():
        before = tensors(own(x))
        write()
        assert all(torch.equal(a, b) for a, b in zip(tensors(own(x)), before, strict=True))


@every_kind
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_every_write_is_seen(kind, write):
    own, theirs = twins(kind)
    x = inputs_of(kind)
    for index in range(4):
        assert_alike(own, theirs, x)
        for module in (own, theirs):
            write(list(module.parameters())[index])
    assert_alike(own, theirs, x)


@pytest.mark.parametrize("kind", LAYERS)
def test_writes_to_upper_layers_and_long_ways_are_seen(kind):
    own, theirs = twins(kind, num_layers=2, bidirectional=True)
    x = inputs_of(kind)
    for index in range(len(list(own.parameters()))):
        assert_alike(own, theirs, x)
        for module in (own, theirs):
            list(module.parameters())[index].data.view(-1)[1] += 0.5
    assert_alike(own, theirs, x)


@pytest.mark.parametrize("kind", LAYERS)
def test_writes_to_large_weights_are_seen(kind):
    own = getattr(ours, kind)(INPUTS, 512)
    x = inputs_of(kind)
    weight = own.weight_hh_l0.data.view(-1)
    with torch.no_grad():
        for at in (0, len(weight) // 3, len(weight) - 1):
            before = own(x)[0]
            weight[at] += 1
            assert not torch.equal(own(x)[0], before)


@every_kind
def test_weights_of_inference_mode_are_packed_once_and_watched(kind, monkeypatch):
    with torch.inference_mode():
        own, theirs = twins(kind)
        x = inputs_of(kind)
        assert_alike(own, theirs, x)
        with monkeypatch.context() as patched:
            patched.setattr("rnnfast.interop.torch._packed._packed_now", None)
            assert_alike(own, theirs, x)
        for module in (own, theirs):
            next(module.parameters()).mul_(2)
        assert_alike(own, theirs, x)


@every_kind
def test_same_memory_in_another_form_is_seen(kind):
    own, _ = twins(kind)
    x = inputs_of(kind)
    name = list(own._parameters)[2]
    with torch.no_grad():
        before = tensors(own(x))[0]
        bias = getattr(own, name)
        del own._parameters[name]
        setattr(own, name, bias._neg_view())
        after = tensors(own(x))[0]
        assert not torch.equal(after, before)


@every_kind
def test_a_frozen_module_is_believed(kind):
    own, theirs = twins(kind)
    x = inputs_of(kind)
    assert_alike(own, theirs, x)
    weight = next(own.parameters())
    weight.data.mul_(2)
    ours.freeze(torch.nn.Sequential(own))
    next(theirs.parameters()).data.mul_(2)
    assert_alike(own, theirs, x)  # what was written before counts
    assert_stays(own, x, lambda: weight.data.mul_(3))
    next(theirs.parameters()).data.mul_(3)
    ours.unfreeze(torch.nn.Sequential(own))
    assert_alike(own, theirs, x)
    weight.data.mul_(2)
    next(theirs.parameters()).data.mul_(2)
    assert_alike(own, theirs, x)


NOTICED = {
    "in place": lambda m: next(m.parameters()).mul_(2),
    "load_state_dict": lambda m: m.load_state_dict({k: v / 2 for k, v in m.state_dict().items()}),
    "loaded by assignment": lambda m: m.load_state_dict(
        {k: v / 2 for k, v in m.state_dict().items()}, assign=True
    ),
    "replaced": lambda m: setattr(
        m, (name := next(iter(m._parameters))), torch.nn.Parameter(getattr(m, name) / 2)
    ),
    "replaced data": lambda m: setattr(next(m.parameters()), "data", next(m.parameters()) / 2),
    "optimizer": lambda m: [p.sub_(0.1 * torch.sign(p)) for p in m.parameters()],
}


@every_kind
@pytest.mark.parametrize("change", NOTICED.values(), ids=NOTICED)
def test_a_frozen_module_notices_what_is_counted(kind, change):
    own, theirs = twins(kind)
    x = inputs_of(kind)
    ours.freeze(own)
    assert_alike(own, theirs, x)
    with torch.no_grad():
        for module in (own, theirs):
            change(module)
    assert_alike(own, theirs, x)
    for module in (own, theirs):
        module.to(torch.float64)
    assert_alike(own, theirs, x.double())


@every_kind
def test_a_frozen_module_trains(kind):
    own, theirs = twins(kind)
    x = inputs_of(kind)
    ours.freeze(own)
    assert_alike(own, theirs, x)
    for module in (own, theirs):
        optimizer = torch.optim.SGD(module.parameters(), 0.1)
        for _ in range(2):
            optimizer.zero_grad()
            sum(t.square().sum() for t in tensors(module(x))).backward()
            optimizer.step()
    assert_alike(own, theirs, x)


@every_kind
def test_copies_of_frozen_modules_are_not_frozen(kind):
    own, theirs = twins(kind)
    x = inputs_of(kind)
    ours.freeze(own)
    assert_alike(own, theirs, x)
    next(theirs.parameters()).data.mul_(2)
    for other in (copy.deepcopy(own), pickle.loads(pickle.dumps(own))):
        with torch.no_grad():
            other(x)
        next(other.parameters()).data.mul_(2)
        assert_alike(other, theirs, x)
    assert_stays(own, x, lambda: next(own.parameters()).data.mul_(2))


@every_kind
def test_packs_go_with_their_modules(kind):
    own, theirs = twins(kind)
    x = inputs_of(kind)
    assert_alike(own, theirs, x)
    number = id(own)
    assert number in _packed._packs
    next(own.parameters()).data.mul_(2)  # another pack
    with torch.no_grad():
        own(x)
    del own
    gc.collect()
    assert number not in _packed._packs


def test_freezing_what_is_not_ours_is_refused():
    model = torch.nn.Sequential(torch.nn.LSTM(INPUTS, H))
    for change in (ours.freeze, ours.unfreeze):
        with pytest.raises(ValueError, match=r"got Sequential without any; swap\(model\)"):
            change(model)
    ours.swap(model)
    ours.freeze(model)
