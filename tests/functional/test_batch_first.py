"""`batch_first`: the same numbers with B before T, nothing copied, messages in the order given."""

from __future__ import annotations

import re

import numpy as np
import pytest

import rnnfast
from rnnfast.testing.cells import CELLS, CELLS_BY_NAME, Cell, is_weight
from rnnfast.testing.random import Problem

every_cell = pytest.mark.parametrize("cell", CELLS, ids=str)

T, B = 5, 3
RESETS = np.random.default_rng(5).random((T, B)) < 0.3
OPTIONS = [
    {},
    {"reverse": True},
    {"lengths": [5, 0, 2]},
    {"resets": RESETS},
    {"zoneout": 0.2, "input_dropout": 0.3, "seed": 4},
]


def setting(cell: Cell) -> tuple[dict, dict]:
    rng = np.random.default_rng(6)
    problem = Problem(cell, np.float32, T=T, B=B)
    return problem.arguments(rng), problem.cotangents(rng)


def stacked(arguments: dict, cell: Cell) -> dict:
    """The same layer in both directions."""
    twice = {n: [a, a] if is_weight(n) else a for n, a in arguments.items()}
    return twice | {n: np.stack([arguments[n]] * 2) for n in cell.states}


def swapped(arguments: dict, options: dict, *names: str) -> tuple[dict, dict]:
    turned = {n: a.swapaxes(0, 1) if n in names else a for n, a in arguments.items()}
    of_x = {n: v.swapaxes(0, 1) if n == "resets" else v for n, v in options.items()}
    return turned, of_x | {"batch_first": True}


def assert_swapped(got, want, *names: str) -> None:
    for name, one in want._asdict().items():
        other = getattr(got, name)
        if one is None or isinstance(one, (list, tuple)):
            assert type(other) is type(one)
            continue
        expected = one.swapaxes(0, 1) if name in names else one
        np.testing.assert_array_equal(other, expected, err_msg=name)


@every_cell
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "+".join(options) or "plain")
def test_functions(cell: Cell, options: dict) -> None:
    arguments, cotangents = setting(cell)
    turned, of_x = swapped(arguments, options, "x")
    want, pullback = cell.vjp(arguments, **options)
    assert_swapped(cell.forward(turned, **of_x), want, "y")
    out, turned_pullback = cell.vjp(turned, **of_x)
    assert_swapped(out, want, "y")
    above = cotangents | {"dy": cotangents["dy"].swapaxes(0, 1)}
    grads = pullback(**cotangents)
    assert_swapped(turned_pullback(**above), grads, "x")
    buffer = np.ones_like(turned["x"])
    returned = turned_pullback(**above, out=type(grads)(x=buffer))
    assert returned.x is buffer
    np.testing.assert_allclose(buffer, 1 + grads.x.swapaxes(0, 1), rtol=1e-6, atol=1e-6)


@every_cell
def test_traces(cell: Cell) -> None:
    arguments, _ = setting(cell)
    turned, of_x = swapped(arguments, {"resets": RESETS}, "x")
    trace = getattr(rnnfast, f"{cell.function}_trace")
    want = trace(**arguments, **cell.options, resets=RESETS)
    assert_swapped(trace(**turned, **cell.options, **of_x), want, "y", "gates", "c")


@every_cell
@pytest.mark.parametrize("layers", [False, True], ids=["single", "both_directions"])
def test_packed_cells(cell: Cell, layers: bool) -> None:
    arguments, _ = setting(cell)
    arguments = stacked(arguments, cell) if layers else arguments
    packed = cell.prepack(arguments, bidirectional=layers)
    rest = {n: a for n, a in arguments.items() if not is_weight(n)}
    turned, of_x = swapped(rest, {"resets": RESETS}, "x")
    assert_swapped(packed(**turned, **of_x), packed(**rest, resets=RESETS), "y")


def test_both_directions() -> None:
    cell = CELLS_BY_NAME["gru"]
    arguments, cotangents = setting(cell)
    both = stacked(arguments, cell)
    dy = np.concatenate([cotangents["dy"]] * 2, 2)
    turned, of_x = swapped(both, {"lengths": [2, 5, 4]}, "x")
    want, pullback = cell.vjp(both, bidirectional=True, lengths=[2, 5, 4])
    out, turned_pullback = cell.vjp(turned, bidirectional=True, **of_x)
    assert_swapped(out, want, "y")
    assert_swapped(turned_pullback(dy.swapaxes(0, 1)), pullback(dy), "x")


def test_nothing_is_copied() -> None:
    arguments, _ = setting(CELLS_BY_NAME["lstm"])
    x = np.ascontiguousarray(arguments["x"].swapaxes(0, 1))
    out, pullback = rnnfast.lstm_vjp(**{**arguments, "x": x}, batch_first=True)
    assert np.shares_memory(pullback._recording.network.given.x, x)
    assert out.y.swapaxes(0, 1).flags.c_contiguous


def test_messages_have_the_order_of_the_call() -> None:
    arguments, _ = setting(CELLS_BY_NAME["lstm"])
    weights = {n: a for n, a in arguments.items() if is_weight(n)}
    x = np.zeros((B, T, 7), np.float32)
    functions = (rnnfast.lstm, rnnfast.lstm_vjp, rnnfast.lstm_trace)
    packed = rnnfast.prepack("lstm", **weights)

    def refused(message: str):
        return pytest.raises(ValueError, match=f"^{re.escape(message)}")

    def calls(**given) -> list:
        of_all = [lambda f=f: f(**{**weights, **given}, batch_first=True) for f in functions]
        return [*of_all, lambda: packed(**given, batch_first=True)]

    for call in calls(x=x[0]):
        with refused("x must be 3-D (B, T, I), got (5, 7); for one sequence add"):
            call()
    for call in calls(x=x, resets=np.zeros((T, B), bool)):
        with refused("resets must be (B, T) = (3, 5), got (5, 3)"):
            call()
    for call in calls(x=x, h0=np.zeros((T, 9), np.float32)):
        with refused("h0 must be (B, H) = (3, 9), got (5, 9)"):
            call()
    with refused("x must be (B, T, I) = (3, 5, 7), got (3, 5, 8)"):
        packed(np.zeros((B, T, 8), np.float32), batch_first=True)
    _, pullback = rnnfast.lstm_vjp(x, **weights, batch_first=True)
    with refused("dy must be (B, T, H) = (3, 5, 9), got (5, 3, 9)"):
        pullback(np.zeros((T, B, 9), np.float32))
    with refused("out.x must be (3, 5, 7), got (5, 3, 7)"):
        pullback(out=rnnfast.LSTMGrads(x=np.zeros((T, B, 7), np.float32)))
    with pytest.raises(TypeError, match=r"^batch_first must be True or False, got 1$"):
        rnnfast.lstm(x, **weights, batch_first=1)
    with pytest.raises(TypeError, match=r"^batch_first must be True or False, got None$"):
        packed(x, batch_first=None)
