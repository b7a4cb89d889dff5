"""Subclasses of torch's modules, a user's and those that torch makes itself, swapped and back."""

import copy
import pickle

import pytest
import torch
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import weight_norm

from rnnfast.interop import torch as ours

KINDS = ("LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell")
INPUTS, H = 3, 4


class Sized:
    """What a subclass may have beside torch's forward."""

    def __init__(self, size):
        super().__init__(size, H)
        self.note = "kept"

    def zero_state(self, batch):
        return torch.zeros(batch, self.hidden_size)

    def extra_repr(self):
        return f"own, {super().extra_repr()}"

    def reset_parameters(self):
        super().reset_parameters()
        self.drawn = getattr(self, "drawn", 0) + 1


class OwnLSTM(Sized, torch.nn.LSTM):
    """A long short-term memory."""


class OwnGRU(Sized, torch.nn.GRU):
    pass


class OwnRNN(Sized, torch.nn.RNN):
    pass


class OwnLSTMCell(Sized, torch.nn.LSTMCell):
    pass


class OwnGRUCell(Sized, torch.nn.GRUCell):
    pass


class OwnRNNCell(Sized, torch.nn.RNNCell):
    pass


OWN = dict(zip(KINDS, (OwnLSTM, OwnGRU, OwnRNN, OwnLSTMCell, OwnGRUCell, OwnRNNCell), strict=True))
every_kind = pytest.mark.parametrize("kind", KINDS)


def module_and_input(kind):
    torch.manual_seed(0)
    return OWN[kind](INPUTS), torch.randn(*([] if kind.endswith("Cell") else [5]), 2, INPUTS)


def outcome(module, x):
    """Results and gradients."""
    module.zero_grad()
    results = torch.utils._pytree.tree_leaves(module(x))
    sum(t.sin().sum() for t in results).backward()
    return [t.detach() for t in results], [p.grad for p in module.parameters()]


@every_kind
@pytest.mark.usefixtures("by_our_kernels")
def test_an_unchanged_forward_is_ours(kind):
    module, x = module_and_input(kind)
    want, shown, before = outcome(module, x), repr(module), type(module)
    assert ours.swap(module).swapped == {"": f"Own{kind}"}
    calls = ours.kernel_calls()
    torch.testing.assert_close(outcome(module, x), want)
    assert ours.kernel_calls() == calls + 2
    assert repr(module) == shown
    assert isinstance(module, (before, getattr(torch.nn, kind)))
    assert module.note == "kept"
    assert module.zero_state(2).shape == (2, H)
    assert not ours.swap(module).swapped
    assert ours.swap_back(module).swapped == {"": f"Own{kind}"}
    assert type(module) is before


@every_kind
@pytest.mark.usefixtures("by_our_kernels")
def test_copies_and_new_ones(kind):
    module, x = module_and_input(kind)
    ours.swap(module)
    with torch.no_grad():
        want = module(x)
    for copied in (copy.copy(module), copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert type(copied) is type(module)
        assert copied.note == "kept"
        with torch.no_grad():
            torch.testing.assert_close(copied(x), want, rtol=0, atol=0)
    torch.manual_seed(0)
    fresh = type(module)(INPUTS)
    assert type(fresh) is type(module)
    assert fresh.drawn == 1
    torch.testing.assert_close(fresh.state_dict(), module.state_dict(), rtol=0, atol=0)
    another, _ = module_and_input(kind)
    ours.swap(another)
    assert type(another) is type(module)


class OwnStep(torch.nn.LSTM):
    def check_forward_args(self, *args):
        raise RuntimeError("asked")


class OwnCall(torch.nn.GRUCell):
    def __call__(self, *args):
        return super().__call__(*args)


class OwnName(torch.nn.GRU):
    def _run(self):
        return "theirs"


class OwnPart(torch.nn.LSTM):
    def __init__(self):
        super().__init__(INPUTS, H)
        self.layer_norm = torch.nn.LayerNorm(H)


class OwnNumber(torch.nn.LSTM):
    checkpoint = None

    def __init__(self):
        super().__init__(INPUTS, H)
        self.checkpoint = 7


class NoFurther(torch.nn.LSTM):
    def __init_subclass__(cls):
        raise TypeError("final")


def patched():
    module = torch.nn.LSTM(INPUTS, H)
    module.forward = lambda *args: None
    return module


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: OwnStep(INPUTS, H), "OwnStep has a check_forward_args of its own"),
        (lambda: OwnCall(INPUTS, H), "OwnCall has a __call__ of its own"),
        (lambda: OwnName(INPUTS, H), "OwnName has a _run of its own"),
        (OwnPart, "this module has a layer_norm of its own"),
        (OwnNumber, "this module has a checkpoint of its own"),
        (lambda: NoFurther(INPUTS, H), "no class can be derived from NoFurther: final"),
        (patched, "this module has a forward of its own"),
    ],
)
def test_whatever_ours_would_pass_over_is_left(make, reason):
    module = make()
    before = type(module)
    report = ours.swap(module)
    assert report == ({}, {"": reason})
    assert type(module) is before


def test_classes_derived_from_ours_have_no_way_back():
    class Further(ours.LSTM):
        pass

    module = Further(INPUTS, H)
    assert ours.swap_back(module).left == {
        "": f"{Further.__qualname__} derives from a class of rnnfast"
    }


def normed(kind):
    """A module whose class is of torch's making."""
    module, x = module_and_input(kind)
    name = "weight_hh" if kind.endswith("Cell") else "weight_hh_l0"
    return weight_norm(module, name), name, x


@every_kind
@pytest.mark.usefixtures("by_our_kernels")
def test_parametrized_before(kind):
    module, name, x = normed(kind)
    want = outcome(module, x)
    assert ours.swap(module).swapped == {"": f"ParametrizedOwn{kind}"}
    calls = ours.kernel_calls()
    torch.testing.assert_close(outcome(module, x), want)
    assert ours.kernel_calls() > calls
    assert ours.swap_back(module).swapped == {"": f"ParametrizedOwn{kind}"}
    torch.testing.assert_close(outcome(module, x), want)
    ours.swap(module)
    parametrize.remove_parametrizations(module, name)
    ours.swap_back(module)
    assert type(module) is OWN[kind]


@every_kind
def test_parametrized_after(kind):
    module, x = module_and_input(kind)
    ours.swap(module)
    name = "weight_hh" if kind.endswith("Cell") else "weight_hh_l0"
    weight_norm(module, name)
    want = outcome(module, x)
    assert ours.swap_back(module).swapped == {"": f"ParametrizedOwn{kind}"}
    calls = ours.kernel_calls()
    torch.testing.assert_close(outcome(module, x), want)
    assert ours.kernel_calls() == calls
    parametrize.remove_parametrizations(module, name)
    assert type(module) is OWN[kind]


@pytest.mark.filterwarnings("ignore")  # of torch's compiler, about itself
@pytest.mark.parametrize("allowed", [False, True], ids=["", "allow_rnn"])
def test_the_compiler_passes_by_a_subclass_unless_it_is_allowed(allowed):
    module, x = module_and_input("LSTM")
    ours.swap(module)
    want = outcome(module, x)
    with torch._dynamo.config.patch(allow_rnn=allowed):
        torch._dynamo.reset()
        compiled = torch.compile(
            torch.nn.Sequential(module), backend="aot_eager", fullgraph=allowed
        )
        torch.testing.assert_close(outcome(compiled, x), want)
