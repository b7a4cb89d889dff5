"""Weights packed in bfloat16 and float16: products of rounded operands, and nothing else changed.

One step must be that of the equations in float64, given the same rounded weights and operands, at
the tolerances of float32. Over a sequence a number may be rounded the other way, and what follows
moves by an operand's last place: there errors are counted in units of it, 2^-8 of bfloat16.
"""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest

import rnnfast
from rnnfast import _core
from rnnfast.testing.bits import digest
from rnnfast.testing.cells import CELLS, CELLS_BY_NAME, Cell, is_weight
from rnnfast.testing.options import OPTIONS, Option, of_packed_call, of_prepack
from rnnfast.testing.plans import forced_plan, last_plan
from rnnfast.testing.precision import SHORTER, meeting, rounded, rounds_within_a_step
from rnnfast.testing.random import Problem
from rnnfast.testing.tolerances import expected_outputs

every_cell = pytest.mark.parametrize("cell", CELLS, ids=str)
every_precision = pytest.mark.parametrize("precision", SHORTER)
OF_INFERENCE = [option for option in OPTIONS if option.belongs_to in ("cell", "call")]
UNIT = 2.0**-8  # the distance of bfloat16 numbers around 1


def setting(cell: Cell, seed: int = 1, **sizes) -> tuple[dict, dict]:
    """All arguments in float32, and those of them that are not packed."""
    arguments = Problem(cell, np.float32, **sizes).arguments(np.random.default_rng(seed))
    return arguments, {name: array for name, array in arguments.items() if not is_weight(name)}


def in_float64(arguments: dict) -> dict:
    return {name: array.astype(np.float64) for name, array in arguments.items()}


def check_step(cell: Cell, precision: str, seed: int = 1, **sizes) -> None:
    """One step against the equations, of operands that are numbers of the shorter type already."""
    arguments, _ = setting(cell, seed, T=1, **sizes)
    for name in arguments:
        if name.startswith("w_") or name in ("x", "h0"):
            arguments[name] = rounded(arguments[name], precision)
    operands = {name: a for name, a in arguments.items() if not is_weight(name)}
    got = cell.prepack(arguments, precision=precision)(**operands)
    tolerances = expected_outputs(cell, arguments, np.random.default_rng(seed))
    values = cell.reference(meeting(in_float64(arguments), precision))
    # Of the operands that the step itself has made some lie close to the middle of two numbers.
    others = 0.0
    if precision == "bfloat16" and rounds_within_a_step(cell):
        others = 4 * UNIT * float(np.abs(arguments["w_hr" if cell.projects else "w_hh"]).max())
    for name, g, value, (_, atol) in zip(cell.outputs, got, values, tolerances, strict=True):
        assert g.dtype == np.float32
        np.testing.assert_allclose(g, np.asarray(value), rtol=0, atol=atol + others, err_msg=name)
        assert np.median(np.abs(g - np.asarray(value))) <= atol


@every_cell
@every_precision
@pytest.mark.parametrize("B", [1, 2, 5, 8, 34])
def test_a_step_is_that_of_rounded_operands(cell: Cell, precision: str, B: int) -> None:
    check_step(cell, precision, B=B, I=37, H=50)


@every_cell
@every_precision
@pytest.mark.parametrize("H", [1, 2, 15, 16, 17, 33, 97, 131])
def test_odd_sizes(cell: Cell, precision: str, H: int) -> None:
    for inputs in (1, 2, 3, 193):
        check_step(cell, precision, B=3, I=inputs, H=H)


@every_cell
def test_x_is_rounded_where_it_meets_weights(cell: Cell) -> None:
    arguments, rest = setting(cell, T=4, B=3, I=21, H=18)
    packed = cell.prepack(arguments, precision="bfloat16")
    short = {**rest, "x": rounded(rest["x"], "bfloat16")}
    assert digest(packed(**rest)) == digest(packed(**short))
    weights = {n: rounded(a, "bfloat16") if n.startswith("w_") else a for n, a in arguments.items()}
    assert digest(cell.prepack(weights, precision="bfloat16")(**rest)) == digest(packed(**rest))


def test_h_is_rounded_where_it_meets_weights_and_nowhere_else() -> None:
    cell = CELLS_BY_NAME["lstm"]  # whose h meets weights alone
    arguments, rest = setting(cell, T=3, B=3, I=5, H=19)
    packed = cell.prepack(arguments, precision="bfloat16")
    short = {**rest, "h0": rounded(rest["h0"], "bfloat16")}
    assert digest(packed(**rest)) == digest(packed(**short))
    y = packed(**rest).y
    assert not np.array_equal(y, rounded(y, "bfloat16"))
    short = {**rest, "c0": rounded(rest["c0"], "bfloat16")}
    assert digest(packed(**rest)) != digest(packed(**short))


@every_cell
def test_sequences_in_bfloat16(cell: Cell) -> None:
    """A median below a quarter, and a largest error below six units of the truth of float64.

    Without a forget gate c is the sum over all steps, in which every error stays.
    """
    most = 24 if cell.name == "lstm_no_forget" else 6
    arguments, rest = setting(cell, T=40, B=7, I=40, H=75)
    truth = cell.reference(in_float64(arguments))
    got = cell.prepack(arguments, precision="bfloat16")(**rest)
    for value, want in zip(got, truth, strict=True):
        units = np.abs(value - want) / (UNIT * np.maximum(1, np.abs(want).max()))
        assert np.median(units) < 0.25
        assert units.max() < most


@every_cell
def test_sequences_in_float16(cell: Cell) -> None:
    arguments, rest = setting(cell, T=40, B=7, I=40, H=75)
    expected = expected_outputs(cell, meeting(arguments, "float16"), np.random.default_rng(2))
    got = cell.prepack(arguments, precision="float16")(**rest)
    for name, value, (want, atol) in zip(cell.outputs, got, expected, strict=True):
        np.testing.assert_allclose(value, want, rtol=0, atol=atol, err_msg=name)


@every_cell
@every_precision
@pytest.mark.parametrize("option", OF_INFERENCE, ids=str)
def test_options(cell: Cell, precision: str, option: Option) -> None:
    for B in (1, 5, 34):
        rng = np.random.default_rng(B)
        problem = Problem(cell, np.float32, T=6, B=B, I=21, H=30, options=(option,))
        arguments, call = problem.arguments(rng), problem.call(rng)
        operands = {name: a for name, a in arguments.items() if not is_weight(name)}
        packed = cell.prepack(arguments, precision=precision, **of_prepack(call))
        got = packed(**operands, **of_packed_call(call))
        truth = cell.reference(meeting(in_float64(arguments), precision), **call)
        for value, want in zip(got, truth, strict=True):
            error = np.abs(value - np.asarray(want)) / np.maximum(1, np.abs(want).max())
            assert np.median(error) < UNIT / 64
            assert error.max() < 4 * UNIT


@every_cell
@every_precision
@pytest.mark.parametrize("rows", [1, 5, 35])
def test_bits_depend_on_no_plan(cell: Cell, precision: str, rows: int) -> None:
    arguments, rest = setting(cell, T=45, B=rows, I=29, H=75)
    packed = cell.prepack(arguments, precision=precision)
    with forced_plan(threads=1):
        alone = digest(packed(**rest))
    for threads in (2, 3, 4):
        for partition in cell.partitions:
            with forced_plan(partition=partition, threads=threads):
                assert digest(packed(**rest)) == alone
                plan = last_plan()
            assert (plan["partition"], plan["threads"]) == (partition, threads)
    for chunk in (1, 7, 45):
        with forced_plan(chunk=chunk):
            assert digest(packed(**rest)) == alone


@every_cell
@every_precision
def test_bits_depend_on_no_neighbours(cell: Cell, precision: str) -> None:
    arguments, rest = setting(cell, T=9, B=21, I=29, H=75)
    packed = cell.prepack(arguments, precision=precision)
    together = packed(**rest)
    for b in (0, 6, 20):
        own = {
            name: array[:, b : b + 1] if name == "x" else array[b : b + 1]
            for name, array in rest.items()
        }
        alone = packed(**own)
        assert digest([alone.y]) == digest([together.y[:, b : b + 1]])


@every_cell
@every_precision
def test_steps_are_those_of_a_sequence(cell: Cell, precision: str) -> None:
    arguments, rest = setting(cell, T=6, B=3, I=12, H=21)
    packed = cell.prepack(arguments, precision=precision)
    y, *last = packed(**rest)
    states = tuple(rest[name] for name in cell.states)
    state = states if len(states) == 2 else states[0]
    for t in range(6):
        state = packed.step(rest["x"][t], state)
        h = state[0] if isinstance(state, tuple) else state
        assert digest([h]) == digest([y[t]])
    assert digest(state if isinstance(state, tuple) else [state]) == digest(last)


@every_precision
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("name", ["lstm", "gru", "gru_reset_before", "rnn_tanh"])
def test_stacks(name: str, bidirectional: bool, precision: str) -> None:
    cell = CELLS_BY_NAME[name]
    both = 1 + bidirectional
    rng = np.random.default_rng(3)
    layers = [
        Problem(cell, np.float32, I=width, H=20).arguments(rng)
        for width in [9] * both + [20 * both] * both
    ]
    weights = {n: [layer[n] for layer in layers] for n in layers[0] if is_weight(n)}
    x = rng.standard_normal((12, 3, 9)).astype(np.float32)
    packed = cell.prepack(weights, bidirectional=bidirectional, precision=precision)
    assert packed.precision == precision
    digests = set()
    for pipelines in (False, True):
        with forced_plan(pipelines=pipelines, threads=2):
            digests.add(digest(packed(x)))
            assert last_plan()["pipelines"] == pipelines
    assert len(digests) == 1
    below = x
    for i in range(0, len(layers), both):
        ways = [
            cell.prepack(one, reverse=back, precision=precision)(below).y
            for one, back in zip(layers[i : i + both], (False, True), strict=False)
        ]
        below = np.concatenate(ways, axis=-1)
    assert digest([below]) == digest([packed(x).y])


@every_cell
@every_precision
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 3e38, 1e-41])
def test_special_numbers_stay_in_their_row(cell: Cell, precision: str, number: float) -> None:
    arguments, rest = setting(cell, T=6, B=9, I=11, H=19)
    packed = cell.prepack(arguments, precision=precision)
    clean = packed(**rest)
    rest["x"] = rest["x"].copy()
    rest["x"][2, 4, 3] = number
    out = packed(**rest)
    others = np.arange(9) != 4
    assert digest([out.y[:, others]]) == digest([clean.y[:, others]])
    assert digest([out.y[:2]]) == digest([clean.y[:2]])
    if np.isnan(number):
        assert np.isnan(out.y[3:, 4]).all()


@every_precision
def test_infinite_and_nan_weights_stay_what_they_are(precision: str) -> None:
    arguments, rest = setting(CELLS_BY_NAME["rnn_relu"], B=2, biases=())
    weights = {**arguments, "w_ih": arguments["w_ih"].copy()}
    weights["w_ih"][0, 0], weights["w_ih"][1, 0] = np.nan, np.inf
    rest["x"] = np.abs(rest["x"])
    y = CELLS_BY_NAME["rnn_relu"].prepack(weights, precision=precision)(rest["x"]).y
    assert np.isnan(y[0, :, 0]).all()
    assert np.isinf(y[0, :, 1]).all()


@every_cell
@every_precision
def test_half_of_the_bytes(cell: Cell, precision: str) -> None:
    arguments, _ = setting(cell, I=256, H=256)
    whole, half = (
        cell.prepack(arguments, precision=kept_in)._packed[0].nbytes
        for kept_in in ("float32", precision)
    )
    assert 0.5 * whole <= half < 0.52 * whole


@every_precision
def test_copies_and_what_they_say(precision: str) -> None:
    arguments, rest = setting(CELLS_BY_NAME["gru"])
    packed = CELLS_BY_NAME["gru"].prepack(arguments, precision=precision)
    again = pickle.loads(pickle.dumps(packed))
    assert again.precision == packed.precision == precision
    assert packed.dtype == np.float32
    assert f"dtype=float32, precision={precision}, " in repr(packed)
    assert digest(again(**rest)) == digest(packed(**rest))


def test_plain_precision_is_what_the_arrays_are() -> None:
    arguments, rest = setting(CELLS_BY_NAME["lstm"])
    plain = CELLS_BY_NAME["lstm"].prepack(arguments)
    named = CELLS_BY_NAME["lstm"].prepack(arguments, precision="float32")
    assert plain.precision == named.precision == "float32"
    assert "precision" not in repr(named)
    assert digest(named(**rest)) == digest(plain(**rest))


@pytest.mark.parametrize(
    ("precision", "dtype", "error", "message"),
    [
        (
            "bfloat16",
            np.float64,
            TypeError,
            "precision='bfloat16' takes float32 arrays, got float64",
        ),
        ("float16", np.float64, TypeError, "precision='float16' takes float32 arrays, got float64"),
        ("float64", np.float32, TypeError, "precision='float64' is that of float64 arrays, got"),
        ("half", np.float32, ValueError, "precision must be None or one of bfloat16, float16"),
        (16, np.float32, TypeError, "precision must be a str or None, got 16"),
    ],
)
def test_bad_precisions(precision, dtype, error, message: str) -> None:
    w_ih, w_hh = np.zeros((16, 3), dtype), np.zeros((16, 4), dtype)
    with pytest.raises(error, match=re.escape(message)):
        rnnfast.prepack("lstm", w_ih, w_hh, precision=precision)


@pytest.mark.parametrize(("precision", "least"), [("float16", 65505.0), ("bfloat16", 3.4e38)])
def test_weights_beyond_a_shorter_type(precision: str, least: float) -> None:
    w_ih, w_hh = np.zeros((4, 3), np.float32), np.zeros((4, 4), np.float32)
    w_hh[1, 2] = -least
    with pytest.raises(ValueError, match=rf"w_hh must be within .* for precision='{precision}'"):
        rnnfast.prepack("rnn", w_ih, w_hh, precision=precision)
    w_hh[1, 2] = 65504.0
    rnnfast.prepack("rnn", w_ih, w_hh, precision=precision)


def test_x_of_another_type_is_refused() -> None:
    packed = rnnfast.prepack(
        "rnn", np.zeros((4, 3), np.float32), np.zeros((4, 4), np.float32), precision="float16"
    )
    with pytest.raises(TypeError, match="float32"):
        packed(np.zeros((2, 1, 3)))
    with pytest.raises(TypeError, match="float16"):
        packed(np.zeros((2, 1, 3), np.float16))


def test_a_format_of_another_scalar_is_refused_by_the_core() -> None:
    weights = (np.zeros((4, 3)), np.zeros((4, 4)), None, None, None, None, None)
    with pytest.raises(ValueError, match="float64 is not multiplied with weights in bfloat16"):
        _core.pack("rnn_tanh", weights, "bfloat16")
    with pytest.raises(ValueError, match="no precision named half"):
        _core.pack("rnn_tanh", weights, "half")


@every_precision
def test_plans_know_the_size_of_a_weight(precision: str) -> None:
    """R of 1.5 MiB in float32 leaves an L2 of 1 MiB, and in 16 bits does not."""
    l2 = rnnfast.show_config(mode="dicts")["caches"]["l2"]
    units = int((l2 / (4 * 4) * 1.4) ** 0.5) // 16 * 16

    def partition(of: str | None) -> str:
        plan = _core.plan("lstm", np.dtype(np.float32), 50, 64, units, units, 2, False, of)
        return plan["segments"][0]["partition"]

    assert (partition(None), partition(precision)) == ("units", "rows")


def as_multiplied(weights: np.ndarray, precision: str) -> np.ndarray:
    """What weights are to the kernels: what they make of 1, without an activation."""
    found = []
    for column in np.array_split(weights.astype(np.float32), 128):  # w_hh is square
        cell = rnnfast.prepack(
            "rnn",
            column.reshape(-1, 1),
            np.zeros((column.size, column.size), np.float32),
            activations=("affine", 1.0, 0.0),
            precision=precision,
        )
        found.append(cell(np.ones((1, 1, 1), np.float32)).h_n[0])
    return np.concatenate(found)


def test_every_number_of_float16_is_kept() -> None:
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    finite = halves[np.isfinite(halves)].astype(np.float32)
    np.testing.assert_array_equal(as_multiplied(finite, "float16"), finite)


@every_precision
def test_numbers_are_rounded_to_the_nearest(precision: str) -> None:
    """Of all exponents, among them some in the middle of two, where the even one is right."""
    rng = np.random.default_rng(4)
    exponents = rng.integers(-30 if precision == "float16" else -120, 15, 4096)
    numbers = np.ldexp(rng.uniform(-2, 2, 4096), exponents).astype(np.float32)
    bits = numbers.view(np.uint32)
    middle = {"float16": np.uint32(0x1000), "bfloat16": np.uint32(0x8000)}[precision]
    ties = ((bits[:1024] & ~(2 * middle - 1)) | middle).view(np.float32)
    numbers = np.concatenate([numbers, ties, -ties])
    numbers = numbers[np.abs(numbers) < 65504]
    np.testing.assert_array_equal(as_multiplied(numbers, precision), rounded(numbers, precision))
