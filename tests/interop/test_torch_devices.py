"""Modules on a GPU, emulated: the operators as they are, on tensors in its memory."""

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from emulated_tensors import EmulatedTensors
from rnnfast import _devices
from rnnfast.engine import kept
from rnnfast.interop import torch as ours
from rnnfast.interop.torch import _device, _fallback, _passes, _sequences
from rnnfast.interop.torch._call import PLAIN_WEIGHTS, Call

pytestmark = [
    pytest.mark.usefixtures("by_our_kernels"),
    pytest.mark.filterwarnings("ignore:LSTM with projections"),  # of torch, about its own
]

# Those that are emulated.
MODULES = {
    "lstm": (torch.nn.LSTM, torch.float32, {}),
    "lstm projected": (torch.nn.LSTM, torch.float32, {"proj_size": 2}),
    "rnn": (torch.nn.RNN, torch.float32, {}),
    "gru": (torch.nn.GRU, torch.float64, {}),
}
FORMS = {
    "one layer": {},
    "batch first, without biases": {"batch_first": True, "bias": False},
    "both ways": {"bidirectional": True},
    "two layers both ways": {"num_layers": 2, "bidirectional": True},
}
every_module = pytest.mark.parametrize("kind", MODULES)


def twins(kind, **options):
    """A module of torch's and ours of the same weights."""
    make, dtype, more = MODULES[kind]
    torch.manual_seed(1)
    theirs = make(3, 4, dtype=dtype, **more, **options)
    own = getattr(ours, make.__name__)(3, 4, dtype=dtype, **more, **options)
    own.load_state_dict(theirs.state_dict())
    return theirs, own


def flat(result):
    """The tensors of a module's result."""
    y, states = result
    return [y, *(states if isinstance(states, tuple) else (states,))]


def initial(module, batch):
    """States for a batch."""
    parts = module.num_layers * (2 if module.bidirectional else 1)
    widths = [module.proj_size or module.hidden_size, module.hidden_size]
    states = [
        torch.randn(parts, batch, width, dtype=module.weight_ih_l0.dtype, requires_grad=True)
        for width in (widths if module.mode == "LSTM" else widths[:1])
    ]
    return states, tuple(states) if module.mode == "LSTM" else states[0]


def gradients(results, sources):
    torch.manual_seed(2)
    loss = sum((one * torch.randn_like(one)).sum() for one in results)
    return torch.autograd.grad(loss, sources, allow_unused=True)


def close(got, wanted, places=2e-5):
    torch.testing.assert_close(list(got), list(wanted), rtol=places, atol=places)


@every_module
@pytest.mark.parametrize("form", FORMS)
def test_results_and_gradients(tensors, kind, form):
    theirs, own = twins(kind, **FORMS[form])
    batch = 5 if own.batch_first else 2
    x = torch.randn(5, 2, 3, dtype=own.weight_ih_l0.dtype, requires_grad=True)
    states, hx = initial(own, batch)
    results = [flat(module(x, hx)) for module in (theirs, own)]
    close(results[1], results[0])
    found = [
        gradients(of, [x, *states, *module.parameters()])
        for of, module in zip(results, (theirs, own), strict=True)
    ]
    close(found[1], found[0], 1e-4)
    with torch.no_grad():
        close(flat(own(x, hx)), results[0])


@every_module
@pytest.mark.parametrize("is_sorted", [True, False])
def test_packed_sequences(tensors, kind, is_sorted):
    theirs, own = twins(kind, num_layers=2, bidirectional=True)
    x = torch.randn(5, 3, 3, dtype=own.weight_ih_l0.dtype, requires_grad=True)
    lengths = [5, 3, 1] if is_sorted else [2, 5, 4]
    results = []
    for module in (theirs, own):
        packed = pack_padded_sequence(x, lengths, enforce_sorted=is_sorted)
        y, states = module(packed)
        results.append(flat((pad_packed_sequence(y)[0], states)))
    close(results[1], results[0])
    found = [
        gradients(of, [x, *module.parameters()])
        for of, module in zip(results, (theirs, own), strict=True)
    ]
    close(found[1], found[0], 1e-4)


@pytest.mark.parametrize("kind", ["LSTM", "RNN", "GRU"])
def test_cells(tensors, kind):
    dtype = torch.float64 if kind == "GRU" else torch.float32
    torch.manual_seed(3)
    theirs = getattr(torch.nn, f"{kind}Cell")(3, 4, dtype=dtype)
    own = getattr(ours, f"{kind}Cell")(3, 4, dtype=dtype)
    own.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 3, dtype=dtype, requires_grad=True)
    results = [torch.cat(module(x)) if kind == "LSTM" else module(x) for module in (theirs, own)]
    close([results[1]], [results[0]])
    found = [
        gradients([of], [x, *module.parameters()])
        for of, module in zip(results, (theirs, own), strict=True)
    ]
    close(found[1], found[0], 1e-4)


def noisy(kind="LSTM", **options):
    torch.manual_seed(4)
    return getattr(ours, kind)(3, 4, 2, bidirectional=True, **options)


RATES = [
    {"dropout": 0.5},
    {"input_dropout": 0.25, "dropout": 0.25},
    {"recurrent_dropout": 0.5},
    {"weight_dropout": 0.5},
    {"zoneout": (0.25, 0.5)},
    {"dropout": 0.3, "recurrent_dropout": 0.1, "zoneout": 0.2},  # between levels
]


@pytest.mark.parametrize("rates", RATES, ids=str)
def test_masks_are_those_of_the_host(gpu, monkeypatch, rates):
    """The host's seed is the device's, and so are the masks."""
    module = noisy(**rates)
    x = torch.randn(5, 2, 3, requires_grad=True)
    results = []
    for of_device in (False, True):
        if of_device:
            EmulatedTensors(gpu, monkeypatch)
        torch.manual_seed(5)
        y, states = module(x)
        module.eval()
        calm = flat(module(x))
        module.train()
        results.append([*flat((y, states)), *calm, *gradients([y], [x, *module.parameters()])])
    close(results[1], results[0], 1e-4)


def test_a_rate_between_levels_is_met(tensors):
    """One next to nothing, of which a number of 16 bits knows nothing, and of which words do."""
    noisy()(torch.zeros(1, 1, 3))  # the kernels that this file is of
    x = torch.zeros(1)
    for rate in (2.0**-20, 2.0**-17):
        call = Call("lstm", PLAIN_WEIGHTS, rates=(rate, 0.0, 0.0, 0.0, 0.0, 0.0))
        noise = _passes.noise(call, x, torch.tensor(6))
        place, of = _passes.place_of(x), _passes.type_of(x)
        mask = _device.tensor(noise.of_inputs(place, 1, (64, 64, 64), of))
        assert set(mask.unique().tolist()) <= {0.0, torch.tensor(1 / (1 - rate)).item()}
        assert abs((mask == 0).sum().item() - rate * mask.numel()) <= 4


@pytest.mark.parametrize("checkpoint", [False, True])
def test_a_tape_may_lie_elsewhere(tensors, checkpoint):
    module = noisy(dropout=0.5, recurrent_dropout=0.25, checkpoint=checkpoint)
    x = torch.randn(9, 2, 3, requires_grad=True)
    found = []
    for copied in (lambda tensor: tensor, torch.clone):
        torch.manual_seed(5)
        with torch.autograd.graph.saved_tensors_hooks(copied, lambda tensor: tensor):
            y, _ = module(x)
        before = ours.kernel_calls()
        found.append(torch.autograd.grad(y.square().sum(), [x, *module.parameters()]))
        assert ours.kernel_calls() == before + 1  # the backward pass alone
    torch.testing.assert_close(found[1], found[0], rtol=0, atol=0)


@pytest.mark.parametrize("rates", [{}, {"dropout": 0.5, "zoneout": 0.25}], ids=str)
def test_gradients_of_gradients(gpu, monkeypatch, rates):
    module = noisy(**rates)
    x = torch.randn(3, 2, 3, requires_grad=True)
    found = []
    for of_device in (False, True):
        if of_device:
            EmulatedTensors(gpu, monkeypatch)
        torch.manual_seed(5)
        y, _ = module(x)
        (dx,) = torch.autograd.grad(y.square().sum(), x, create_graph=True)
        found.append(torch.autograd.grad(dx.square().sum(), [x, *module.parameters()]))
    close(found[1], found[0], 1e-4)


def test_resets(tensors):
    torch.manual_seed(4)
    module = ours.LSTM(3, 4)
    x = torch.randn(6, 2, 3)
    resets = torch.zeros(6, 2, dtype=torch.bool)
    resets[3] = True
    y, _ = module(x, resets=resets)
    pieces = [module(piece)[0] for piece in (x[:3], x[3:])]
    close([y], [torch.cat(pieces)])


def test_export_and_compile_see_one_operator(tensors):
    module = noisy(dropout=0.5)
    x = torch.randn(5, 2, 3, requires_grad=True)
    torch._dynamo.reset()
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    pulled = []
    for function in (module, compiled):
        torch.manual_seed(5)
        y, _ = function(x)
        pulled.append(torch.autograd.grad(y.square().sum(), [x, *module.parameters()]))
    torch.testing.assert_close(pulled[1], pulled[0])
    with torch.no_grad():
        module.eval()
        torch.testing.assert_close(compiled(x), module(x))


def test_compile_for_any_length(tensors):
    module = noisy()
    torch._dynamo.reset()
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager", dynamic=True)
    with torch._dynamo.config.patch(error_on_recompile=True):
        for steps in (4, 7, 9):
            x = torch.randn(steps, 2, 3, requires_grad=True)
            found = [torch.autograd.grad(of(x)[0].sum(), x) for of in (module, compiled)]
            torch.testing.assert_close(found[1], found[0])


def operator_arguments(module, x, seed=None, lengths=None):
    call, weights = module._call(), list(module._flat_weights)
    described = (
        *(call.kind, ",".join(call.weight_names), call.bidirectional),
        *(list(call.rates), call.checkpoint, None),
    )
    return (*described, x, None, None, weights, lengths, None, seed)


@pytest.mark.parametrize("checkpoint", [False, True])
def test_opcheck_of_forward(tensors, checkpoint):
    module = noisy(recurrent_dropout=0.5, checkpoint=checkpoint)
    x = torch.randn(5, 2, 3, requires_grad=True)
    given = operator_arguments(module, x, torch.tensor(3), torch.tensor([5, 3]))
    torch.library.opcheck(torch.ops.rnnfast.forward.default, (*given, True))


def test_opcheck_of_backward(tensors):
    _, module = twins("lstm")
    x = torch.randn(2, 2, 3, requires_grad=True)
    given = operator_arguments(module, x)  # its gradients would have a seed's number be known
    *outputs, tape = torch.ops.rnnfast.forward(*given, True)
    assert tape.dtype is torch.uint8
    needed = [True, False, False, *[True] * len(given[9])]
    above = [torch.randn_like(output) for output in outputs]
    torch.library.opcheck(
        torch.ops.rnnfast.backward.default, (*given, tape.detach(), *above, needed)
    )


@pytest.mark.parametrize("rates", RATES, ids=str)
def test_a_graph_is_replayed_with_other_numbers(tensors, rates):
    """Sequences, weights and the seed change where they lie; masks are drawn anew."""
    module = noisy(**rates)
    for weight in module.parameters():
        weight.data = tensors.there(weight.data)
    x, seed = tensors.there(torch.randn(5, 2, 3)), tensors.there(torch.tensor(11))
    above = [tensors.there(torch.randn(shape)) for shape in ((5, 2, 8), (4, 2, 4), (4, 2, 4))]
    given = operator_arguments(module, x, seed)
    needed = [True, False, False, *[True] * len(given[9])]

    def run():
        with torch.no_grad():
            *outputs, tape = torch.ops.rnnfast.forward(*given, True)
            return [*outputs, *torch.ops.rnnfast.backward(*given, tape, *above, needed)]

    capture = tensors.capture()
    recorded = run()
    capture.end()
    assert capture.launches > 0
    for number in (12, 13):
        x.copy_(torch.randn(5, 2, 3))
        seed.fill_(number)
        for weight in module.parameters():
            weight.data.mul_(0.9)
        capture.replay()
        got = [one.clone() for one in recorded]
        torch.testing.assert_close(got, run(), rtol=0, atol=0)


def test_a_graph_of_packed_sequences_is_torchs(tensors, monkeypatch):
    _, own = twins("lstm")
    packed = pack_padded_sequence(torch.randn(5, 2, 3), [5, 3])
    own(packed)
    monkeypatch.setattr(_sequences, "is_captured", lambda data: True)
    with pytest.warns(UserWarning, match="packed sequence while CUDA records a graph"):
        own(packed)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_types_of_16_bits(tensors, monkeypatch, dtype):
    monkeypatch.setattr(_fallback, "_ON_CPU", _device.DTYPES)  # what a GPU takes
    module = noisy().to(dtype)
    x = torch.randn(5, 2, 3, dtype=dtype, requires_grad=True)
    results = flat(module(x))
    assert {one.dtype for one in results} == {dtype}
    found = torch.autograd.grad(results[0].sum(), [x, *module.parameters()])
    assert {one.dtype for one in found} == {dtype}
    exact = torch.nn.LSTM(3, 4, 2, bidirectional=True)
    exact.load_state_dict(module.float().state_dict())
    wide = x.detach().float().requires_grad_()
    wanted = flat(exact(wide))
    places = 8 * torch.finfo(dtype).eps
    close([one.float() for one in results], wanted, places)
    of_wanted = torch.autograd.grad(wanted[0].sum(), [wide, *exact.parameters()])
    close([one.float() for one in found], of_wanted, 8 * places)


def test_refused_memory_leaves_the_stream_as_it_was(gpu, tensors):
    module = noisy()
    x = tensors.there(torch.randn(5, 2, 3))
    for weight in module.parameters():
        weight.data = tensors.there(weight.data)
    wanted = module(x)[0].detach()
    for bytes_more in (0, 1000, 4000):
        gpu.refuse_beyond(bytes_more)
        with pytest.raises(MemoryError):
            module(x)
    gpu.refuse_nothing()
    torch.testing.assert_close(module(x)[0].detach(), wanted, rtol=0, atol=0)


def test_what_went_wrong_before_is_told(gpu, tensors):
    module, x = noisy(), torch.randn(5, 2, 3)
    module(x)
    gpu.fail("cudaErrorIllegalAddress, an illegal memory access was encountered")
    with pytest.raises(RuntimeError, match="cudaErrorIllegalAddress"):
        module(x)


def test_what_does_not_fit_is_torchs_to_refuse(tensors):
    _, module = twins("lstm")
    module(torch.randn(5, 2, 3))  # the kernels that this file is of
    with pytest.raises(RuntimeError, match=r"input\.size"):
        module(torch.randn(5, 2, 4))
    with pytest.raises(RuntimeError, match="hidden"):
        module(torch.randn(5, 2, 3), (torch.zeros(1, 3, 4), torch.zeros(1, 3, 4)))
    with pytest.raises(ValueError, match=r"resets must be \(T, B\) = \(5, 2\), got \(5, 3\)"):
        module(torch.randn(5, 2, 3), resets=torch.zeros(5, 3, dtype=torch.bool))


@pytest.mark.parametrize("cell", ["lstm", "rnn_tanh", "gru_norm"])
@pytest.mark.parametrize("keeps", [kept.ALL_STEPS, kept.CHECKPOINTS], ids=["all", "checkpoints"])
def test_a_tape_of_fewer_steps_fits(gpu, cell, keeps):
    """As calls with lengths have it; with all steps, the size is one of symbols as well."""
    noisy()(torch.zeros(1, 1, 3))  # the kernels that this file is of
    how = "tape_bytes" if keeps is kept.ALL_STEPS else "tape_bytes_of_checkpoints"
    ask = getattr(_devices.queue(0, 1), how)
    dtype = np.dtype("float32")
    for batch, units in ((1, 1), (3, 7), (70, 33)):
        for steps in (1, 2, 9, 50):
            sizes = kept.Sizes(steps, batch, 5, units, 0, 1, 1)
            room = keeps.tape_bytes(cell, dtype.str, sizes, True)
            for fewer in range(1, steps + 1):
                assert ask(cell, dtype, (fewer, batch, 5, units, 0), True) <= room


def test_distributed_data_parallel(tensors, tmp_path):
    theirs, own = twins("lstm", num_layers=2)
    x = torch.randn(5, 2, 3)
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/rendezvous", rank=0, world_size=1
    )
    try:
        for module in (theirs, own):
            y, _ = torch.nn.parallel.DistributedDataParallel(module)(x)
            y.square().sum().backward()
    finally:
        torch.distributed.destroy_process_group()
    pairs = zip(own.parameters(), theirs.parameters(), strict=True)
    for of_own, of_theirs in pairs:
        close([of_own.grad], [of_theirs.grad], 1e-4)


def test_what_autograd_saves_is_saved_once_more_by_checkpoints_of_torchs(tensors):
    """`torch.utils.checkpoint` drops the tape and runs the module again, with the same masks."""
    module = noisy(dropout=0.5)
    x = torch.randn(5, 2, 3, requires_grad=True)
    found = []
    for call in (
        lambda: module(x)[0],
        lambda: torch.utils.checkpoint.checkpoint(lambda x: module(x)[0], x, use_reentrant=False),
    ):
        torch.manual_seed(5)
        y = call()
        found.append(torch.autograd.grad(y.square().sum(), [x, *module.parameters()]))
    torch.testing.assert_close(found[1], found[0], rtol=0, atol=0)
