"""Inference in bytes: `prepack(..., precision="int8")`."""

from __future__ import annotations

import pickle
import re
import sys
from typing import Any, NamedTuple

import numpy as np
import pytest

import cmake_builds
import rnnfast
from rnnfast import QuantizedWeight
from rnnfast.reference import int8
from rnnfast.testing.bits import digest
from rnnfast.testing.plans import forced_plan, last_plan

EPS = float(np.finfo(np.float32).eps)
UNIT = 2.0**-8  # in which errors of whole sequences are told

SIZES = [(1, 1), (3, 15), (7, 9), (16, 16), (33, 37), (65, 48)]  # I, H: also no multiples of 4


class Cell(NamedTuple):
    """A cell that runs in bytes, and its step in the oracle."""

    name: str
    gates: int
    options: dict[str, Any]
    has_c: bool = False

    def weights(self, inputs: int, hidden: int, seed: int = 0) -> dict[str, Any]:
        draw = np.random.default_rng(seed).uniform
        rows, bound = self.gates * hidden, hidden**-0.5
        shapes = {"w_ih": (rows, inputs), "w_hh": (rows, hidden), "b_ih": (rows,), "b_hh": (rows,)}
        return {n: draw(-bound, bound, s).astype(np.float32) for n, s in shapes.items()}

    def pack(self, weights: dict[str, Any], **options: Any) -> rnnfast.Prepacked[Any, Any]:
        return rnnfast.prepack(self.name, **weights, precision="int8", **self.options, **options)

    def step(self, weights: dict[str, Any], x: Any, state: tuple[Any, ...]) -> list[Any]:
        """The oracle's, from float32 arrays."""
        w_ih, w_hh = (quantized(weights[name]) for name in ("w_ih", "w_hh"))
        b_ih, b_hh = (weights[name].astype(np.float64) for name in ("b_ih", "b_hh"))
        states = [one.astype(np.float64) for one in state]
        if self.name == "lstm":
            return int8.lstm_step(x, w_ih, w_hh, b_ih + b_hh, *states)
        if self.name == "rnn":
            return [int8.rnn_step(x, w_ih, w_hh, b_ih + b_hh, *states)]
        return [int8.gru_step(x, w_ih, w_hh, b_ih, b_hh, *states, **self.options)]


def quantized(weight: Any) -> int8.Bytes:
    if isinstance(weight, QuantizedWeight):
        return int8.Bytes(weight.values.astype(int), weight.scale.astype(np.float64))
    return int8.of_rows(weight)


LSTM = Cell("lstm", 4, {}, has_c=True)
GRU = Cell("gru", 3, {"reset_after": True})
GRU_BEFORE = Cell("gru", 3, {"reset_after": False})
RNN = Cell("rnn", 1, {"nonlinearity": "tanh"})
CELLS = [LSTM, GRU, GRU_BEFORE, RNN]
NAMES = ["lstm", "gru", "gru_before", "rnn"]
every_cell = pytest.mark.parametrize("cell", CELLS, ids=NAMES)


def sequence(steps: int, rows: int, inputs: int, seed: int = 1) -> Any:
    return np.random.default_rng(seed).standard_normal((steps, rows, inputs)).astype(np.float32)


def as_tuple(state: Any) -> tuple[Any, ...]:
    return state if isinstance(state, tuple) else (state,)


def sizes_of_sums(weights: dict[str, Any], x: Any) -> float:
    """A bound of what is summed to any pre-activation."""
    of_x = (np.abs(np.asarray(weights["w_ih"])) @ np.abs(x).reshape(-1, x.shape[-1]).T).max()
    of_h = np.abs(np.asarray(weights["w_hh"])).sum(axis=1).max()
    return float(of_x + of_h + 2 * np.abs(weights["b_ih"]).max())


def beside_a_tie(product: Any) -> Any:
    """Rows (B,) of r h whose rounding to bytes no rounding of r can change."""
    return (np.abs(np.abs(product * 127 % 1) - 0.5) > 1e-4).all(axis=1)


# --- right ----------------------------------------------------------------------------------------


@every_cell
@pytest.mark.parametrize(("inputs", "hidden"), SIZES)
def test_each_step_is_that_of_the_oracle(cell: Cell, inputs: int, hidden: int) -> None:
    """Given the same states, and so the same operands: to a few roundings of float32."""
    rows = 5
    weights = cell.weights(inputs, hidden)
    packed = cell.pack(weights)
    x = sequence(6, rows, inputs)
    state: Any = tuple(np.zeros((rows, hidden), np.float32) for _ in range(1 + cell.has_c))
    # Each product is scaled in three roundings; sums and activations take some more.
    allowed = 16 * EPS * (1 + sizes_of_sums(weights, x))
    compared = 0
    for x_t in x:
        found = as_tuple(packed.step(x_t, state if cell.has_c else state[0]))
        sure = np.ones(rows, bool)
        if cell is GRU_BEFORE:
            sure = beside_a_tie(reset_operand(weights, x_t, state[0]))
        for got, want in zip(found, cell.step(weights, x_t, state), strict=True):
            np.testing.assert_allclose(got[sure], want[sure], rtol=0, atol=allowed)
        compared += int(sure.sum())
        state = found
    assert compared >= 3 * rows


def reset_operand(weights: dict[str, Any], x: Any, h: Any) -> Any:
    """R h of a GRU that resets before its product."""
    ih, hh = (quantized(weights[name]) for name in ("w_ih", "w_hh"))
    units = h.shape[1]
    sums = ih.times(int8.of_rows(x)) + hh.times(int8.of_units(h))
    sums = (sums + weights["b_ih"] + weights["b_hh"])[:, :units]
    return h / (1 + np.exp(-sums))


@every_cell
def test_sequences_are_their_steps(cell: Cell) -> None:
    packed = cell.pack(cell.weights(7, 21))
    x = sequence(33, 4, 7)
    found = packed(x)
    state = None
    for x_t, y_t in zip(x, found.y, strict=True):
        state = packed.step(x_t, state)
        np.testing.assert_array_equal(as_tuple(state)[0], y_t)
    for last, after in zip(found[1:], as_tuple(state), strict=True):
        np.testing.assert_array_equal(last, after)


@pytest.mark.parametrize(
    ("cell", "median", "largest"),
    [(LSTM, 0.2, 3), (GRU, 0.4, 4), (GRU_BEFORE, 0.4, 4), (RNN, 0.7, 7)],
    ids=NAMES,
)
def test_whole_sequences_stay_near_those_of_the_weights_as_they_were(
    cell: Cell, median: float, largest: float
) -> None:
    """Of y, against float64 without bytes, in units of 2^-8; gates forget errors, tanh alone less.

    Measured: 0.15 and 1.8, 0.31 and 2.6, 0.32 and 2.8, 0.56 and 4.8.
    """
    weights = cell.weights(64, 96)
    x = sequence(100, 8, 64)
    exact = getattr(rnnfast, cell.name)(
        x.astype(np.float64),
        **{name: a.astype(np.float64) for name, a in weights.items()},
        **cell.options,
    ).y
    errors = np.abs(cell.pack(weights)(x).y - exact) / UNIT
    assert np.median(errors) < median
    assert errors.max() < largest


@every_cell
def test_weights_that_are_bytes_already_are_taken_as_they_are(cell: Cell) -> None:
    draw = np.random.default_rng(3)
    weights = cell.weights(9, 13)
    for name in ("w_ih", "w_hh"):
        shape = weights[name].shape
        values = draw.integers(-128, 127, shape, np.int8, endpoint=True)
        values[::2] //= 2  # rows of which a scale of its own would be another
        scale = draw.uniform(1e-3, 3e-3, shape[0]).astype(np.float32)
        weights[name] = QuantizedWeight(values, scale)
    packed = cell.pack(weights)
    x = sequence(1, 6, 9)
    state = tuple(draw.uniform(-1, 1, (6, 13)).astype(np.float32) for _ in range(1 + cell.has_c))
    found = as_tuple(packed.step(x[0], state if cell.has_c else state[0]))
    sure = np.ones(6, bool)
    if cell is GRU_BEFORE:
        sure = beside_a_tie(reset_operand(weights, x[0], state[0]))
        assert sure.any()
    for got, want in zip(found, cell.step(weights, x[0], state), strict=True):
        allowed = 16 * EPS * (1 + sizes_of_sums(weights, x))
        np.testing.assert_allclose(got[sure], want[sure], rtol=0, atol=allowed)


def test_bytes_that_are_given_are_asked_for_by_no_option() -> None:
    values = np.ones((12, 3), np.int8), np.ones((12, 4), np.int8)
    w_ih, w_hh = (QuantizedWeight(one, 0.01) for one in values)
    packed = rnnfast.prepack("gru", w_ih, w_hh)
    assert packed.precision == "int8"
    assert rnnfast.prepack("gru", w_ih, w_hh, precision="float32").precision == "float32"


def test_the_weights_of_a_step_take_a_quarter_of_the_memory() -> None:
    weights = LSTM.weights(512, 512)
    sizes = [
        sum(one.nbytes for one in rnnfast.prepack("lstm", **weights, precision=precision)._packed)
        for precision in ("int8", "float32")
    ]
    assert sizes[0] <= 0.26 * sizes[1]


# --- bits -----------------------------------------------------------------------------------------


@every_cell
@pytest.mark.parametrize("rows", [1, 5, 35])
def test_partitions_and_chunks(cell: Cell, rows: int) -> None:
    packed = cell.pack(cell.weights(29, 75))
    x = sequence(45, rows, 29)
    with forced_plan(threads=1):
        alone = digest(packed(x))
    for threads in (2, 3, 4):
        for partition in ("rows", "units"):
            with forced_plan(partition=partition, threads=threads):
                assert digest(packed(x)) == alone
                assert (last_plan()["partition"], last_plan()["threads"]) == (partition, threads)
    for chunk in (1, 7, 44):
        with forced_plan(chunk=chunk):
            assert digest(packed(x)) == alone


@every_cell
def test_no_row_depends_on_another(cell: Cell) -> None:
    packed = cell.pack(cell.weights(10, 19))
    x = sequence(12, 7, 10)
    x[:, 3] *= 1000  # one scale for all would be this one's
    together = packed(x).y
    for row in range(7):
        np.testing.assert_array_equal(packed(x[:, row : row + 1].copy()).y[:, 0], together[:, row])


@every_cell
def test_lengths_resets_and_orders(cell: Cell) -> None:
    weights = cell.weights(6, 18)
    x = sequence(9, 5, 6)
    lengths = np.array([9, 0, 3, 9, 1])
    packed, backwards = cell.pack(weights), cell.pack(weights, reverse=True)
    ragged, reverse = packed(x, lengths=lengths), backwards(x, lengths=lengths)
    for row, length in enumerate(lengths):
        own = x[:length, row : row + 1]
        np.testing.assert_array_equal(ragged.y[:length, row], packed(own).y[:, 0])
        assert not ragged.y[length:, row].any()
        turned = packed(own[::-1]).y[::-1, 0]
        np.testing.assert_array_equal(reverse.y[:length, row], turned)
    resets = np.zeros((9, 5), bool)
    resets[4, 2] = True
    begun_anew = packed(x, resets=resets).y
    np.testing.assert_array_equal(begun_anew[4:, 2], packed(x[4:]).y[:, 2])
    np.testing.assert_array_equal(begun_anew[:, 1], packed(x).y[:, 1])
    first = packed(x.swapaxes(0, 1), batch_first=True)
    np.testing.assert_array_equal(first.y, packed(x).y.swapaxes(0, 1))


@every_cell
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("rows", [1, 3])
def test_stacks(cell: Cell, bidirectional: bool, rows: int) -> None:
    """Layers at once and one by one, and each by itself."""
    directions = 2 if bidirectional else 1
    each = [
        cell.weights(6 if i < directions else directions * 11, 11, seed=i)
        for i in range(3 * directions)
    ]
    names = ("w_ih", "w_hh", "b_ih", "b_hh")
    packed = cell.pack({n: [w[n] for w in each] for n in names}, bidirectional=bidirectional)
    x = sequence(17, rows, 6)
    outputs = {}
    for pipelines in (False, True):
        with forced_plan(pipelines=pipelines, threads=2):
            outputs[pipelines] = packed(x)
    assert digest(outputs[False]) == digest(outputs[True])
    y = x
    for layer in range(3):
        ways = [
            cell.pack(each[layer * directions + d], reverse=bool(d))(y).y for d in range(directions)
        ]
        y = np.concatenate(ways, axis=2)
    np.testing.assert_array_equal(outputs[False].y, y)


PROGRAM = """
import numpy as np, rnnfast
from rnnfast.testing.bits import digest
assert rnnfast.show_config(mode="dicts")["target"] == {target!r}
draw = np.random.default_rng(0).standard_normal
for name, gates, options in [("lstm", 4, {{}}), ("gru", 3, {{}}),
                             ("gru", 3, {{"reset_after": False}}), ("rnn", 1, {{}})]:
    w_ih, w_hh, x = draw((gates * 45, 17)), draw((gates * 45, 45)), draw((9, 13, 17))
    arrays = [a.astype(np.float32) for a in (w_ih, w_hh / 7, x)]
    cell = rnnfast.prepack(name, *arrays[:2], precision="int8", **options)
    print(digest(cell(arrays[2])))
"""


def test_all_targets_with_fma_give_the_same_bits() -> None:
    targets = rnnfast.show_config(mode="dicts")["targets"]
    digests = {
        target: cmake_builds.run(
            sys.executable, "-c", PROGRAM.format(target=target), RNNFAST_TARGET=target
        )
        for target in targets
        if target != "baseline"  # multiplies and adds in two roundings
    }
    assert len(set(digests.values())) <= 1


# --- numbers that are none, and zeros -------------------------------------------------------------


@every_cell
@pytest.mark.parametrize("harm", [np.nan, np.inf, -np.inf])
def test_harm_stays_in_its_row(cell: Cell, harm: float) -> None:
    packed = cell.pack(cell.weights(10, 19))
    x = sequence(8, 4, 10)
    whole = packed(x)
    x[3, 2, 5] = harm
    found = packed(x)
    others = [0, 1, 3]
    np.testing.assert_array_equal(found.y[:, others], whole.y[:, others])
    np.testing.assert_array_equal(found.y[:3, 2], whole.y[:3, 2])
    assert np.isnan(found.y[3:, 2]).all()  # as it would be in float32 with NaN
    for state in found[1:]:
        assert np.isnan(state[2]).all()
        assert np.isfinite(state[others]).all()


@every_cell
def test_a_state_that_is_nan_stays_in_its_row(cell: Cell) -> None:
    packed = cell.pack(cell.weights(10, 19))
    x = sequence(5, 3, 10)
    h0 = np.zeros((3, 19), np.float32)
    h0[1, 4] = np.nan
    found = packed(x, h0=h0)
    assert np.isnan(found.y[:, 1]).all()
    np.testing.assert_array_equal(found.y[:, [0, 2]], packed(x).y[:, [0, 2]])


@every_cell
@pytest.mark.parametrize("size", [0.0, 1e-40, 1e-37])
def test_rows_of_zeros_and_of_almost_nothing(cell: Cell, size: float) -> None:
    weights = cell.weights(10, 19)
    packed = cell.pack(weights)
    x = np.full((4, 2, 10), size, np.float32)
    np.testing.assert_array_equal(packed(x).y, packed(np.zeros_like(x)).y)
    nothing = {**weights, "w_ih": np.zeros_like(weights["w_ih"])}
    silent = cell.pack(nothing)
    np.testing.assert_array_equal(silent(sequence(4, 2, 10)).y, silent(x).y)


@every_cell
def test_the_largest_numbers(cell: Cell) -> None:
    packed = cell.pack(cell.weights(10, 19))
    x = sequence(4, 2, 10)
    x *= np.finfo(np.float32).max / np.abs(x).max()
    assert np.isfinite(packed(x).y).all()


# --- bad input ------------------------------------------------------------------------------------


@every_cell
def test_states_beyond_1_are_refused(cell: Cell) -> None:
    packed = cell.pack(cell.weights(3, 5))
    x = sequence(2, 2, 3)
    h0 = np.zeros((2, 5), np.float32)
    h0[1, 3] = 1.5
    c0 = np.full((2, 5), 7, np.float32)
    message = r"h0 must lie within -1 and 1 .*int8.*got 1\.5"
    with pytest.raises(ValueError, match=message):
        packed(x, h0=h0)
    with pytest.raises(ValueError, match=message):
        packed.step(x[0], (h0, c0) if cell.has_c else h0)
    stack = cell.pack({n: [w, w[:, :5] if n == "w_ih" else w] for n, w in square(cell).items()})
    with pytest.raises(ValueError, match=message):
        stack(sequence(2, 2, 5), h0=np.stack([np.zeros_like(h0), h0]))
    h0[1, 3] = -1
    assert np.isfinite(packed(x, h0=h0, **({"c0": c0} if cell.has_c else {})).y).all()


def square(cell: Cell) -> dict[str, Any]:
    return cell.weights(5, 5)


@pytest.mark.parametrize(
    ("name", "gates", "options"),
    [
        ("rnn", 1, {"nonlinearity": "relu"}),
        ("rnn", 1, {"nonlinearity": "sigmoid"}),
        ("rnn", 1, {"activations": "relu"}),
        ("lstm", 4, {"clip": 3.0}),
        ("lstm", 3, {"forget_gate": "coupled"}),
        ("lstm", 4, {"w_hr": np.ones((4, 4), np.float32)}),
        ("lstm", 4, {"peephole": np.ones(12, np.float32)}),
        ("gru", 3, {"layer_norm": np.ones(24, np.float32)}),
        ("mgu", 2, {}),
        ("light_gru", 2, {}),
    ],
)
def test_cells_whose_states_bytes_do_not_hold_are_refused(name, gates, options) -> None:
    w_ih, w_hh = np.ones((gates * 4, 3), np.float32), np.ones((gates * 4, 4), np.float32)
    with pytest.raises(ValueError, match='precision="int8"'):
        rnnfast.prepack(name, w_ih, w_hh, precision="int8", **options)


def test_other_arrays_than_float32_are_refused() -> None:
    with pytest.raises(TypeError, match="float32"):
        rnnfast.prepack("gru", np.ones((12, 3)), np.ones((12, 4)), precision="int8")


def test_sums_that_do_not_fit_are_refused() -> None:
    many = 2**16 + 1
    with pytest.raises(ValueError, match=re.escape(f"at most {many - 1}")):
        rnnfast.prepack(
            "rnn", np.ones((1, many), np.float32), np.ones((1, 1), np.float32), precision="int8"
        )


def test_a_packed_cell_is_pickled() -> None:
    weights = LSTM.weights(3, 5)
    weights["w_hh"] = QuantizedWeight(np.full((20, 5), 3, np.int8), 0.01)
    packed = LSTM.pack(weights)
    again = pickle.loads(pickle.dumps(packed))
    x = sequence(4, 2, 3)
    assert again.precision == "int8"
    assert digest(again(x)) == digest(packed(x))
