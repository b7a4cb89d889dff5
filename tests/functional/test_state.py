"""`out.state` and `state=`: a sequence goes on where another ended, whichever the cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rnnfast
from rnnfast.testing.bits import digest

T, B, H = 5, 3, 4
GATES = {"rnn": 1, "lstm": 4, "gru": 3, "mgu": 2, "light_gru": 2}


def setting(kind: str, layers: int) -> tuple[np.ndarray, dict[str, Any]]:
    rng = np.random.default_rng(2)
    x = rng.standard_normal((T, B, H))
    rows = GATES[kind] * H
    names = {"w_ih": (rows, H), "w_hh": (rows, H)}
    if not layers:
        return x, {name: rng.standard_normal(shape) for name, shape in names.items()}
    return x, {
        name: [rng.standard_normal(shape) for _ in range(layers)] for name, shape in names.items()
    }


@pytest.mark.parametrize("layers", [0, 2])
@pytest.mark.parametrize("kind", GATES)
def test_one_loop_carries_the_state_of_any_cell(kind: str, layers: int) -> None:
    x, weights = setting(kind, layers)
    function = getattr(rnnfast, kind)
    state, ys = None, []
    for part in (x[:2], x[2:3], x[3:]):
        out = function(part, **weights, state=state)
        ys.append(out.y)
        state = out.state
    whole = function(x, **weights)
    assert digest(np.concatenate(ys)) == digest(whole.y)
    last = state if isinstance(state, tuple) else (state,)
    assert digest(last) == digest(whole[1:])


@pytest.mark.parametrize("kind", GATES)
def test_packed_cells_and_functions_hand_states_to_each_other(kind: str) -> None:
    x, weights = setting(kind, 0)
    cell, function = rnnfast.prepack(kind, **weights), getattr(rnnfast, kind)
    first = function(x[:2], **weights)
    second = cell(x[2:4], first.state)
    after = cell.step(x[4], second.state)
    h = after[0] if isinstance(after, tuple) else after
    assert digest(h) == digest(function(x, **weights).h_n)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_gradients_and_traces_take_it_as_well(kind: str) -> None:
    x, weights = setting(kind, 0)
    state = getattr(rnnfast, kind)(x, **weights).state
    named = dict(zip(("h0", "c0"), state if kind == "lstm" else (state,), strict=False))
    trace = getattr(rnnfast, f"{kind}_trace")
    assert digest(trace(x, **weights, state=state)) == digest(trace(x, **weights, **named))
    vjp = getattr(rnnfast, f"{kind}_vjp")
    dy = np.ones((T, B, H))
    (_, by_state), (_, by_name) = vjp(x, **weights, state=state), vjp(x, **weights, **named)
    assert digest(by_state(dy)) == digest(by_name(dy))


@pytest.mark.parametrize("name", ["h0", "c0"])
def test_a_state_that_is_given_twice_is_refused(name: str) -> None:
    x, weights = setting("lstm", 0)
    h = np.zeros((B, H))
    with pytest.raises(ValueError, match=f"state and {name} say the same, pass one of them"):
        rnnfast.lstm(x, **weights, state=(h, h), **{name: h})


def test_a_state_of_another_form_is_refused() -> None:
    h = np.zeros((B, H))
    x, weights = setting("lstm", 0)
    with pytest.raises(TypeError, match=r"state must be None or the pair \(h, c\), got ndarray"):
        rnnfast.lstm(x, **weights, state=h)
    x, weights = setting("gru", 0)
    with pytest.raises(ValueError, match=r"^h0 must be \(B, H\)"):
        rnnfast.gru(x, **weights, state=(h, h))
