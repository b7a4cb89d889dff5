"""Training with products in bfloat16: against the oracle, beside float32, and the same bits always.

Numbers on the way, and so gradients, are those of float32 but for operands that are rounded. Where
none of these lies so close to the middle between two numbers of bfloat16 that float32's own errors
decide, the float64 oracle rounds alike, and results agree as those of float32 do: one operand
that is rounded otherwise would show.
"""

from __future__ import annotations

import re
from itertools import count
from typing import Any

import numpy as np
import pytest

import rnnfast
from option_choices import every_option_alone
from rnnfast.reference.rounded import Trained, to_bfloat16, train
from rnnfast.testing.bits import digest
from rnnfast.testing.cells import CELLS, CELLS_BY_NAME, Cell, is_weight
from rnnfast.testing.gradients import present
from rnnfast.testing.options import Option
from rnnfast.testing.plans import forced_plan, last_plan
from rnnfast.testing.random import Problem
from rnnfast.testing.tolerances import gradient_roundings

ORACLE = [
    cell
    for cell in CELLS
    if cell.function in ("rnn", "lstm", "gru")
    and cell.options.get("forget_gate", "own") == "own"
    and "activations" not in cell.options
    and cell.beside in ((), ("w_hr",))
]
every_cell = pytest.mark.parametrize("cell", CELLS, ids=str)

JUMPING = ("relu", "hardsigmoid", "hard_sigmoid")

# Units in the last place of float32, which a sum of so few products does not err by.
CLEAR = 64


def low(cell: Cell, arguments: dict[str, Any], **options: Any) -> Any:
    return cell.vjp(arguments, precision="bfloat16", **options)


def clear_problem(problem: Problem, **options: Any) -> tuple[dict, dict, Trained]:
    """Draw numbers until no operand of the oracle is close to the middle between two."""
    own = {name: value for name, value in problem.cell.options.items() if name != "forget_gate"}
    for seed in count():
        rng = np.random.default_rng(seed)
        arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)
        want = train(problem.cell.function, arguments, cotangents, **own, **options)
        if want.margin >= CLEAR:
            return arguments, cotangents, want
    raise AssertionError


def off(got: Any, want: Any) -> float:
    """Return how far arrays are from others, relative to these, as wholes."""
    return float(np.linalg.norm(got - want) / max(np.linalg.norm(want), 1e-30))


def assert_as_the_oracle(problem: Problem, **options: Any) -> None:
    arguments, cotangents, want = clear_problem(problem, **options)
    out, pullback = low(problem.cell, arguments, **options)
    gradients = pullback(**cotangents)
    allowed = float(np.finfo(np.float32).eps) * gradient_roundings(arguments)
    assert allowed < 2.0**-14  # a rounding that is missing makes more
    for name, one in zip(problem.cell.outputs, want.outputs, strict=True):
        assert getattr(out, name).dtype == np.float32
        assert off(getattr(out, name), one) < allowed, name
    for name, one in want.gradients.items():
        assert getattr(gradients, name).dtype == np.float32
        assert off(getattr(gradients, name), one) < allowed, name


@pytest.mark.parametrize("cell", ORACLE, ids=str)
@pytest.mark.parametrize(
    ("T", "B", "I", "H"), [(1, 1, 1, 1), (1, 3, 17, 33), (2, 5, 8, 7), (4, 2, 5, 9), (3, 1, 16, 16)]
)
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_against_the_oracle(
    cell: Cell,
    T: int,
    B: int,
    I: int,  # noqa: E741
    H: int,
    reverse: bool,
) -> None:
    assert_as_the_oracle(Problem(cell, np.float32, T=T, B=B, I=I, H=H), reverse=reverse)


@pytest.mark.parametrize(("T", "B"), [(1, 1), (1, 2), (3, 1), (2, 37), (1, 515), (1, 1025)])
@pytest.mark.parametrize(("I", "H"), [(1, 1), (5, 3), (6, 16), (23, 34)])
def test_where_nothing_needs_rounding(T: int, B: int, I: int, H: int) -> None:  # noqa: E741
    """Integers of 8 bits, whose products and sums are exact: the numbers of float32.

    Sums over rows take two at a time; here are single ones, and blocks that end with one.
    """
    rng = np.random.default_rng(0)
    x = rng.integers(-2, 3, (T, B, I)).astype(np.float32)
    w_ih = rng.integers(-1, 2, (H, I)).astype(np.float32)
    w_hh = np.eye(H, dtype=np.float32)[rng.permutation(H)]
    biases = [rng.integers(-3, 4, H).astype(np.float32) for _ in range(2)]
    dy = rng.integers(-2, 3, (T, B, H)).astype(np.float32)
    results = []
    for precision in (None, "bfloat16"):
        out, pull = rnnfast.rnn_vjp(
            x, w_ih, w_hh, *biases, nonlinearity="relu", precision=precision
        )
        results.append([*out, *pull(dy)])
    for got, want in zip(*results, strict=True):
        assert (got == want).all()


@every_cell
@every_option_alone
def test_beside_float32(cell: Cell, chosen: tuple[Option, ...]) -> None:
    """Results and gradients are off by a few units of 2^-8, under every option."""
    rng = np.random.default_rng(3)
    problem = Problem(cell, np.float32, T=9, B=17, I=21, H=35, options=chosen)
    arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)
    options = problem.call(rng)
    out, pullback = cell.vjp(arguments, **options)
    low_out, low_pullback = low(cell, arguments, **options)
    of_results = [off(got, want) for got, want in zip(low_out, out, strict=True)]
    gradients = present(low_pullback(**cotangents)), present(pullback(**cotangents))
    errors = [off(got, want) for got, want in zip(*gradients, strict=True)]
    unit = 2.0**-8
    assert max(of_results) < 2 * unit
    # Where a slope jumps, some numbers round to its other side, and gradients pass or do not.
    jumps = "clip" in options or any(a in JUMPING for a in map(str.lower, cell.activations))
    assert max(errors) < (64 if jumps else 6) * unit
    assert np.median(errors) < (24 if jumps else 2) * unit
    assert min([*of_results, *errors]) > 2.0**-14  # and something was rounded


def setting(cell: Cell, **sizes: int) -> tuple[dict, dict]:
    rng = np.random.default_rng(1)
    problem = Problem(cell, np.float32, **{"T": 45, "B": 35, "I": 29, "H": 75, **sizes})
    return problem.arguments(rng), problem.cotangents(rng)


def both_passes(cell: Cell, arguments: dict, cotangents: dict, **options: Any) -> str:
    out, pullback = low(cell, arguments, **options)
    return digest([*out, *pullback(**cotangents)])


@every_cell
@pytest.mark.parametrize("rows", [1, 5, 35])
def test_plans_change_no_bit(cell: Cell, rows: int) -> None:
    arguments, cotangents = setting(cell, B=rows)
    for options in (
        {},
        {"lengths": 1 + np.arange(rows) * 7 % 45, "reverse": True},
        {"checkpoint": True},
    ):
        digests = set()
        for threads in (1, 2, 3):
            for partition in cell.partitions:
                with forced_plan(partition=partition, threads=threads):
                    digests.add(both_passes(cell, arguments, cotangents, **options))
                    assert last_plan()["threads"] == threads
        with forced_plan(threads=2, chunk=7):
            digests.add(both_passes(cell, arguments, cotangents, **options))
        assert len(digests) == 1, options


@every_cell
def test_checkpoints_change_no_bit(cell: Cell) -> None:
    arguments, cotangents = setting(cell)
    plain = both_passes(cell, arguments, cotangents)
    assert both_passes(cell, arguments, cotangents, checkpoint=True) == plain


@every_cell
def test_neighbours_change_no_bit(cell: Cell) -> None:
    """A sequence gives what it gives alone: y, its states, and the gradient of its x."""
    arguments, cotangents = setting(cell)
    out, pullback = low(cell, arguments)
    gradients = pullback(**cotangents)
    for b in (0, 34):
        own = {
            name: a[:, b : b + 1] if name == "x" else a if is_weight(name) else a[b : b + 1]
            for name, a in arguments.items()
        }
        above = {n: d[:, b : b + 1] if n == "dy" else d[b : b + 1] for n, d in cotangents.items()}
        alone, pull = low(cell, own)
        assert digest([alone.y]) == digest([out.y[:, b : b + 1]])
        assert digest([pull(**above).x]) == digest([gradients.x[:, b : b + 1]])


@every_cell
def test_of_each_sequence(cell: Cell) -> None:
    arguments, cotangents = setting(cell, T=21, B=4)
    got = low(cell, arguments, per_sample=True)[1](**cotangents)
    batch = low(cell, arguments)[1](**cotangents)
    for name, one in batch._asdict().items():
        if one is not None and is_weight(name):
            assert getattr(got, name).shape == (4, *one.shape)
            assert off(getattr(got, name).sum(0), one) < 1e-5, name


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_layers(kind: str, bidirectional: bool) -> None:
    """Layers give what they give one after the other, at once or not."""
    rng = np.random.default_rng(0)
    T, B, I, H = 11, 3, 5, 19  # noqa: E741
    gates, directions = {"lstm": 4, "gru": 3, "rnn": 1}[kind] * H, 1 + bidirectional
    widths = [I] * directions + [directions * H] * directions
    w_ih = [rng.standard_normal((gates, w), dtype=np.float32) / 4 for w in widths]
    w_hh = [rng.standard_normal((gates, H), dtype=np.float32) / 4 for _ in widths]
    x = rng.standard_normal((T, B, I), dtype=np.float32)
    vjp = getattr(rnnfast, f"{kind}_vjp")
    digests = set()
    for at_once in (False, True):
        with forced_plan(pipelines=at_once, threads=2, partition="units"):
            out, pull = vjp(x, w_ih, w_hh, bidirectional=bidirectional, precision="bfloat16")
            gradients = pull(np.ones_like(out.y))
            every = [out.y, out.h_n, gradients.x, *gradients.w_ih, *gradients.w_hh]
            digests.add(digest(every))
    assert len(digests) == 1
    y = x
    for layer in range(2):
        ways = []
        for d in range(directions):
            own = w_ih[layer * directions + d], w_hh[layer * directions + d]
            one, _ = vjp(y, *own, reverse=d == 1, precision="bfloat16")
            ways.append(one.y)
        y = np.concatenate(ways, 2)
    assert digest([y]) == digest([out.y])


@every_cell
@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_nan_stays_in_its_row(cell: Cell, poison: float) -> None:
    arguments, cotangents = setting(cell, T=6, B=9, I=11, H=19)
    clean, clean_pullback = low(cell, arguments)
    arguments["x"] = arguments["x"].copy()
    arguments["x"][2, 4, 3] = poison
    out, pullback = low(cell, arguments)
    others = np.arange(9) != 4
    assert digest([out.y[:2]]) == digest([clean.y[:2]])
    assert digest([out.y[:, others]]) == digest([clean.y[:, others]])
    gradients, clean_gradients = pullback(**cotangents), clean_pullback(**cotangents)
    assert digest([gradients.x[:, others]]) == digest([clean_gradients.x[:, others]])
    if np.isnan(poison):
        assert np.isnan(out.y[3:, 4]).all()
        assert np.isnan(gradients.w_ih).any()


@every_cell
def test_what_lies_below_the_normal_numbers_is_zero(cell: Cell) -> None:
    arguments, cotangents = setting(cell, T=3, B=2, I=5, H=7)
    arguments["x"] = np.full_like(arguments["x"], 2.0**-127)
    zeros = {**arguments, "x": np.zeros_like(arguments["x"])}
    assert both_passes(cell, arguments, cotangents) == both_passes(cell, zeros, cotangents)


def test_operands_are_rounded_to_the_nearest_and_ties_to_even() -> None:
    """h = relu(w x): the product of two operands, in the open."""
    exact = np.array([1, 1 + 2.0**-8, 1 + 3 * 2.0**-8, 1 + 2.0**-8 + 2.0**-20, 3e38], np.float32)
    x, one = exact[None, None, :], np.ones((1, 5), np.float32)
    eye, none = np.eye(5, dtype=np.float32), np.zeros((5, 5), np.float32)
    out, pullback = rnnfast.rnn_vjp(x, eye, none, nonlinearity="relu", precision="bfloat16")
    want = np.array([1, 1, 1 + 2.0**-6, 1 + 2.0**-7, to_bfloat16(exact)[4]], np.float32)
    assert (out.y == want).all()
    assert (to_bfloat16(exact) == want).all()
    assert (pullback(one[None] * exact).x == want).all()


@pytest.mark.parametrize("precision", ["float32", None])
def test_float32_is_what_it_is_without(precision: str | None) -> None:
    cell = CELLS_BY_NAME["lstm"]
    arguments, cotangents = setting(cell, T=3, B=2, I=5, H=7)
    out, pullback = cell.vjp(arguments, precision=precision)
    plain, plain_pullback = cell.vjp(arguments)
    assert digest([*out, *pullback(**cotangents)]) == digest(
        [*plain, *plain_pullback(**cotangents)]
    )


@pytest.mark.parametrize(
    ("precision", "error", "message"),
    [
        ("bf16", ValueError, "precision must be None or one of bfloat16, float16"),
        ("float16", ValueError, "got 'float16', which is for inference: prepack takes it"),
        ("float64", TypeError, "precision='float64' is that of float64 arrays, got float32 ones"),
        (16, TypeError, "precision must be a str or None, got 16"),
        (np.array(["bfloat16"]), TypeError, "precision must be a str or None"),
    ],
)
def test_what_is_no_precision(precision: Any, error: type, message: str) -> None:
    arguments, _ = setting(CELLS_BY_NAME["gru"], T=2, B=1, I=2, H=2)
    with pytest.raises(error, match=re.escape(message)):
        CELLS_BY_NAME["gru"].vjp(arguments, precision=precision)


def test_float64_is_refused() -> None:
    cell = CELLS_BY_NAME["gru"]
    problem = Problem(cell, np.float64)
    with pytest.raises(TypeError, match="precision='bfloat16' takes float32 arrays, got float64"):
        low(cell, problem.arguments(np.random.default_rng(0)))


def test_it_is_an_option_of_training() -> None:
    arguments, _ = setting(CELLS_BY_NAME["gru"], T=2, B=1, I=2, H=2)
    with pytest.raises(TypeError, match="precision"):
        CELLS_BY_NAME["gru"].forward(arguments, precision="bfloat16")


@pytest.mark.parametrize("sizes", [(0, 2, 3, 4), (3, 0, 3, 4)])
def test_no_step_to_take(sizes: tuple[int, ...]) -> None:
    arguments, cotangents = setting(CELLS_BY_NAME["lstm"], **dict(zip("TBIH", sizes, strict=True)))
    out, pullback = low(CELLS_BY_NAME["lstm"], arguments)
    assert out.y.shape == cotangents["dy"].shape
    assert not any(g.any() for g in present(pullback(**cotangents)) if g.ndim == 2 and len(g) == 16)
