"""The equations in differentiable operations of torch: what double backward is made of.

Slow, a Python loop over the steps, and right in any order of differentiation. Masks are those that
the kernels draw from the same seed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from . import _passes
from ._call import Call, Operands

_EPSILON = 1e-5  # of layer normalization


def outputs(call: Call, operands: Operands) -> tuple[Tensor, ...]:
    """Return y, h_n and, where there is one, c_n, as `_kernels.forward` does."""
    x, h0, c0, weights, lengths, resets, seed = operands
    noise, place, dtype = _passes.noise(call, x, seed), _passes.place_of(x), _passes.type_of(x)
    lengths = None if lengths is None else lengths.to(x.device)
    width, directions = len(call.weight_names), call.directions
    parts = [
        dict(zip(call.weight_names, weights[i : i + width], strict=True))
        for i in range(0, len(weights), width)
    ]
    steps, batch, _ = x.shape
    takes = [None if lengths is None else (t < lengths)[:, None] for t in range(steps)]
    begins = [None if resets is None else resets[t][:, None] for t in range(steps)]
    last: list[tuple[Tensor, ...]] = []
    ways: list[Tensor] = []
    for number, part in enumerate(parts):
        layer, direction = divmod(number, directions)
        if direction == 0:
            if layer:
                x = torch.cat(ways, 2)
            mask = noise.of_inputs(place, layer, tuple(x.shape), dtype)
            x = x if mask is None else x * _passes.mask_tensor(mask, x)
            ways = []
        weight_mask = noise.of_weights(place, number, tuple(part["w_hh"].shape), dtype)
        if weight_mask is not None:
            part["w_hh"] = part["w_hh"] * _passes.mask_tensor(weight_mask, x)
        hidden = part["w_hr"].shape[1] if "w_hr" in part else part["w_hh"].shape[1]
        widths = (part["w_hh"].shape[1], hidden)
        masks = noise.of_states(place, number, (steps, batch), widths, dtype) or (None,) * 3
        recurrent, *kept = (None if m is None else _passes.mask_tensor(m, x) for m in masks)
        step = _STEPS[call.kind]
        initial = (h0, c0) if call.has_c else (h0,)
        state = tuple(
            x.new_zeros(batch, size) if s is None else s[number]
            for s, size in zip(initial, widths, strict=False)
        )
        ys: list[Tensor] = [x.new_zeros(())] * steps
        for t in reversed(range(steps)) if direction else range(steps):
            before = state
            if begins[t] is not None:
                state = tuple(torch.where(begins[t], 0.0, s) for s in state)
            seen = state[0] if recurrent is None else state[0] * recurrent
            after = step(part, x[t], seen, *state)
            after = tuple(
                new if d is None else d[t] * old + (1 - d[t]) * new
                for old, new, d in zip(state, after, kept, strict=False)
            )
            ys[t] = after[0]
            if takes[t] is not None:
                after = tuple(
                    torch.where(takes[t], new, old) for old, new in zip(before, after, strict=True)
                )
                ys[t] = torch.where(takes[t], ys[t], 0.0)
            state = after
        ways.append(torch.stack(ys) if steps else x.new_zeros(0, batch, widths[0]))
        last.append(state)
    return (torch.cat(ways, 2), *(torch.stack(states) for states in zip(*last, strict=True)))


def _products(part: dict[str, Tensor], x: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """Return what the inputs and what h give to the gates."""
    b_ih, b_hh = part.get("b_ih"), part.get("b_hh")
    return linear(x, part["w_ih"], b_ih), linear(seen, part["w_hh"], b_hh)


def _norm(values: Tensor, gain: Tensor, bias: Tensor | None) -> Tensor:
    return torch.nn.functional.layer_norm(values, values.shape[-1:], gain, bias, _EPSILON)


def _rnn(function: Callable[[Tensor], Tensor]) -> Any:
    def step(part: dict[str, Tensor], x: Tensor, seen: Tensor, h: Tensor) -> tuple[Tensor]:
        of_x, of_h = _products(part, x, seen)
        return (function(of_x + of_h),)

    return step


def _lstm(
    part: dict[str, Tensor], x: Tensor, seen: Tensor, h: Tensor, c: Tensor
) -> tuple[Tensor, Tensor]:
    units, gains = c.shape[1], part.get("layer_norm")
    if gains is None:
        of_x, of_h = _products(part, x, seen)
    else:
        of_x = _norm(linear(x, part["w_ih"]), gains[: 4 * units], part.get("b_ih"))
        of_h = _norm(linear(seen, part["w_hh"]), gains[4 * units : 8 * units], part.get("b_hh"))
    i, f, g, o = (of_x + of_h).chunk(4, 1)
    p_i, p_f, p_o = part["peephole"].chunk(3) if "peephole" in part else (0.0, 0.0, 0.0)
    i, f = torch.sigmoid(i + p_i * c), torch.sigmoid(f + p_f * c)
    new_c = f * c + i * torch.tanh(g)
    o = torch.sigmoid(o + p_o * new_c)
    shown = new_c if gains is None else _norm(new_c, *gains[8 * units :].chunk(2))
    new_h = o * torch.tanh(shown)
    return (linear(new_h, part["w_hr"]) if "w_hr" in part else new_h), new_c


def _gru(part: dict[str, Tensor], x: Tensor, seen: Tensor, h: Tensor) -> tuple[Tensor]:
    units, gains = h.shape[1], part.get("layer_norm")
    if gains is None:
        of_x, of_h = (product.chunk(3, 1) for product in _products(part, x, seen))
    else:
        of_x, of_h = (
            _gru_normalized(linear(of, part[w]), g, part.get(b))
            for of, w, g, b in (
                (x, "w_ih", gains[: 3 * units], "b_ih"),
                (seen, "w_hh", gains[3 * units :], "b_hh"),
            )
        )
    r, z = torch.sigmoid(of_x[0] + of_h[0]), torch.sigmoid(of_x[1] + of_h[1])
    n = torch.tanh(of_x[2] + r * of_h[2])
    return (n + z * (h - n),)


def _gru_normalized(
    product: Tensor, gains: Tensor, bias: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return r and z, normalized together, and n."""
    units = gains.shape[0] // 3
    both, n = (
        _norm(product[:, at], gains[at], None if bias is None else bias[at])
        for at in (slice(0, 2 * units), slice(2 * units, None))
    )
    return (*both.chunk(2, 1), n)


_STEPS = {"rnn_tanh": _rnn(torch.tanh), "rnn_relu": _rnn(torch.relu), "lstm": _lstm, "gru": _gru}
