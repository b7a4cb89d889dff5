"""CTC beside PyTorch's: values, gradients, what cannot be read, and time."""

import numpy as np
import pytest
import torch

import rnnfast
from rnnfast import ctc_loss_vjp
from rnnfast.bench.timing import play_rounds, spread


def of_torch(x, targets, lengths, target_lengths, above, **options):
    """Losses, and the gradients by logits and by logarithms of probabilities."""
    logits = torch.tensor(x, requires_grad=True)
    log_probs = torch.log_softmax(logits, -1)
    log_probs.retain_grad()
    losses = torch.nn.functional.ctc_loss(
        log_probs,
        *map(torch.tensor, (targets, lengths, target_lengths)),
        reduction="none",
        **options,
    )
    (losses * torch.tensor(above)).sum().backward()
    return losses.detach().numpy(), logits.grad.numpy(), log_probs.grad.numpy()


@pytest.mark.parametrize("zero_infinity", [False, True])
@pytest.mark.parametrize("seed", range(40))
def test_values_and_gradients(seed, zero_infinity):
    """Lengths of 0, empty targets, repeated labels and targets that are too long among them."""
    rng = np.random.default_rng(seed)
    steps, rows, classes, labels = rng.integers([1, 1, 2, 0], [30, 6, 12, 12])
    blank = int(rng.integers(classes))
    x = 3 * rng.standard_normal((steps, rows, classes))
    targets = rng.integers(0, classes - 1, (rows, labels))
    targets += targets >= blank
    lengths = rng.integers(0, steps + 1, rows)
    lengths[0] = steps
    target_lengths = rng.integers(0, labels + 1, rows)
    above = rng.standard_normal(rows)
    given = x, targets, lengths, target_lengths
    options = {"blank": blank, "zero_infinity": zero_infinity}
    wanted, by_logits, by_log_probs = of_torch(*given, above, **options)
    losses, pullback = ctc_loss_vjp(*given, **options)
    np.testing.assert_allclose(losses, wanted, rtol=1e-10, atol=1e-10)
    gradient = pullback(above)
    np.testing.assert_allclose(gradient, by_log_probs, rtol=1e-10, atol=1e-10)
    finite = np.isfinite(losses)
    np.testing.assert_allclose(gradient[:, finite], by_logits[:, finite], rtol=1e-10, atol=1e-10)
    found = ctc_loss_vjp(x.astype(np.float32), *given[1:], **options)[0]
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_float_is_nearer_to_double_than_torch_s():
    rng = np.random.default_rng(8)
    x = 2 * rng.standard_normal((1000, 1, 30))
    given = rng.integers(1, 30, (1, 100)), np.array([1000]), np.array([100])
    exact = ctc_loss_vjp(x, *given)[1](np.ones(1))
    x = x.astype(np.float32)
    ours = ctc_loss_vjp(x, *given)[1](np.ones(1, np.float32))
    theirs = of_torch(x, *given, np.ones(1, np.float32))[1]
    assert 5 * np.abs(ours - exact).max() < np.abs(theirs - exact).max()


@pytest.mark.timing
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_forward_and_backward_are_faster(dtype, threads):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 32, 64)).astype(dtype)
    targets, target_lengths = rng.integers(1, 64, (32, 50)), rng.integers(30, 51, 32)
    above = np.ones(32, dtype)
    log_probs = torch.tensor(x).log_softmax(-1).requires_grad_()
    arguments = [*map(torch.tensor, (targets, np.full(32, 200), target_lengths))]

    def ours():
        ctc_loss_vjp(x, targets, None, target_lengths)[1](above)

    def theirs():  # without the softmax that ours has
        log_probs.grad = None
        torch.nn.functional.ctc_loss(log_probs, *arguments, reduction="sum").backward()

    torch.set_num_threads(threads)
    with rnnfast.num_threads(threads):
        rounds = list(play_rounds({"ours": ours, "theirs": theirs}, 7))
    ratio = spread([one["theirs"] / one["ours"] for one in rounds]).median
    assert ratio > 2, f"{ratio:.1f} times torch"
