"""The shortest way of a single layer: when it is taken, and what it makes of odd tensors."""

import copy

import pytest
import torch

from rnnfast import _core
from rnnfast.interop.torch import (
    GRU,
    LSTM,
    RNN,
    GRUCell,
    LSTMCell,
    RNNCell,
    _kernels,
    _packed,
    _single,
)

KINDS = [(RNN, torch.nn.RNN), (LSTM, torch.nn.LSTM), (GRU, torch.nn.GRU)]
CELLS = [
    (RNNCell, torch.nn.RNNCell),
    (LSTMCell, torch.nn.LSTMCell),
    (GRUCell, torch.nn.GRUCell),
]
INPUTS, H, T, B = 5, 7, 6, 3


@pytest.fixture
def only_short_ways(monkeypatch):
    def refuse(*_):
        raise AssertionError("the longer way was taken")

    monkeypatch.setattr(_kernels, "_network", refuse)


@pytest.fixture
def older_torch(monkeypatch):
    monkeypatch.setattr(_single, "EXCHANGE", None)
    monkeypatch.setattr(_packed, "EXCHANGE", None)


def pair(own, theirs, **options):
    torch.manual_seed(1)
    module = theirs(INPUTS, H, dtype=torch.float64, **options)
    swapped = own(INPUTS, H, dtype=torch.float64, **options)
    swapped.load_state_dict(module.state_dict())
    return swapped, module


def pass_through(module, x, state=None):
    x = x.detach().requires_grad_()
    y, last = module(x, state)
    finals = last if isinstance(last, tuple) else (last,)
    module.zero_grad()
    loss = (y * torch.arange(y.numel()).reshape(y.shape)).sum() + sum(
        f.pow(2).sum() for f in finals
    )
    loss.backward()
    return y, *finals, x.grad, *(p.grad for p in module.parameters())


def assert_alike(found, wanted):
    torch.testing.assert_close(tuple(found), tuple(wanted), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize(("own", "theirs"), KINDS)
def test_short_way_trains(own, theirs, batch_first, bias, only_short_ways):
    module, reference = pair(own, theirs, batch_first=batch_first, bias=bias)
    x = torch.randn(T, B, INPUTS, dtype=torch.float64)
    assert_alike(pass_through(module, x), pass_through(reference, x))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("own", "theirs"), CELLS)
def test_short_way_trains_cells(own, theirs, bias, only_short_ways):
    module, reference = pair(own, theirs, bias=bias)
    x = torch.randn(B, INPUTS, dtype=torch.float64, requires_grad=True)
    state = torch.randn(2, B, H, dtype=torch.float64, requires_grad=True)
    found, wanted = [], []
    for one, of_one in ((module, found), (reference, wanted)):
        after = one(x, one(x, tuple(state) if own is LSTMCell else state[0]))
        last = after[-1] if own is LSTMCell else after  # nothing arrives at h
        of_one += [last, *torch.autograd.grad(last.square().sum(), [x, state])]
        after = torch.utils._pytree.tree_leaves(one(x))
        of_one += torch.autograd.grad(sum(s.square().sum() for s in after), [x, *one.parameters()])
    assert_alike(found, wanted)


FORMS = [(*kind, {"batch_first": first}) for kind in KINDS for first in (False, True)]
FORMS += [(*kind, {}) for kind in CELLS]


@pytest.mark.parametrize(("own", "theirs", "options"), FORMS)
def test_gradients_that_arrive_many_at_once(own, theirs, options, only_short_ways):
    results = []
    for one, x in twice(own, theirs, options):
        y, *_ = torch.utils._pytree.tree_leaves(one(x))
        many = torch.linspace(-1, 1, 3 * y.numel(), dtype=torch.float64).reshape(3, *y.shape)
        results.append(torch.autograd.grad(y, [x, *one.parameters()], many, is_grads_batched=True))
    assert_alike(*results)


@pytest.mark.parametrize(("own", "theirs", "options"), FORMS)
def test_gradients_have_gradients(own, theirs, options, only_short_ways):
    results = []
    for one, x in twice(own, theirs, options):
        after = torch.utils._pytree.tree_leaves(one(x))
        operands = [x, *one.parameters()]
        first = torch.autograd.grad(sum(a.pow(3).sum() for a in after), operands, create_graph=True)
        second = torch.autograd.grad(sum(d.square().sum() for d in first), operands)
        results.append((*first, *second))
    assert_alike(*results)


def twice(own, theirs, options):
    x = torch.randn(T, B, INPUTS, dtype=torch.float64, requires_grad=True)
    x = x[0] if issubclass(own, torch.nn.RNNCellBase) else x
    return [(module, x) for module in pair(own, theirs, **options)]


@pytest.mark.parametrize("own", [LSTM, LSTMCell])
def test_gradients_of_another_shape_are_refused(own):
    x = torch.randn(*([T] if own is LSTM else []), B, INPUTS)
    y, *_ = own(INPUTS, H)(x)
    with torch.no_grad(), pytest.raises(ValueError, match="does not fit"):
        y.grad_fn.apply(torch.zeros(B + 1, H), None, None)


@pytest.mark.parametrize(("own", "theirs"), KINDS)
def test_short_way_infers_once_weights_are_packed(own, theirs, monkeypatch):
    module, reference = pair(own, theirs)
    x = torch.randn(T, B, INPUTS, dtype=torch.float64)
    state = torch.randn(1, B, H, dtype=torch.float64)
    state = (state, -state) if own is LSTM else state
    with torch.no_grad():
        module(x)
        monkeypatch.setattr(_packed, "forward", None)
        found, wanted = module(x, state), reference(x, state)
    assert_alike(torch.utils._pytree.tree_leaves(found), torch.utils._pytree.tree_leaves(wanted))


def odd_tensors():
    x = torch.randn(T, B, INPUTS, dtype=torch.float64)
    yield "expanded steps", x[:1].expand(T, B, INPUTS)
    yield "expanded rows", x[:, :1].expand(T, B, INPUTS)
    yield "expanded inputs", x[..., :1].expand(T, B, INPUTS)
    yield "every other input", torch.randn(T, B, 2 * INPUTS, dtype=torch.float64)[..., ::2]
    yield "transposed", torch.randn(B, T, INPUTS, dtype=torch.float64).transpose(0, 1)
    yield "inputs first", torch.randn(INPUTS, T, B, dtype=torch.float64).permute(1, 2, 0)
    yield "with an offset", torch.randn(T + 2, B + 1, INPUTS + 3, dtype=torch.float64)[2:, 1:, 3:]
    yield "negated bit", torch.complex(x, x).conj().imag
    yield "parameter", torch.nn.Parameter(x)


@pytest.mark.parametrize(("own", "theirs"), KINDS)
@pytest.mark.parametrize("x", [pytest.param(x, id=name) for name, x in odd_tensors()])
def test_odd_inputs(own, theirs, x):
    module, reference = pair(own, theirs)
    y, last = module(x)
    wanted, final = reference(x.resolve_neg())
    (y.sum() + sum(f.sum() for f in torch.utils._pytree.tree_leaves(last))).backward()
    (wanted.sum() + sum(f.sum() for f in torch.utils._pytree.tree_leaves(final))).backward()
    assert_alike(
        [y, *(p.grad for p in module.parameters())],
        [wanted, *(p.grad for p in reference.parameters())],
    )
    with torch.no_grad():
        for _ in range(2):  # packed, then the short way
            assert_alike([module(x)[0]], [wanted])


@pytest.mark.parametrize("odd", ["expanded", "negated bit", "strided"])
def test_odd_gradients_from_above(odd):
    module, reference = pair(LSTM, torch.nn.LSTM)
    x = torch.randn(T, B, INPUTS, dtype=torch.float64)
    g = torch.randn(T, B, H, dtype=torch.float64)
    above = {
        "expanded": g[:1].expand(T, B, H),
        "negated bit": torch.complex(g, g).conj().imag,
        "strided": g.permute(2, 1, 0).contiguous().permute(2, 1, 0),
    }[odd]
    for one in (module, reference):
        one(x)[0].backward(above)
    assert_alike((p.grad for p in module.parameters()), (p.grad for p in reference.parameters()))


def test_weights_that_lie_oddly_go_the_longer_way():
    module, reference = pair(LSTM, torch.nn.LSTM)
    with torch.no_grad():
        for one in (module, reference):
            one.weight_hh_l0 = torch.nn.Parameter(one.weight_hh_l0.t().contiguous().t())
    x = torch.randn(T, B, INPUTS, dtype=torch.float64)
    assert_alike(pass_through(module, x), pass_through(reference, x))
    with torch.no_grad():
        assert_alike([module(x)[0]], [reference(x)[0]])


@pytest.mark.parametrize(("own", "theirs"), KINDS)
def test_without_an_exchange_table(own, theirs, older_torch):
    module, reference = pair(own, theirs)
    x = torch.randn(T, B, INPUTS, dtype=torch.float64)
    assert_alike(pass_through(module, x), pass_through(reference, x))
    with torch.no_grad():
        assert_alike([module(x)[0]], [reference(x)[0]])
    cell = LSTMCell(INPUTS, H)
    with torch.no_grad():
        torch.testing.assert_close(
            cell(torch.ones(B, INPUTS)), torch.nn.LSTMCell.forward(cell, torch.ones(B, INPUTS))
        )


def test_input_changed_in_place_is_noticed():
    module = LSTM(INPUTS, H)
    x = torch.randn(T, B, INPUTS)
    y, _ = module(x)
    x += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_saved_tensors_may_be_given_back_otherwise():
    module = LSTM(INPUTS, H)
    x = torch.randn(T, B, INPUTS)

    def halved(tensor):
        return tensor[:1] if tensor.shape == x.shape else tensor

    with torch.autograd.graph.saved_tensors_hooks(halved, lambda tensor: tensor):
        y, _ = module(x)
    with pytest.raises(ValueError, match="changed"):
        y.sum().backward()
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.double(), lambda t: t.float()):
        y, _ = module(x)
    y.sum().backward()
    found = copy.deepcopy(module.weight_hh_l0.grad)
    module.zero_grad()
    module(x)[0].sum().backward()
    torch.testing.assert_close(found, module.weight_hh_l0.grad)


@pytest.mark.parametrize("own", [LSTM, LSTMCell])
def test_weights_of_inference_mode_take_the_place_of_packed_ones(own):
    module = own(INPUTS, H)
    x = torch.randn(*([T] if own is LSTM else []), B, INPUTS)
    name = "weight_hh_l0" if own is LSTM else "weight_hh"
    with torch.inference_mode():
        module(x)
        setattr(module, name, torch.nn.Parameter(torch.zeros(4 * H, H)))
        wanted = getattr(torch.nn, own.__name__)(INPUTS, H)
        wanted.load_state_dict(module.state_dict())
        torch.testing.assert_close(module(x)[0], wanted(x)[0])


def test_results_are_fresh_and_the_callers():
    module = LSTM(INPUTS, H)
    x = torch.randn(T, B, INPUTS)
    with torch.no_grad():
        module(x)
        first, _ = module(x)
        kept = first.clone()
        second, (h, _) = module(2 * x)
        assert first.data_ptr() != second.data_ptr()
        first.add_(1)
        torch.testing.assert_close(first, kept + 1)
        torch.testing.assert_close(second[-1], h[0])
        del module, second
        assert h.isfinite().all()


def test_exchange_refuses_what_is_no_tensor():
    with pytest.raises(TypeError, match="cannot be exchanged"):
        _core.Exchange(list, dict)
    exchange, extent = _single.EXCHANGE, _core.Extent.sequences
    module = LSTM(INPUTS, H)
    weights = tuple(module.parameters())
    core = module._call().core_cell().core
    good = torch.randn(T, B, INPUTS)
    for x in (
        None,
        1,
        "x",
        [1.0],
        good.numpy(),
        good.half(),
        good.long(),
        good.to("meta"),
        good.to_sparse(),
        good[0],
        good[0, 0],
        good[..., 1:],
        good[:0],
        torch.tensor(1.0),
        good.double(),
    ):
        assert exchange.forward_saving(extent, core, (x, None, None, *weights)) is NotImplemented
    for state in (
        1,
        good,
        torch.zeros(B, H),
        torch.zeros(1, B, H + 1),
        torch.zeros(1, B, H).double(),
    ):
        for states in ((state, None), (None, state)):
            operands = (good, *states, *weights)
            assert exchange.forward_saving(extent, core, operands) is NotImplemented
    for i in range(4):
        for other in (
            *([None] if i < 2 else []),
            3,
            torch.zeros(2, 2),
            weights[i].detach().double(),
        ):
            changed = (good, None, None, *weights[:i], other, *weights[i + 1 :])
            assert exchange.forward_saving(extent, core, changed) is NotImplemented
    operands, above = (good, None, None, *weights), (torch.zeros(T, B, H), None, None)
    _, tape = exchange.forward_saving(extent, core, operands)
    assert exchange.backward(extent, tape, operands, (False,) * 9, above) == (None,) * 9
    for other in (torch.zeros(T, B), above[0].double(), above[0].to("meta")):
        changed = (other, None, None)
        assert exchange.backward(extent, tape, operands, (True,) * 7, changed) is NotImplemented
    for look in (exchange.versions, exchange.contents):
        for odd in (1, torch.zeros(4, 4).t()[1:], torch.zeros(2, 2, 2), torch.zeros(2)._neg_view()):
            with pytest.raises(ValueError, match="one piece of memory"):
                look((odd,))
