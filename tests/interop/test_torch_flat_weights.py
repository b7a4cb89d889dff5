"""Torch's layers compute with `_flat_weights`, whatever was assigned there: so do ours."""

import pytest
import torch
from torch.nn.utils import parametrizations
from torch.utils._python_dispatch import TorchDispatchMode

from rnnfast.interop import torch as ours

pytestmark = pytest.mark.usefixtures("by_our_kernels")

T, B, INPUTS, H = 5, 2, 3, 4
KINDS = ("LSTM", "GRU", "RNN")
FORMS = ({}, {"num_layers": 2, "bidirectional": True, "batch_first": True})
NAME = "weight_hh_l0"
TIGHT = {"rtol": 1e-11, "atol": 1e-12}


def assigned(m):
    m._flat_weights = [w.detach() * 2 for w in m._flat_weights]


def assigned_with_gradients(m):
    m._flat_weights = [w * 2 for w in m._flat_weights]


def one_assigned(m):
    m._flat_weights[1] = m._flat_weights[1].detach() * 0


def dropped(m):
    raw = m._parameters.pop(NAME)
    m.register_parameter(NAME + "_raw", raw)
    setattr(m, NAME, raw * 0.5)


def assigned_and_then_replaced(m):
    assigned(m)
    m(torch.ones(T, B, INPUTS, dtype=torch.float64))
    replaced(m)


def replaced_and_then_assigned(m):
    replaced(m)
    m(torch.ones(T, B, INPUTS, dtype=torch.float64))
    assigned(m)


def replaced(m):
    setattr(m, NAME, torch.nn.Parameter(getattr(m, NAME).detach() * 3))


def replaced_in_the_registry(m):
    m._parameters[NAME] = torch.nn.Parameter(m._parameters[NAME].detach() * 3)


def plain_in_the_registry(m):
    m._parameters[NAME] = m._parameters[NAME] * 0.5


def other_data(m):
    weight = getattr(m, NAME)
    weight.data = weight.data * 3


def parametrized(m):
    parametrizations.weight_norm(m, NAME)
    m.parametrizations[NAME].original0.data.mul_(2)


def assigned_to_a_parametrized_one(m):
    parametrized(m)
    assigned(m)


CHANGES = [
    assigned,
    assigned_with_gradients,
    one_assigned,
    dropped,
    assigned_and_then_replaced,
    replaced_and_then_assigned,
    replaced,
    replaced_in_the_registry,
    plain_in_the_registry,
    other_data,
    parametrized,
    assigned_to_a_parametrized_one,
]


class Watching(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


def in_inference(m, x):
    with torch.no_grad():
        return [m(x)[0], m(x)[0]]  # packed, and from the pack


def with_gradients(m, x):
    x = x.clone().requires_grad_()
    y = m(x)[0]
    leaves = [x, *m.parameters()]
    return [y, *torch.autograd.grad(y.square().sum(), leaves, allow_unused=True)]


def through_operators(m, x):
    with Watching():
        return with_gradients(m, x)


def through_transforms(m, x):
    return [torch.func.grad(lambda x: m(x)[0].square().sum())(x)]


def compiled(m, x):
    torch._dynamo.reset()
    return with_gradients(torch.compile(m, backend="aot_eager"), x)


WAYS = [in_inference, with_gradients, through_operators, through_transforms]


def changed_twins(kind, change, form):
    """Torch's module and ours, called and then changed in the same way."""
    made = []
    for library in (torch.nn, ours):
        torch.manual_seed(0)
        module = getattr(library, kind)(INPUTS, H, dtype=torch.float64, **form)
        x = torch.randn(T, B, INPUTS, dtype=torch.float64)
        for way in (in_inference, with_gradients):
            way(module, x)
        change(module)
        made.append(module)
    return *made, x


@pytest.mark.parametrize("form", FORMS, ids=["single", "stacked"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", KINDS)
def test_results_and_gradients_are_torchs(kind, change, way, form):
    theirs, own, x = changed_twins(kind, change, form)
    torch.testing.assert_close(way(own, x), way(theirs, x), **TIGHT)


@pytest.mark.filterwarnings("ignore")  # of torch's compiler, about itself
@pytest.mark.parametrize("change", CHANGES)
def test_compiled_results_and_gradients_are_torchs(change):
    theirs, own, x = changed_twins("GRU", change, {})
    torch.testing.assert_close(compiled(own, x), with_gradients(theirs, x), **TIGHT)


@pytest.mark.parametrize("grad", [True, False])
@pytest.mark.parametrize("odd", [None, 1.0, "too few"], ids=str)
def test_what_is_no_weight_is_left_to_torch_to_refuse(odd, grad):
    said = []
    for library in (torch.nn, ours):
        module = library.LSTM(INPUTS, H)
        with torch.set_grad_enabled(grad):
            module(torch.ones(T, B, INPUTS))
            if odd == "too few":
                module._flat_weights = module._flat_weights[:3]
            else:
                module._flat_weights[2] = odd
            with pytest.raises(Exception) as caught:  # whatever torch raises
                module(torch.ones(T, B, INPUTS))
        said.append((type(caught.value), str(caught.value)))
    assert said[0] == said[1]


@pytest.mark.parametrize("grad", [True, False])
def test_another_nonlinearity_is_another_module(grad):
    x = torch.randn(T, B, INPUTS)
    with torch.set_grad_enabled(grad):
        layers, cell = ours.RNN(INPUTS, H), ours.RNNCell(INPUTS, H)
        for module, given in ((layers, x), (cell, x[0])):
            module(given), module(given)
        layers.mode, cell.nonlinearity = "RNN_RELU", "relu"
        torch.testing.assert_close(layers(x)[0], torch.nn.RNN.forward(layers, x)[0])
        torch.testing.assert_close(cell(x[0]), torch.nn.RNNCell.forward(cell, x[0]))
        cell.nonlinearity = "sin"
        with pytest.raises(RuntimeError, match="Unknown nonlinearity: sin"):
            cell(x[0])
