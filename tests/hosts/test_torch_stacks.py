"""Stacked and bidirectional layers as torch has them, also on sequences of different lengths."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rnnfast

T, B, I, H, R = 11, 6, 5, 9, 4  # noqa: E741
LENGTHS = [3, 11, 1, 7, 11, 6]


@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["padded", "packed"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers", [1, 2, 4])
@pytest.mark.parametrize(
    ("cell", "options"),
    [("RNN", {}), ("LSTM", {}), ("GRU", {}), ("LSTM", {"proj_size": R})],
    ids=["RNN", "LSTM", "GRU", "LSTMP"],
)
def test_agrees(cell, options, layers, bidirectional, lengths):
    torch.manual_seed(0)
    kind = getattr(torch.nn, cell)
    module = kind(I, H, layers, bidirectional=bidirectional, **options).double()
    x = torch.randn(T, B, I, dtype=torch.float64, requires_grad=True)
    parts = layers * (1 + bidirectional)
    h0 = torch.randn(
        (parts, B, options.get("proj_size", H)), dtype=torch.float64, requires_grad=True
    )
    c0 = torch.randn((parts, B, H), dtype=torch.float64, requires_grad=True)
    initial = (h0, c0) if cell == "LSTM" else h0

    rnn = torch.nn.utils.rnn
    packed = x if lengths is None else rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)
    y, final = module(packed, initial)
    if lengths is not None:
        y, _ = rnn.pad_packed_sequence(y, total_length=T)
    finals = final if cell == "LSTM" else (final,)
    dy = torch.randn_like(y)
    d_finals = [torch.randn_like(state) for state in finals]
    torch.autograd.backward([y, *finals], [dy, *d_finals])

    names = [
        name[len("weight_ih") :] for name, _ in module.named_parameters() if "weight_ih" in name
    ]
    weights = {
        ours: [getattr(module, theirs + name).detach().numpy() for name in names]
        for ours, theirs in (
            ("w_ih", "weight_ih"),
            ("w_hh", "weight_hh"),
            ("b_ih", "bias_ih"),
            ("b_hh", "bias_hh"),
            *(("w_hr", "weight_hr") for _ in options),
        )
    }
    given = {"h0": h0, "c0": c0} if cell == "LSTM" else {"h0": h0}
    out, pullback = getattr(rnnfast, f"{cell.lower()}_vjp")(
        x.detach().numpy(),
        **weights,
        **{name: state.detach().numpy() for name, state in given.items()},
        bidirectional=bidirectional,
        lengths=lengths,
    )
    for ours, theirs in zip(out, (y, *finals), strict=True):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-10, atol=1e-12)
    grads = pullback(dy.numpy(), *(d.numpy() for d in d_finals))
    np.testing.assert_allclose(grads.x, x.grad.numpy(), rtol=1e-10, atol=1e-12)
    for name, state in given.items():
        np.testing.assert_allclose(getattr(grads, name), state.grad.numpy(), rtol=1e-10, atol=1e-12)
    pairs = [("w_ih", "weight_ih"), ("w_hh", "weight_hh"), ("b_ih", "bias_ih")]
    for ours, theirs in pairs + [("w_hr", "weight_hr") for _ in options]:
        for i, name in enumerate(names):
            want = getattr(module, theirs + name).grad.numpy()
            np.testing.assert_allclose(getattr(grads, ours)[i], want, rtol=1e-10, atol=1e-12)
