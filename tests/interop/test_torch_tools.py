"""Our modules in the hands of torch's tools: symbolic traces, batched gradients, quantization."""

import pytest
import torch
from torch.autograd.functional import hessian, jacobian
from torch.utils._python_dispatch import TorchDispatchMode

from rnnfast.interop import torch as ours
from rnnfast.interop.torch import _fallback

LAYERS = ("LSTM", "GRU", "RNN")
CELLS = tuple(f"{name}Cell" for name in LAYERS)
every_kind = pytest.mark.parametrize("kind", (*LAYERS, *CELLS))
every_layer = pytest.mark.parametrize("kind", LAYERS)
T, B, INPUTS, H = 3, 2, 3, 4


def module_and_input(kind, library=ours, **form):
    torch.manual_seed(0)
    module = getattr(library, kind)(INPUTS, H, dtype=torch.float64, **form)
    return module, torch.randn(*([] if kind in CELLS else [T]), B, INPUTS, dtype=torch.float64)


def leaves(results):
    return torch.utils._pytree.tree_leaves(results)


def states_of(kind):
    leading = () if kind in CELLS else (1,)
    h, c = (torch.randn(*leading, B, H, dtype=torch.float64) for _ in range(2))
    return (h, c) if kind.startswith("LSTM") else h


class Watching(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


# --- gradients that arrive many at once


def first(module):
    return lambda x: leaves(module(x))[0]


def squares(module):
    return lambda x: sum(t.sin().square().sum() for t in leaves(module(x)))


def basis(y):
    return torch.eye(y.numel(), dtype=y.dtype).reshape(-1, *y.shape)


def by_is_grads_batched(y, x, **options):
    return torch.autograd.grad(y, x, basis(y), is_grads_batched=True, **options)[0]


def by_vmap(y, x, **options):
    def pull(v):
        return torch.autograd.grad(y, x, v, **options)[0]

    return torch.func.vmap(pull)(basis(y))


@every_kind
@pytest.mark.usefixtures("by_our_kernels")
def test_vectorized_jacobians_and_hessians(kind):
    module, x = module_and_input(kind)
    plain = jacobian(first(module), x)
    torch.testing.assert_close(jacobian(first(module), x, vectorize=True), plain)
    of, theirs = squares(module), squares(module_and_input(kind, torch.nn)[0])
    want = hessian(theirs, x)
    torch.testing.assert_close(hessian(of, x), want)
    torch.testing.assert_close(hessian(of, x, vectorize=True), want)


@pytest.mark.parametrize("watched", [False, True], ids=["eager", "operators"])
@pytest.mark.parametrize("batched", [by_is_grads_batched, by_vmap])
@pytest.mark.parametrize("form", [{}, {"num_layers": 2, "bidirectional": True}], ids=str)
@every_layer
def test_batched_gradients_and_their_gradients(kind, form, batched, watched):
    module, x = module_and_input(kind, **form)
    want = jacobian(first(module), x)
    x.requires_grad_()
    if watched:
        with Watching():
            y = first(module)(x)
    else:
        y = first(module)(x)
    torch.testing.assert_close(batched(y, x, retain_graph=True).reshape(want.shape), want)
    found = batched(y, x, create_graph=True)
    twice = torch.autograd.grad(found.square().sum(), [x, *module.parameters()])
    slow = jacobian(first(module), x, create_graph=True)
    expected = torch.autograd.grad(slow.square().sum(), [x, *module.parameters()])
    torch.testing.assert_close(twice, expected)


@every_kind
def test_gradients_of_weights_in_batches(kind):
    found = []
    for library in (torch.nn, ours):
        module, x = module_and_input(kind, library)
        y = first(module)(x)
        parameters = list(module.parameters())
        found.append(torch.autograd.grad(y, parameters, basis(y), is_grads_batched=True))
    torch.testing.assert_close(found[1], found[0])


@every_kind
@pytest.mark.filterwarnings("ignore")  # of torch's gradcheck, about how vmap does it
def test_gradcheck_of_batched_gradients(kind):
    module, x = module_and_input(kind)
    states = leaves(states_of(kind))

    def function(x, *states):
        return tuple(leaves(module(x, states if len(states) == 2 else states[0])))

    given = [t.requires_grad_() for t in (x, *states)]
    assert torch.autograd.gradcheck(function, given, check_batched_grad=True)
    assert torch.autograd.gradgradcheck(function, given, check_batched_grad=True)


@pytest.mark.filterwarnings("ignore")  # of torch's compiler, about itself
@every_layer
def test_vmap_within_what_is_compiled(kind):
    module, x = module_and_input(kind)
    torch._dynamo.reset()
    xs = torch.stack([x, 2 * x])
    compiled = torch.compile(torch.func.vmap(first(module)), backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(xs), torch.stack([first(module)(x) for x in xs]))


# --- symbolic traces


class Net(torch.nn.Module):
    def __init__(self, kind, form=()):
        super().__init__()
        self.before = torch.nn.Linear(INPUTS, INPUTS, dtype=torch.float64)
        self.inner = torch.nn.ModuleDict({"rnn": module_and_input(kind, **dict(form))[0]})

    def forward(self, x, hx=None):
        x = self.before(x)
        return self.inner["rnn"](x) if hx is None else self.inner["rnn"](x, hx=hx)


def nodes_of(graph_module, op):
    return [node.target for node in graph_module.graph.nodes if node.op == op]


@every_kind
@pytest.mark.parametrize("with_states", [False, True], ids=["", "states"])
def test_a_symbolic_trace_has_a_node_for_each_module(kind, with_states):
    net = Net(kind)
    _, x = module_and_input(kind)
    given = (x, states_of(kind)) if with_states else (x,)
    traced = torch.fx.symbolic_trace(net, None if with_states else {"hx": None})
    assert nodes_of(traced, "call_module") == ["before", "inner.rnn"]
    node = next(n for n in traced.graph.nodes if n.target == "inner.rnn")
    assert [*node.meta["nn_module_stack"]][-1] == "inner.rnn"
    torch.testing.assert_close(leaves(traced(*given)), leaves(net(*given)), rtol=0, atol=0)
    traced.graph.lint()
    assert ours.swap_back(traced).swapped == {"inner.rnn": kind}
    torch.testing.assert_close(leaves(traced(*given)), leaves(net(*given)))


def test_a_state_alone_may_be_symbolic():
    cell, x = module_and_input("GRUCell")

    class Stepped(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = cell

        def forward(self, h):
            return self.cell(x, h)

    traced = torch.fx.symbolic_trace(Stepped())
    assert nodes_of(traced, "call_module") == ["cell"]
    h = states_of("GRUCell")
    assert torch.equal(traced(h), cell(x, h))


@every_kind
def test_hooks_run_once_where_a_trace_runs(kind):
    net = Net(kind)
    _, x = module_and_input(kind)
    seen = []
    net.inner["rnn"].register_forward_pre_hook(lambda _, args: seen.append(args) or (2 * args[0],))
    traced = torch.fx.symbolic_trace(net, {"hx": None})
    assert not seen
    torch.testing.assert_close(leaves(traced(x)), leaves(net(x)), rtol=0, atol=0)
    assert len(seen) == 2


@every_kind
def test_other_tracers_decide_for_themselves(kind):
    class Leaves(torch.fx.Tracer):
        def is_leaf_module(self, module, name):
            return True

    net = Net(kind)
    assert [n.target for n in Leaves().trace(net, {"hx": None}).nodes if n.op == "call_module"] == [
        "before",
        "inner.rnn",
    ]


# --- quantization


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch, about its own quantization
def test_modules_that_are_not_quantized_say_so_once(monkeypatch, recwarn):
    monkeypatch.setattr(_fallback, "_said", set())
    model = torch.nn.ModuleList([torch.nn.LSTM(INPUTS, H), torch.nn.GRU(INPUTS, H)])
    ours.swap(model)
    for _ in range(2):
        quantized = torch.ao.quantization.quantize_dynamic(model, {torch.nn.LSTM, torch.nn.GRU})
        assert [type(module) for module in quantized] == [ours.LSTM, ours.GRU]
    said = [str(w.message) for w in recwarn if "does not know the modules" in str(w.message)]
    assert len(said) == 1
    assert "swap_back(model) before" in said[0]
    ours.swap_back(model)
    quantized = torch.ao.quantization.quantize_dynamic(model, {torch.nn.LSTM, torch.nn.GRU})
    assert all("quantized" in type(module).__module__ for module in quantized)
