"""Modules in bfloat16, and under autocast: on our kernels, with torch's types."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import rnnfast.interop.torch as ours  # noqa: E402

LOW = torch.bfloat16
T, B, I, H = 9, 5, 13, 22  # noqa: E741

LAYERS = {
    "LSTM": ("LSTM", {}),
    "GRU": ("GRU", {}),
    "RNN": ("RNN", {}),
    "relu": ("RNN", {"nonlinearity": "relu"}),
    "two layers in both directions": ("LSTM", {"num_layers": 2, "bidirectional": True}),
    "two layers": ("GRU", {"num_layers": 2}),
    "projection": ("LSTM", {"proj_size": 7}),
    "no bias": ("GRU", {"bias": False}),
    "batch first": ("LSTM", {"batch_first": True}),
}
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")
every_layer = pytest.mark.parametrize(("kind", "options"), LAYERS.values(), ids=LAYERS)
every_kind = pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
every_cell = pytest.mark.parametrize("kind", ["LSTMCell", "GRUCell", "RNNCell"])


def pair(kind: str, dtype: Any = torch.float32, **options: Any) -> tuple[Any, Any]:
    """Return one of torch's modules and ours, with the same weights."""
    torch.manual_seed(0)
    theirs = getattr(torch.nn, kind)(I, H, **options)
    own = getattr(ours, kind)(I, H, **options)
    own.load_state_dict(theirs.state_dict())
    return theirs.to(dtype), own.to(dtype)


def flat(results: Any) -> list[Any]:
    if isinstance(results, torch.Tensor):
        return [results]
    return [one for result in results for one in flat(result)]


def trained(module: Any, x: Any, hx: Any = None) -> dict[str, Any]:
    """Return results, and the gradients of a sum that weighs them."""
    x = x.detach().clone().requires_grad_()
    results = flat(module(x) if hx is None else module(x, hx))
    generator = torch.Generator().manual_seed(1)
    weights = [torch.randn(one.shape, generator=generator) for one in results]
    total = sum((one.float() * w).sum() for one, w in zip(results, weights, strict=True))
    module.zero_grad()
    total.backward()
    gradients = {name: p.grad for name, p in module.named_parameters()}
    return {**{f"result {i}": r for i, r in enumerate(results)}, "x": x.grad, **gradients}


def off(got: Any, want: Any) -> float:
    got, want = got.detach().double(), want.detach().double()
    return float((got - want).norm() / want.norm().clamp_min(1e-30))


@every_layer
def test_a_module_in_bfloat16(kind: str, options: dict) -> None:
    theirs, own = pair(kind, LOW, **options)
    exact = copy.deepcopy(theirs).double()
    x = torch.randn(T, B, I).to(LOW)
    calls = ours.kernel_calls()
    found, want, truth = trained(own, x), trained(theirs, x), trained(exact, x.double())
    assert ours.kernel_calls() >= calls + 2
    for name, one in found.items():
        assert one.dtype == want[name].dtype == LOW, name
        assert one.shape == want[name].shape, name
        assert off(one, want[name]) < 0.08, name  # twice what either errs, a ReLU's more
        assert off(one, truth[name]) < max(1.2 * off(want[name], truth[name]), 2.0**-7), name


@every_layer
def test_a_module_in_bfloat16_without_gradients(kind: str, options: dict) -> None:
    theirs, own = pair(kind, LOW, **options)
    exact = copy.deepcopy(theirs).double()
    x = torch.randn(T, B, I).to(LOW)
    calls = ours.kernel_calls()
    with torch.no_grad():
        first, again = flat(own(x)), flat(own(x))
        want, truth = flat(theirs(x)), flat(exact(x.double()))
    assert ours.kernel_calls() == calls + 2
    with_gradients = flat(own(x))
    every = zip(first, again, with_gradients, want, truth, strict=True)
    for got, other, traced, their, exactly in every:
        assert got.dtype == their.dtype == LOW
        assert torch.equal(got, other)
        assert torch.equal(got, traced)
        assert off(got, exactly) < max(1.2 * off(their, exactly), 2.0**-8)
    with torch.no_grad():
        next(own.parameters()).data.zero_()  # past autograd
        assert not torch.equal(flat(own(x))[0], first[0])


@every_layer
@pytest.mark.parametrize("weights", [torch.float32, LOW], ids=str)
def test_types_under_autocast_are_those_of_torch(kind: str, options: dict, weights: Any) -> None:
    theirs, own = pair(kind, weights, **options)
    parts = options.get("num_layers", 1) * (1 + options.get("bidirectional", False))
    rows = T if options.get("batch_first") else B
    for of_x, of_state in itertools.product((torch.float32, LOW), (None, torch.float32, LOW)):
        x, hx = torch.randn(T, B, I, dtype=of_x), None
        if of_state is not None:
            hx = torch.randn(parts, rows, options.get("proj_size", H), dtype=of_state)
            if kind == "LSTM":
                hx = (hx, torch.randn(parts, rows, H, dtype=of_state))
        calls = ours.kernel_calls()
        with torch.autocast("cpu", dtype=LOW):
            found, want = trained(own, x, hx), trained(theirs, x, hx)
            with torch.no_grad():
                without = flat(own(x) if hx is None else own(x, hx))
        assert ours.kernel_calls() >= calls + 3
        for name, one in found.items():
            assert one.dtype == want[name].dtype, (name, of_x, of_state)
            assert off(one, want[name]) < 0.08, name
        for i, one in enumerate(without):
            assert torch.equal(one, found[f"result {i}"])


@every_kind
@pytest.mark.parametrize("weights", [torch.float32, LOW], ids=str)
def test_packed_sequences_under_autocast(kind: str, weights: Any) -> None:
    theirs, own = pair(kind, weights)
    lengths = torch.tensor([9, 7, 7, 2, 1])
    for of_x in (torch.float32, LOW):
        packed = torch.nn.utils.rnn.pack_padded_sequence(torch.randn(T, B, I, dtype=of_x), lengths)
        with torch.autocast("cpu", dtype=LOW):
            (y, *last), (want, *want_last) = own(packed), theirs(packed)
        for got, one in zip(flat([y.data, *last]), flat([want.data, *want_last]), strict=True):
            assert got.dtype == one.dtype
            assert off(got, one) < 0.02


@every_cell
@pytest.mark.parametrize("weights", [torch.float32, LOW], ids=str)
def test_cells(kind: str, weights: Any) -> None:
    theirs, own = pair(kind, weights)
    for of_x, of_state in itertools.product((torch.float32, LOW), (None, torch.float32, LOW)):
        x, hx = torch.randn(B, I, dtype=of_x), None
        if of_state is not None:
            hx = torch.randn(B, H, dtype=of_state)
            hx = (hx, torch.randn(B, H, dtype=of_state)) if kind == "LSTMCell" else hx
        calls = ours.kernel_calls()
        with torch.autocast("cpu", dtype=LOW):
            found, want = trained(own, x, hx), trained(theirs, x, hx)
        assert ours.kernel_calls() >= calls + 2
        for name, one in found.items():
            assert one.dtype == want[name].dtype, (name, of_x, of_state)
            assert off(one, want[name]) < 0.08, name
    if weights is LOW:
        found, want = trained(own, x, hx), trained(theirs, x, hx)
        assert all(found[name].dtype == one.dtype == LOW for name, one in want.items())


@every_kind
def test_gradients_of_weights_are_not_rounded_under_autocast(kind: str) -> None:
    """They are of float32, and hold more than the 8 bits that torch leaves in them."""
    _, own = pair(kind)
    with torch.autocast("cpu", dtype=LOW):
        found = trained(own, torch.randn(T, B, I))
    for name in ("weight_ih_l0", "weight_hh_l0"):
        assert not torch.equal(found[name], found[name].to(LOW).float())


@every_kind
def test_autocast_in_other_types_runs_in_the_type_of_the_weights(kind: str) -> None:
    for weights, asked in ((torch.float32, torch.float16), (torch.float64, LOW)):
        _, own = pair(kind, weights)
        with torch.autocast("cpu", dtype=asked):
            y, _ = own(torch.randn(T, B, I, dtype=weights))
        assert y.dtype == weights


def test_another_type_of_input_is_refused_in_torchs_words() -> None:
    theirs, own = pair("LSTM", LOW)
    messages = []
    for module in (theirs, own):
        with pytest.raises((ValueError, RuntimeError)) as caught:
            module(torch.randn(T, B, I))
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


@every_kind
def test_options_beyond_torchs(kind: str) -> None:
    own = getattr(ours, kind)(I, H, recurrent_dropout=0.2, zoneout=0.1, checkpoint=True, dtype=LOW)
    found = trained(own, torch.randn(T, B, I).to(LOW))
    assert all(one.dtype == LOW and one.isfinite().all() for one in found.values())
    if kind != "RNN":
        normalized = getattr(ours, kind)(I, H, layer_norm=True, dtype=LOW)
        exact = copy.deepcopy(normalized).double()
        x = torch.randn(T, B, I).to(LOW)
        assert off(normalized(x)[0], exact(x.double())[0]) < 2.0**-6


@every_kind
def test_the_compiler(kind: str) -> None:
    _, own = pair(kind, LOW)
    x = torch.randn(T, B, I).to(LOW)
    compiled = torch.compile(own, backend="aot_eager", fullgraph=True)
    found, want = trained(compiled, x), trained(own, x)
    for (_, got), (_, one) in zip(found.items(), want.items(), strict=True):
        assert got.dtype == one.dtype
        assert torch.equal(got, one)


@every_kind
def test_gradients_of_gradients(kind: str) -> None:
    _, own = pair(kind, LOW)
    x = torch.randn(2, 2, I).to(LOW).requires_grad_()
    (dx,) = torch.autograd.grad(own(x)[0].sum(), x, create_graph=True)
    (ddx,) = torch.autograd.grad((dx.float() ** 2).sum(), x)
    assert ddx.dtype == LOW
    assert ddx.isfinite().all()
    assert ddx.any()


@every_kind
def test_function_transforms(kind: str) -> None:
    _, own = pair(kind, LOW)
    x = torch.randn(2, 2, I).to(LOW)
    (want,) = torch.autograd.grad(own(x.requires_grad_())[0].sum(), x)
    got = torch.func.grad(lambda x: own(x)[0].sum())(x.detach())
    assert torch.equal(got, want)


def test_a_model_learns() -> None:
    """To tell whether a sequence has more ones than zeros, in bfloat16 as in float32."""
    torch.manual_seed(0)
    x = (torch.rand(12, 64, 1) < 0.5).float()
    wanted = (x.sum(0) > 6).float()
    losses = []
    for dtype in (torch.float32, LOW):
        torch.manual_seed(1)
        lstm, head = ours.LSTM(1, 16, dtype=dtype), torch.nn.Linear(16, 1, dtype=dtype)
        optimizer = torch.optim.Adam([*lstm.parameters(), *head.parameters()], 0.02)
        for _ in range(60):
            logits = head(lstm(x.to(dtype))[0][-1])
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), wanted)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[0] < 0.3
    assert losses[1] < 0.35


def test_matrix_registers_are_shared_with_torch():
    """Both shape those of a thread (AMX): neither finds what the other left."""
    theirs, own = pair("LSTM", LOW, batch_first=False)
    x = torch.randn(T, 40, I, generator=torch.Generator().manual_seed(2)).to(LOW)
    with torch.inference_mode():
        alone = [flat(module(x)) for module in (theirs, own)]
        for _ in range(3):
            for module, results in zip((theirs, own), alone, strict=True):
                assert all(map(torch.equal, flat(module(x)), results))
