"""Our modules beside torch's, from the same seed, to the last digits of float64."""

import copy
import io
import itertools
import pickle

import numpy as np
import pytest
import torch
from torch.nn.utils import parametrizations, prune
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

import rnnfast
from rnnfast.interop import torch as ours

KINDS = ("RNN", "LSTM", "GRU")
FORMS = [
    {"num_layers": layers, "bidirectional": both, "bias": bias, "batch_first": first, **more}
    for layers, both, bias, first, more in itertools.product(
        (1, 2), (False, True), (True, False), (False, True), ({}, {"proj_size": 3})
    )
]
CASES = [
    (kind, form) for kind in KINDS for form in FORMS if kind == "LSTM" or "proj_size" not in form
] + [("RNN", {"nonlinearity": "relu"})]
TIGHT = {"rtol": 1e-10, "atol": 1e-12}


def twins(kind: str, dtype=torch.float64, seed: int = 1, sizes=(5, 7), **form):
    """Torch's module and ours, made from one seed."""
    made = []
    for library in (torch.nn, ours):
        torch.manual_seed(seed)
        made.append(getattr(library, kind)(*sizes, dtype=dtype, **form))
    return made


def flat(results) -> list[torch.Tensor]:
    y, hidden = results
    y = y.data if isinstance(y, PackedSequence) else y
    return [y, *(hidden if isinstance(hidden, tuple) else (hidden,))]


def states_of(module, batch: int | None, dtype=torch.float64):
    parts = module.num_layers * (2 if module.bidirectional else 1)
    leading = (parts,) if batch is None else (parts, batch)
    widths = [module.proj_size or module.hidden_size, module.hidden_size]
    states = tuple(torch.randn(*leading, width, dtype=dtype) for width in widths)
    return states if module.mode == "LSTM" else states[0]


def assert_same(theirs, own) -> None:
    for a, b in zip(flat(theirs), flat(own), strict=True):
        torch.testing.assert_close(b, a, **TIGHT)


def pulled(module, x, states) -> list[torch.Tensor]:
    """Gradients of x, the states and the parameters."""
    both = states if isinstance(states, tuple) else (states,)
    leaves = [t.clone().requires_grad_() for t in (x, *both)]
    given = tuple(leaves[1:]) if isinstance(states, tuple) else leaves[1]
    loss = sum((result.square() * 0.5 + result).sum() for result in flat(module(leaves[0], given)))
    return list(torch.autograd.grad(loss, [*leaves, *module.parameters()]))


@pytest.mark.usefixtures("by_our_kernels")
@pytest.mark.parametrize(("kind", "form"), CASES, ids=str)
def test_results_and_gradients_are_torchs(kind, form):
    theirs, own = twins(kind, **form)
    assert list(theirs.state_dict()) == list(own.state_dict())
    for a, b in zip(theirs.parameters(), own.parameters(), strict=True):
        assert torch.equal(a, b)
    assert own.extra_repr() == theirs.extra_repr()
    shape = (4, 6, 5) if form.get("batch_first") else (6, 4, 5)
    x, states = torch.randn(*shape, dtype=torch.float64), states_of(own, 4)
    assert_same(theirs(x), own(x))
    assert_same(theirs(x, states), own(x, states))
    for a, b in zip(pulled(theirs, x, states), pulled(own, x, states), strict=True):
        torch.testing.assert_close(b, a, **TIGHT)
    with torch.no_grad():
        for _ in range(2):  # packed, and from the pack
            assert_same(theirs(x, states), own(x, states))


@pytest.mark.usefixtures("by_our_kernels")
@pytest.mark.parametrize(("kind", "form"), CASES, ids=str)
def test_unbatched_sequences(kind, form):
    theirs, own = twins(kind, **form)
    x, states = torch.randn(6, 5, dtype=torch.float64), states_of(own, None)
    assert_same(theirs(x), own(x))
    assert_same(theirs(x, states), own(x, states))


@pytest.mark.usefixtures("by_our_kernels")
@pytest.mark.parametrize("sorted_by_length", [True, False])
@pytest.mark.parametrize(("kind", "form"), CASES, ids=str)
def test_packed_sequences(kind, form, sorted_by_length):
    theirs, own = twins(kind, **form)
    lengths = [6, 4, 4, 1] if sorted_by_length else [4, 1, 6, 4]
    x = torch.randn(6, 4, 5, dtype=torch.float64, requires_grad=True)
    states = states_of(own, 4)
    found = [
        module(pack_padded_sequence(x, lengths, enforce_sorted=sorted_by_length), states)
        for module in (theirs, own)
    ]
    assert_same(*found)
    for name in ("batch_sizes", "sorted_indices", "unsorted_indices"):
        a, b = (getattr(y, name) for y, _ in found)
        assert a is b or torch.equal(a, b)
    of_x = [torch.autograd.grad(sum(t.sum() for t in flat(r)), x)[0] for r in found]
    torch.testing.assert_close(of_x[1], of_x[0], **TIGHT)


@pytest.mark.parametrize("kind", KINDS)
def test_derivatives_of_first_and_second_order(kind):
    torch.manual_seed(3)
    module = getattr(ours, kind)(3, 4, 2, bidirectional=True, dtype=torch.float64)
    x = torch.randn(3, 2, 3, dtype=torch.float64, requires_grad=True)
    states = states_of(module, 2)
    states = tuple(s.requires_grad_() for s in (states if isinstance(states, tuple) else (states,)))
    names = [name for name, _ in module.named_parameters()]

    def function(x, *rest):
        given, weights = rest[: len(states)], rest[len(states) :]
        given = given if len(given) == 2 else given[0]
        own = dict(zip(names, weights, strict=True))
        return tuple(flat(torch.func.functional_call(module, own, (x, given))))

    everything = (x, *states, *module.parameters())
    assert torch.autograd.gradcheck(function, everything)
    assert torch.autograd.gradgradcheck(function, everything)


WRONG = {
    "dims": lambda m: (torch.zeros(2, 3, 4, 5),),
    "features": lambda m: (torch.zeros(6, 4, 9),),
    "dtype": lambda m: (torch.zeros(6, 4, 5, dtype=torch.float64),),
    "batch": lambda m: (torch.zeros(6, 4, 5), states_of(m, 3, torch.float32)),
    "layers": lambda m: (torch.zeros(6, 4, 5), torch.zeros(9, 4, 7)),
    "unbatched states": lambda m: (torch.zeros(6, 4, 5), states_of(m, None, torch.float32)),
    "no steps": lambda m: (torch.zeros(0, 4, 5),),
    "no states": lambda m: (torch.zeros(6, 5), states_of(m, 4, torch.float32)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", WRONG)
def test_errors_are_torchs(kind, what):
    said = []
    for module in twins(kind, torch.float32):
        with pytest.raises(Exception) as caught:  # whatever torch raises
            module(*WRONG[what](module))
        said.append((type(caught.value), str(caught.value)))
    assert said[0] == said[1]


@pytest.mark.usefixtures("by_our_kernels")
@pytest.mark.parametrize("kind", KINDS)
def test_copies_and_files(kind):
    _, own = twins(kind, num_layers=2)
    x = torch.randn(6, 4, 5, dtype=torch.float64)
    with torch.no_grad():
        want = own(x)
    file = io.BytesIO()
    torch.save(own.state_dict(), file)
    loaded = getattr(ours, kind)(5, 7, 2, dtype=torch.float64)
    loaded.load_state_dict(torch.load(io.BytesIO(file.getvalue())))
    for other in (copy.deepcopy(own), pickle.loads(pickle.dumps(own)), loaded, own.share_memory()):
        assert type(other) is type(own)
        with torch.no_grad():
            assert_same(want, other(x))


@pytest.mark.usefixtures("by_our_kernels")
def test_a_pack_is_made_anew_when_weights_change():
    theirs, own = twins("LSTM")
    x = torch.randn(6, 4, 5, dtype=torch.float64)
    with torch.no_grad():
        own(x)
        for module in (theirs, own):
            module.weight_hh_l0.mul_(2)
        assert_same(theirs(x), own(x))
        for module in (theirs, own):
            module.weight_ih_l0.data = torch.ones_like(module.weight_ih_l0)
        assert_same(theirs(x), own(x))
        for module in (theirs, own):
            module.bias_ih_l0 = torch.nn.Parameter(torch.ones_like(module.bias_ih_l0))
        assert_same(theirs(x), own(x))
        for module in (theirs, own):
            module.weight_hh_l0.data.mul_(0.5)
        assert_same(theirs(x), own(x))
    with torch.inference_mode():
        assert_same(theirs(x), own(x))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own
def test_forward_mode_derivatives_are_refused():
    module = ours.LSTM(5, 7).requires_grad_(False)
    x = torch.randn(6, 4, 5)
    with torch.autograd.forward_ad.dual_level(), pytest.raises((RuntimeError, NotImplementedError)):
        module(torch.autograd.forward_ad.make_dual(x, x))


@pytest.mark.usefixtures("by_our_kernels")
def test_parametrizations_and_pruning():
    theirs, own = twins("GRU")
    x = torch.randn(6, 4, 5, dtype=torch.float64)
    for module in (theirs, own):
        parametrizations.weight_norm(module, "weight_hh_l0")
        prune.l1_unstructured(module, "weight_ih_l0", amount=0.4)
    assert_same(theirs(x), own(x))
    states = states_of(own, 4)
    for a, b in zip(pulled(theirs, x, states), pulled(own, x, states), strict=True):
        torch.testing.assert_close(b, a, **TIGHT)


@pytest.mark.usefixtures("by_our_kernels")
@pytest.mark.parametrize(
    ("kind", "options", "arguments"),
    [
        ("LSTM", {"layer_norm": True}, {}),
        ("GRU", {"layer_norm": True}, {}),
        ("LSTM", {"peephole": True}, {}),
        ("LSTM", {"zoneout": (0.2, 0.3)}, {"zoneout": (0.2, 0.3)}),
        ("GRU", {"zoneout": 0.2, "checkpoint": True}, {"zoneout": 0.2}),
    ],
    ids=str,
)
def test_options_beyond_torch_are_those_of_the_functions(kind, options, arguments):
    torch.manual_seed(5)
    module = getattr(ours, kind)(5, 7, 2, bidirectional=True, dtype=torch.float64, **options).eval()
    x = torch.randn(6, 4, 5, dtype=torch.float64)
    resets = torch.rand(6, 4) < 0.3
    names = {"weight_ih": "w_ih", "weight_hh": "w_hh", "bias_ih": "b_ih", "bias_hh": "b_hh"}
    names |= {"weight_norm": "layer_norm", "weight_peephole": "peephole"}
    weights = {
        own: [
            p.detach().numpy() for n, p in module.named_parameters() if n.startswith(theirs + "_l")
        ]
        for theirs, own in names.items()
    }
    weights = {name: arrays for name, arrays in weights.items() if arrays}
    want = getattr(rnnfast, kind.lower())(
        x.numpy(), **weights, resets=resets.numpy(), bidirectional=True, **arguments
    )
    got = flat(module(x, resets=resets))
    for a, b in zip(want, got, strict=True):
        np.testing.assert_array_equal(b.detach().numpy(), a)
    names = [name for name, _ in module.named_parameters()]

    def function(x, *weights):
        own = dict(zip(names, weights, strict=True))
        return torch.func.functional_call(module, own, (x,), {"resets": resets})[0]

    given = (x.requires_grad_(), *module.parameters())
    assert torch.autograd.gradcheck(function, given, fast_mode=True)
    assert torch.autograd.gradgradcheck(function, given, fast_mode=True)


@pytest.mark.usefixtures("by_our_kernels")
def test_noise_is_drawn_in_training_alone():
    module = ours.LSTM(5, 7, 2, dropout=0.5, recurrent_dropout=0.3, weight_dropout=0.2, zoneout=0.1)
    x = torch.randn(6, 4, 5)
    torch.manual_seed(1)
    first, second = module(x)[0], module(x)[0]
    torch.manual_seed(1)
    again = module(x)[0]
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    module.eval()
    assert torch.equal(module(x)[0], module(x)[0])


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("GRU", {"peephole": True}, "peephole is an option of LSTM"),
        ("RNN", {"layer_norm": True}, "layer_norm is an option of LSTM and GRU"),
        ("LSTM", {"layer_norm": True, "proj_size": 3}, "layer_norm goes with neither"),
        ("LSTM", {"zoneout": 1.0}, "rates must be in"),
    ],
)
def test_bad_options(kind, options, message):
    with pytest.raises(ValueError, match=message):
        getattr(ours, kind)(5, 7, **options)
