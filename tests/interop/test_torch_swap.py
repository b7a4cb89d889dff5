"""Whole models, swapped and swapped back."""

import pytest
import torch

import rnnfast
from rnnfast.interop import torch as ours


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(11, 5)
        self.rnns = torch.nn.ModuleList([torch.nn.LSTM(5, 6), torch.nn.GRU(6, 7)])
        self.cell = torch.nn.GRUCell(7, 8)

    def forward(self, symbols):
        x = self.embed(symbols)
        for rnn in self.rnns:
            x, _ = rnn(x)
        return self.cell(x[-1])


class Own(torch.nn.LSTM):
    def forward(self, input, hx=None):
        return super().forward(2 * input, hx)


@pytest.mark.usefixtures("by_our_kernels")
def test_a_model_is_swapped_in_place():
    torch.manual_seed(0)
    model = Model()
    symbols = torch.randint(11, (9, 4))
    want = model(symbols)
    before = [*model.parameters()]
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    seen = []
    model.rnns[0].register_forward_hook(lambda *_: seen.append(1))
    report = ours.swap(model)
    assert report.swapped == {"rnns.0": "LSTM", "rnns.1": "GRU", "cell": "GRUCell"}
    assert report.left == {}
    assert str(report) == "rnns.0: LSTM\nrnns.1: GRU\ncell: GRUCell"
    assert all(a is b for a, b in zip(before, model.parameters(), strict=True))
    calls = ours.kernel_calls()
    got = model(symbols)
    assert ours.kernel_calls() == calls + 3
    torch.testing.assert_close(got, want)
    assert seen == [1]
    got.sum().backward()
    optimizer.step()
    changed = model(symbols)
    assert ours.swap_back(model).swapped == report.swapped
    assert type(model.rnns[0]) is torch.nn.LSTM
    torch.testing.assert_close(model(symbols), changed)
    assert not ours.swap_back(model).swapped


def test_the_model_itself():
    model = torch.nn.LSTM(3, 4)
    assert ours.swap(model).swapped == {"": "LSTM"}
    assert type(model) is ours.LSTM


def test_what_is_left():
    model = torch.nn.Sequential(Own(3, 4))
    report = ours.swap(model)
    assert report.swapped == {}
    assert list(report.left) == ["0"]
    assert "forward of its own" in report.left["0"]
    assert ours.swap_back(torch.nn.Sequential(ours.LSTM(3, 4, zoneout=0.1))).left.keys() == {"0"}


def test_another_type_goes_to_torch_and_says_so_once(recwarn):
    dtype = torch.float16
    torch.manual_seed(0)
    theirs = torch.nn.GRU(3, 4, dtype=dtype)
    own = ours.GRU(3, 4, dtype=dtype)
    own.load_state_dict(theirs.state_dict())
    x = torch.randn(5, 2, 3, dtype=dtype)
    calls = ours.kernel_calls()
    for _ in range(2):
        assert torch.equal(own(x)[0], theirs(x)[0])
    assert ours.kernel_calls() == calls
    assert sum("is run by torch" in str(w.message) for w in recwarn) == 1
    beyond = ours.GRU(3, 4, dtype=dtype, zoneout=0.1)
    with pytest.raises(NotImplementedError, match="beyond torch's"):
        beyond(x)


def test_another_device_goes_to_torch():
    module = ours.LSTM(3, 4, device="meta")
    with pytest.warns(UserWarning, match="is run by torch"):
        y, _ = module(torch.zeros(5, 2, 3, device="meta"))
    assert y.shape == (5, 2, 4)


def test_threads_follow_torch():
    two = min(2, rnnfast.show_config(mode="dicts")["available_threads"])
    module, x = ours.LSTM(3, 4), torch.zeros(2, 1, 3)
    used = []
    for threads in (1, 2, 1):
        torch.set_num_threads(threads)
        module(x)
        used.append(rnnfast.get_num_threads())
    # A choice counts before it, and whatever torch changes meanwhile counts afterwards.
    with rnnfast.num_threads(2):
        torch.set_num_threads(2)
        module(x)
        torch.set_num_threads(1)
        module(x)
        used.append(rnnfast.get_num_threads())
    used.append(rnnfast.get_num_threads())
    assert used == [1, two, 1, two, 1]


@pytest.mark.parametrize("act", [ours.swap, ours.swap_back])
def test_what_is_no_model_is_refused(act):
    with pytest.raises(TypeError, match=r"a torch.nn.Module, got the class LSTM; .*an instance of"):
        act(torch.nn.LSTM)
    with pytest.raises(TypeError, match=r"model must be a torch.nn.Module, got str$"):
        act("model")


def test_a_model_of_kerass_is_told_where_it_goes():
    kind = type("Sequential", (torch.nn.Module,), {"__module__": "keras.src.models.sequential"})
    report = ours.swap(kind())
    assert report.left == {"": "it is Keras's; rnnfast.interop.keras.swap takes it"}
    assert ours.swap(torch.nn.Linear(2, 3)) == ({}, {})
