"""What the compiler sees of modules on a GPU where there is none: fakes that say they are there."""

import warnings

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from rnnfast._devices import extension
from rnnfast.interop import torch as ours
from rnnfast.interop.torch import _device, _fallback

pytestmark = pytest.mark.filterwarnings("ignore")  # of torch, about itself

HERE = torch.device("cuda", 0)


def fake_module(**options):
    """A module on a GPU; where torch is without CUDA, not even a fake can be made there by it."""
    module = ours.LSTM(3, 4, 2, bidirectional=True, **options)
    for name, weight in list(module.named_parameters()):
        there = torch.empty(weight.shape, dtype=weight.dtype, device=HERE)
        setattr(module, name, torch.nn.Parameter(there))
    module._weights()  # as the first call does
    return module


def operands(module, x):
    call, weights = module._call(), list(module._flat_weights)
    rates, names = list(call.rates), ",".join(call.weight_names)
    seed = torch.empty((), dtype=torch.int64, device=HERE)
    return (
        *(call.kind, names, call.bidirectional, rates, call.checkpoint, None),
        *(x, None, None, weights, None, None, seed),
    )


@pytest.mark.parametrize("options", [{}, {"checkpoint": True}, {"recurrent_dropout": 0.5}], ids=str)
def test_fakes_are_where_their_tensors_are(gpu, options):
    with FakeTensorMode(), torch.no_grad():
        module = fake_module(**options)
        x = torch.empty(5, 2, 3, device=HERE)
        given = operands(module, x)
        y, h_n, c_n, tape = torch.ops.rnnfast.forward(*given, True)
        needed = [True, False, False, *[True] * 16]
        found = torch.ops.rnnfast.backward(*given, tape, y, h_n, c_n, needed)
        y_of_module, _ = module(x)
    assert {one.device for one in (y, h_n, c_n, tape, y_of_module, *found)} == {HERE}
    assert [tuple(one.shape) for one in (y, h_n, c_n)] == [(5, 2, 8), (4, 2, 4), (4, 2, 4)]
    assert [one.shape for one in found] == [x.shape, *[w.shape for w in module.parameters()]]
    assert tape.dtype is torch.uint8
    smallest = sum(one.numel() * 4 for one in (y, h_n))  # of h before each step, in four tapes
    assert tape.numel() > (smallest if not options.get("checkpoint") else 0)


def test_compile_with_fakes(gpu):
    graphs = []

    def keep(graph, inputs):
        graphs.append(graph)
        return graph

    torch._dynamo.reset()
    with FakeTensorMode(), torch.no_grad():
        compiled = torch.compile(fake_module(), fullgraph=True, backend=keep)
        y, _ = compiled(torch.empty(5, 2, 3, device=HERE))
    assert y.device == HERE
    (graph,) = graphs
    assert str(graph.graph).count("torch.ops.rnnfast.forward") == 1


@pytest.fixture
def autocast():
    """As torch.autocast does, which refuses where no GPU is."""

    def begin(dtype):
        torch.set_autocast_enabled("cuda", True)
        torch.set_autocast_dtype("cuda", dtype)

    before = torch.get_autocast_dtype("cuda")
    yield begin
    torch.set_autocast_enabled("cuda", False)
    torch.set_autocast_dtype("cuda", before)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_autocast_is_of_the_device(gpu, autocast, dtype):
    autocast(dtype)
    with FakeTensorMode(), torch.no_grad():
        y, (h_n, c_n) = fake_module()(torch.empty(5, 2, 3, device=HERE))
        assert {one.dtype for one in (y, h_n, c_n)} == {dtype}
        wide = fake_module(dtype=torch.float64)
        y, _ = wide(torch.empty(5, 2, 3, device=HERE))
        assert y.dtype is torch.float64


def test_without_the_extension_torch_runs_it_and_says_why(forgotten, monkeypatch):
    monkeypatch.setattr(extension, "_found", lambda: None)
    monkeypatch.setattr(_fallback, "_said", set())
    reason = _fallback.reason_for_torch
    with FakeTensorMode():
        x = torch.empty(2, 3, device=HERE)
        said = reason(x, x)
        assert 'pip install "rnnfast[cuda13]"' in said
    monkeypatch.setattr(_device, "lacks", lambda: None)
    with FakeTensorMode():
        x = torch.empty(2, 3, device=HERE)
        assert reason(x, x) is None
        assert reason(x, x.to(torch.complex64)) == "tensors on cuda and weights of torch.complex64"
        assert reason(torch.empty(2, 3), x) == "tensors on cuda"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            _fallback.say_run_by_torch("LSTM", said)
    assert len(caught) == 1
