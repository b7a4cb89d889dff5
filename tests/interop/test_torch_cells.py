"""Our cells beside torch's."""

import pytest
import torch

from rnnfast.interop import torch as ours

KINDS = [
    ("RNNCell", {}),
    ("RNNCell", {"nonlinearity": "relu"}),
    ("LSTMCell", {}),
    ("GRUCell", {}),
    ("GRUCell", {"bias": False}),
]
every_kind = pytest.mark.parametrize(("kind", "form"), KINDS, ids=str)


def twins(kind, form, dtype=torch.float64):
    made = []
    for library in (torch.nn, ours):
        torch.manual_seed(1)
        made.append(getattr(library, kind)(5, 7, dtype=dtype, **form))
    return made


def states_of(kind, *leading):
    states = tuple(torch.randn(*leading, 7, dtype=torch.float64) for _ in range(2))
    return states if kind == "LSTMCell" else states[0]


def flat(state):
    return list(state) if isinstance(state, tuple) else [state]


@pytest.mark.usefixtures("by_our_kernels")
@every_kind
@pytest.mark.parametrize("leading", [(), (4,)], ids=["unbatched", "batched"])
def test_results_and_gradients_are_torchs(kind, form, leading):
    theirs, own = twins(kind, form)
    x = torch.randn(*leading, 5, dtype=torch.float64, requires_grad=True)
    state = states_of(kind, *leading)
    assert repr(theirs) == repr(own)
    for given in ((x,), (x, state)):
        found = [flat(module(*given)) for module in (theirs, own)]
        pulled = [
            torch.autograd.grad(sum(s.square().sum() for s in of), [x, *module.parameters()])
            for of, module in zip(found, (theirs, own), strict=True)
        ]
        torch.testing.assert_close(found[1], found[0], rtol=1e-12, atol=1e-13)
        torch.testing.assert_close(pulled[1], pulled[0], rtol=1e-10, atol=1e-12)
        with torch.no_grad():
            torch.testing.assert_close(flat(own(*given)), found[0], rtol=1e-12, atol=1e-13)


@every_kind
def test_derivatives_of_first_and_second_order(kind, form):
    _, own = twins(kind, form)
    x = torch.randn(2, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: tuple(flat(own(x))), x)
    assert torch.autograd.gradgradcheck(lambda x: tuple(flat(own(x))), x)


WRONG = {
    "dims": lambda kind: (torch.zeros(1, 1, 1, 5, dtype=torch.float64),),
    "features": lambda kind: (torch.zeros(4, 9, dtype=torch.float64),),
    "batch": lambda kind: (torch.zeros(4, 5, dtype=torch.float64), states_of(kind, 3)),
    "state's dims": lambda kind: (torch.zeros(4, 5, dtype=torch.float64), states_of(kind)),
}


@every_kind
@pytest.mark.parametrize("what", WRONG)
def test_errors_are_torchs(kind, form, what):
    said = []
    for module in twins(kind, form):
        with pytest.raises(Exception) as caught:  # whatever torch raises
            module(*WRONG[what](kind))
        said.append((type(caught.value), str(caught.value)))
    assert said[0] == said[1]
