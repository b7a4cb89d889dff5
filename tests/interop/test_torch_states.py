"""States and sizes at the edge: what torch takes is taken, what it refuses is refused alike."""

import pytest
import torch

from rnnfast.interop import torch as ours

LAYERS = ("LSTM", "GRU", "RNN")
CELLS = tuple(f"{name}Cell" for name in LAYERS)
T, B, INPUTS, H = 3, 2, 5, 7

every_kind = pytest.mark.parametrize("kind", (*LAYERS, *CELLS))
every_mode = pytest.mark.parametrize("grad", [True, False])


def two_states(kind, batched=True):
    torch.manual_seed(2)
    leading = ([] if kind in CELLS else [1]) + ([B] if batched else [])
    return [torch.randn(*leading, H) for _ in range(2)]


def with_state(kind, make, grad, batched=True):
    """What torch's module and ours say to a state; ours has packed its weights before."""
    said = []
    for library in (torch.nn, ours):
        torch.manual_seed(1)
        module = getattr(library, kind)(INPUTS, H)
        x = torch.randn(*([] if kind in CELLS else [T]), *([B] if batched else []), INPUTS)
        with torch.set_grad_enabled(grad):
            module(x)
            try:
                results = module(x, make(*two_states(kind, batched)))
                said.append([t.detach() for t in torch.utils._pytree.tree_leaves(results)])
            except Exception as error:  # whatever torch raises
                said.append((type(error), str(error)))
    return said


ODD = {
    "one tensor of both": lambda h, c: torch.stack([h, c]),
    "a tuple of h": lambda h, c: (h,),
    "h and c and h": lambda h, c: (h, c, h),
    "h and None": lambda h, c: (h, None),
    "None and c": lambda h, c: (None, c),
    "an array": lambda h, c: h.numpy(),
    "arrays": lambda h, c: (h.numpy(), c.numpy()),
    "nothing": lambda h, c: (),
    "a number": lambda h, c: 0.0,
}


@every_kind
@every_mode
@pytest.mark.parametrize("batched", [True, False], ids=["batched", "unbatched"])
@pytest.mark.parametrize("make", ODD.values(), ids=ODD)
def test_states_in_other_forms_are_torchs_to_judge(kind, make, grad, batched):
    theirs, own = with_state(kind, make, grad, batched)
    if isinstance(theirs, list):  # torch takes two of anything, of single sequences
        torch.testing.assert_close(own, theirs)
    else:
        assert own == theirs


@every_mode
@pytest.mark.parametrize("batched", [True, False], ids=["batched", "unbatched"])
@pytest.mark.parametrize("kind", ["LSTM", "LSTMCell"])
def test_a_list_of_states_is_taken(kind, grad, batched):
    theirs, own = with_state(kind, lambda h, c: [h, c], grad, batched)
    torch.testing.assert_close(own, theirs)


@every_kind
@pytest.mark.parametrize("sizes", [(5, 0), (0, 7), (0, 0)], ids=str)
@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors is a no-op")  # torch's own
def test_sizes_of_zero(kind, sizes):
    said = []
    for library in (torch.nn, ours):
        torch.manual_seed(1)
        try:
            module = getattr(library, kind)(*sizes)
        except ValueError as error:
            said.append(str(error))
            continue
        x = torch.randn(B, sizes[0], requires_grad=True)
        leaves = torch.utils._pytree.tree_leaves(module(x))
        sum(t.sum() for t in leaves).backward()
        with torch.no_grad():
            for _ in range(2):
                leaves += torch.utils._pytree.tree_leaves(module(x))
            leaves += torch.utils._pytree.tree_leaves(module(x[0]))
        said.append([*leaves, x.grad, *(p.grad for p in module.parameters())])
    if kind in LAYERS:
        assert "must be greater than zero" in said[0]
        assert said[1] == said[0]
    else:
        torch.testing.assert_close(said[1], said[0])
