"""Programs that go where rnnfast is not: of TorchScript and ONNX, made of swapped models."""

import io

import pytest
import torch

from rnnfast.interop import torch as ours

KINDS = ("LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell")
every_kind = pytest.mark.parametrize("kind", KINDS)
# Of torch's exporters, about each other and batches of another size.
pytestmark = pytest.mark.filterwarnings("ignore")


class Net(torch.nn.Module):
    def __init__(self, kind):
        super().__init__()
        torch.manual_seed(0)
        self.inner = getattr(torch.nn, kind)(3, 4)
        self.outer = torch.nn.Linear(4, 2)

    def forward(self, x):
        y = self.inner(x)
        return self.outer(y if isinstance(y, torch.Tensor) else y[0])


def swapped(kind):
    net = Net(kind).eval()
    assert ours.swap(net).swapped == {"inner": kind}
    return net, torch.randn(*([] if kind.endswith("Cell") else [5]), 2, 3)


def names_in(graph):
    return {node.kind() for node in graph.nodes()}


@every_kind
def test_a_trace_has_torchs_operators(kind):
    net, x = swapped(kind)
    traced = torch.jit.trace(net, (x,))
    assert not any(name.startswith("rnnfast") for name in names_in(traced.inlined_graph))
    file = io.BytesIO()
    torch.jit.save(traced, file)
    file.seek(0)
    calls = ours.kernel_calls()
    loaded = torch.jit.load(file)(x)
    assert ours.kernel_calls() == calls
    torch.testing.assert_close(loaded, net(x))
    assert ours.kernel_calls() == calls + 1


@every_kind
def test_a_script_is_refused_in_a_sentence(kind):
    net, _ = swapped(kind)
    with pytest.raises(NotImplementedError, match=r"swap_back\(model\) before") as refused:
        torch.jit.script(net)
    assert len(str(refused.value)) < 200
    assert type(net.inner) is getattr(ours, kind)
    ours.swap_back(net)
    torch.jit.script(net.inner)


def test_what_torch_has_no_operators_for_is_said():
    x = torch.randn(5, 2, 3)
    with pytest.raises(NotImplementedError, match=r"LSTM\(3, 4, zoneout=.*torch.export takes it"):
        torch.jit.trace(ours.LSTM(3, 4, zoneout=0.1), (x,))


def by_onnxruntime(program, x):
    onnxruntime = pytest.importorskip(
        "onnxruntime", reason="no package onnxruntime of the extra hosts"
    )
    session = onnxruntime.InferenceSession(program, providers=["CPUExecutionProvider"])
    (value,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    return torch.from_numpy(value)


@every_kind
def test_onnx_by_the_older_exporter(kind):
    pytest.importorskip("onnx", reason="no package onnx of the extra hosts")
    net, x = swapped(kind)
    file = io.BytesIO()
    torch.onnx.export(net, (x,), file, dynamo=False)
    torch.testing.assert_close(by_onnxruntime(file.getvalue(), x), net(x).detach())


@every_kind
def test_onnx_by_the_newer_exporter(kind):
    pytest.importorskip("onnxscript", reason="no package onnxscript of the extra hosts")
    net, x = swapped(kind)
    program = torch.onnx.export(net, (x,), dynamo=True, verbose=False)
    if kind in ("LSTM", "GRU"):  # torch writes the others as steps
        assert kind in {node.op_type for node in program.model.graph}
    file = io.BytesIO()
    program.save(file)
    torch.testing.assert_close(by_onnxruntime(file.getvalue(), x), net(x).detach())


@every_kind
def test_torchs_own_export_keeps_ours(kind):
    net, x = swapped(kind)
    program = torch.export.export(net, (x,))
    assert torch.ops.rnnfast.forward.default in {node.target for node in program.graph.nodes}
    torch.testing.assert_close(program.module()(x), net(x))
