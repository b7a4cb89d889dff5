"""Adam beside PyTorch's: the same rule with another epsilon, as its docstring says."""

import numpy as np
import pytest
import torch

from rnnfast.optimizers import Adam, AdamW

STEPS = 30
GRADS = np.random.default_rng(4).normal(size=(STEPS, 5)) * np.array([1e-5, 1e-4, 1e-3, 1.0, 10.0])


def torch_steps(cls, **options):
    w = torch.ones(5, dtype=torch.float64, requires_grad=True)
    optimizer = cls([w], lr=0.01, eps=1e-8, **options)
    for gradient in GRADS:
        w.grad = torch.tensor(gradient)
        optimizer.step()
        yield w.detach().numpy().copy()


@pytest.mark.parametrize("amsgrad", [False, True])
@pytest.mark.parametrize("decay", [None, 0.3])
def test_epsilon_of_each_step_gives_the_numbers_of_torch(amsgrad, decay):
    if decay is None:
        theirs = torch_steps(torch.optim.Adam, amsgrad=amsgrad)
        ours = Adam(0.01, amsgrad=amsgrad)
    else:
        theirs = torch_steps(torch.optim.AdamW, amsgrad=amsgrad, weight_decay=decay)
        ours = AdamW(0.01, decay, amsgrad=amsgrad)
    w = np.ones(5)
    for gradient, expected in zip(GRADS, theirs, strict=True):
        ours.epsilon = 1e-8 * np.sqrt(1 - 0.999 ** (ours.iterations + 1))
        ours.apply([gradient], [w])
        np.testing.assert_allclose(w, expected, rtol=1e-12)


def constant_gradient(gradient, steps):
    """The last of some steps of a constant gradient, ours with epsilon 1e-8 and torch's."""
    w, ours = np.zeros(1), Adam(0.01, epsilon=1e-8)
    v = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    theirs = torch.optim.Adam([v], lr=0.01, eps=1e-8)
    for _ in range(steps):
        before = w[0], v.item()
        ours.apply([np.full(1, gradient)], [w])
        v.grad = torch.full((1,), gradient, dtype=torch.float64)
        theirs.step()
    return w[0] - before[0], v.item() - before[1]


@pytest.mark.parametrize(("steps", "share"), [(1, 3.06e-7), (4, 1.48e-7), (100, 2.24e-8)])
@pytest.mark.parametrize("gradient", [1e-3, -1.0])
def test_a_constant_epsilon_shortens_the_first_steps_as_the_notes_say(steps, share, gradient):
    ours, theirs = constant_gradient(gradient, steps)
    assert 1 - ours / theirs == pytest.approx(share / abs(gradient), rel=0.02)


def test_a_constant_epsilon_gives_the_numbers_of_torch_in_the_end():
    ours, theirs = constant_gradient(1e-3, 8000)
    assert ours == pytest.approx(theirs, rel=1e-8)
