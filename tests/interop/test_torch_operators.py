"""What looks at a program: the compiler, export, function transforms, opcheck."""

import pytest
import torch
from torch.func import functional_call, grad, vmap

from rnnfast.interop import torch as ours

pytestmark = [
    pytest.mark.usefixtures("by_our_kernels"),
    pytest.mark.filterwarnings("ignore"),  # of torch's compiler, about itself
]

KINDS = ("RNN", "LSTM", "GRU")
every_kind = pytest.mark.parametrize("kind", KINDS)


def module_and_input(kind, **options):
    torch.manual_seed(2)
    module = getattr(ours, kind)(3, 4, 2, bidirectional=True, dtype=torch.float64, **options)
    return module, torch.randn(5, 2, 3, dtype=torch.float64, requires_grad=True)


@every_kind
def test_opcheck(kind):
    module, x = module_and_input(kind)
    call = module._call()
    weights = list(module._flat_weights)
    described = (call.kind, ",".join(call.weight_names), True, list(call.rates), False, None)
    given = (*described, x, None, None, weights, None, None, None)
    torch.library.opcheck(torch.ops.rnnfast.forward.default, (*given, True))
    *outputs, token = torch.ops.rnnfast.forward(*given, True)
    needed = [True, False, False, *[True] * len(weights)]
    above = [torch.randn_like(output) for output in outputs]
    torch.library.opcheck(
        torch.ops.rnnfast.backward.default, (*given, token.detach(), *above, needed)
    )


@every_kind
def test_where_the_token_was_copied_the_tape_is_made_again(kind):
    module, x = module_and_input(kind)
    torch._dynamo.reset()
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    want = torch.autograd.grad(module(x)[0].sum(), x)
    passes = []
    for copied in (lambda token: token, torch.clone):
        with torch.autograd.graph.saved_tensors_hooks(copied, lambda tensor: tensor):
            y, _ = compiled(x)
        before = ours.kernel_calls()
        torch.testing.assert_close(torch.autograd.grad(y.sum(), x), want)
        passes.append(ours.kernel_calls() - before)
    assert passes == [1, 2]  # backward; forward once more, then backward


@every_kind
@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
def test_compile(kind, backend):
    module, x = module_and_input(kind)
    torch._dynamo.reset()
    compiled = torch.compile(module, fullgraph=True, backend=backend)
    wanted = [x, *module.parameters()]
    pulled = [torch.autograd.grad(f(x)[0].square().sum(), wanted) for f in (module, compiled)]
    torch.testing.assert_close(pulled[1], pulled[0], rtol=1e-12, atol=1e-13)
    with torch.no_grad():
        torch.testing.assert_close(compiled(x), module(x))


@every_kind
def test_compile_for_any_length(kind):
    module, _ = module_and_input(kind)
    torch._dynamo.reset()
    seen = []

    def counting(graph, inputs):
        seen.append(graph)
        return graph.forward

    compiled = torch.compile(module, fullgraph=True, dynamic=True, backend=counting)
    for steps, batch in ((5, 2), (7, 3), (9, 4)):
        x = torch.randn(steps, batch, 3, dtype=torch.float64)
        torch.testing.assert_close(compiled(x), module(x))
    assert len(seen) == 1


@every_kind
def test_compile_of_packed_sequences(kind):
    module, _ = module_and_input(kind)
    torch._dynamo.reset()
    compiled = torch.compile(module, backend="aot_eager")
    for lengths in ([5, 1, 3], [4, 4], [2]):
        x = torch.randn(max(lengths), len(lengths), 3, dtype=torch.float64)
        packed = torch.nn.utils.rnn.pack_padded_sequence(
            x, torch.tensor(lengths), enforce_sorted=False
        )
        pulled = []
        for f in (module, compiled):
            y, last = f(packed)
            loss = y.data.square().sum() + (last[0] if kind == "LSTM" else last).sum()
            pulled.append(torch.autograd.grad(loss, list(module.parameters())))
            torch.testing.assert_close(y.batch_sizes, packed.batch_sizes)
        torch.testing.assert_close(pulled[1], pulled[0], rtol=1e-12, atol=1e-13)


@every_kind
def test_export(kind):
    module, x = module_and_input(kind)
    shapes = {"input": {0: torch.export.Dim("T", min=2)}}
    program = torch.export.export(module, (x.detach(),), dynamic_shapes=shapes)
    longer = torch.randn(8, 2, 3, dtype=torch.float64)
    torch.testing.assert_close(program.module()(longer), module(longer))


@every_kind
def test_vmap(kind):
    module, _ = module_and_input(kind)
    xs = torch.randn(5, 6, 2, 3, dtype=torch.float64)
    got = vmap(lambda x: module(x)[0], in_dims=1)(xs)
    torch.testing.assert_close(got, torch.stack([module(x)[0] for x in xs.unbind(1)]))


@every_kind
def test_gradients_of_each_sample(kind):
    module, _ = module_and_input(kind)
    weights = {name: weight.detach() for name, weight in module.named_parameters()}
    xs = torch.randn(5, 3, 3, dtype=torch.float64)

    def loss(weights, x):
        return functional_call(module, weights, (x.unsqueeze(1),))[0].square().sum()

    together = vmap(grad(loss), in_dims=(None, 1))(weights, xs)
    for i, x in enumerate(xs.unbind(1)):
        for name, gradient in grad(loss)(weights, x).items():
            torch.testing.assert_close(together[name][i], gradient)


@every_kind
def test_hessians(kind):
    module, x = module_and_input(kind)
    x = x.detach()[:2, :1]

    def loss(x):
        return module(x)[0].pow(3).sum()

    own = torch.func.jacrev(torch.func.jacrev(loss))(x)
    reference = torch.autograd.functional.hessian(loss, x)
    torch.testing.assert_close(own, reference)
