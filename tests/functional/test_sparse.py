"""Recurrent weights that are mostly zero: `prepack(..., sparse=True)`."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest

import rnnfast
from rnnfast import QuantizedWeight
from rnnfast.testing.cells import CELLS, CELLS_BY_NAME, Cell, is_weight
from rnnfast.testing.plans import forced_plan
from rnnfast.testing.random import DTYPES, DType
from rnnfast.testing.tolerances import expected_outputs

SPARSE = [cell for cell in CELLS if cell.facts["sparse"]]
GRU, LSTM = CELLS_BY_NAME["gru"], CELLS_BY_NAME["lstm"]
every_cell = pytest.mark.parametrize("cell", SPARSE, ids=str)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)

# Of H: parts of a block, whole ones and the next, two runs of k; and more than are taken at once.
UNITS = [1, 15, 16, 17, 40, 100]
LONG = 1100


def prune(w_hh, gates: int, density: float, rng) -> None:
    """Make blocks of 16 units of a gate at one k zero, all but a share of them."""
    of_gates = w_hh.reshape(gates, -1, w_hh.shape[1])
    for first in range(0, of_gates.shape[1], 16):
        block = of_gates[:, first : first + 16]
        block *= rng.random((gates, 1, w_hh.shape[1])) < density


def problem(cell: Cell, dtype: DType, H: int, T=5, B=3, I=4, density=0.2):  # noqa: E741
    rng = np.random.default_rng(H)
    arguments = {
        name: (0.5 * rng.standard_normal(cell.shape(name, T, B, I, H))).astype(dtype)
        for name in cell.arguments
    }
    prune(arguments["w_hh"], cell.gates, density, rng)
    arguments["w_hh"][:, 0] = 0  # at least these
    return arguments


def packed(cell: Cell, arguments, **options):
    return cell.prepack(arguments, sparse=True, **options)


def operands(arguments):
    return {name: a for name, a in arguments.items() if not is_weight(name)}


def assert_equal(got, want) -> None:
    assert got._fields == want._fields
    for g, w in zip(got, want, strict=True):
        np.testing.assert_array_equal(g, w)


@every_cell
@every_dtype
@pytest.mark.parametrize("H", UNITS)
def test_results_are_those_of_the_equations_and_of_dense_weights(
    cell: Cell, dtype: DType, H: int
) -> None:
    arguments = problem(cell, dtype, H)
    got = packed(cell, arguments)(**operands(arguments))
    expected = expected_outputs(cell, arguments, np.random.default_rng(1))
    for g, (want, atol) in zip(got, expected, strict=True):
        assert g.dtype == dtype
        np.testing.assert_allclose(g, want, rtol=0, atol=atol)
    assert_equal(got, cell.forward(arguments))


@every_cell
@every_dtype
def test_sums_of_many_k(cell: Cell, dtype: DType) -> None:
    arguments = problem(cell, dtype, LONG, T=2, B=2, density=0.05)
    assert_equal(packed(cell, arguments)(**operands(arguments)), cell.forward(arguments))


@every_cell
@pytest.mark.parametrize("B", [1, 2, 5, 8, 13, 40])
def test_any_number_of_rows(cell: Cell, B: int) -> None:
    arguments = problem(cell, np.float32, 50, B=B)
    assert_equal(packed(cell, arguments)(**operands(arguments)), cell.forward(arguments))


@every_cell
@pytest.mark.parametrize("density", [0.0, 0.01, 0.99])
def test_any_density(cell: Cell, density: float) -> None:
    arguments = problem(cell, np.float64, 37, density=density)
    assert_equal(packed(cell, arguments)(**operands(arguments)), cell.forward(arguments))


@every_cell
def test_any_share_of_the_work(cell: Cell) -> None:
    arguments = problem(cell, np.float32, 70, T=7, B=6)
    want = cell.forward(arguments)
    for partition in cell.partitions:
        with forced_plan(partition=partition, threads=2):
            assert_equal(packed(cell, arguments)(**operands(arguments)), want)


@every_cell
def test_single_numbers_keep_their_blocks(cell: Cell) -> None:
    arguments = problem(cell, np.float32, 33, density=0.0)
    w_hh = arguments["w_hh"]
    for k in range(w_hh.shape[1]):
        w_hh[(7 * k) % len(w_hh), k] = 1 + k
    assert_equal(packed(cell, arguments)(**operands(arguments)), cell.forward(arguments))


@every_cell
def test_steps_are_those_of_the_sequence(cell: Cell) -> None:
    arguments = problem(cell, np.float32, 40)
    served = packed(cell, arguments)
    y, *last = cell.forward({**arguments})
    states = tuple(arguments[f"{name}0"] for name in "hc" if f"{name}0" in arguments)
    state = states if len(states) == 2 else states[0]
    for x_t, y_t in zip(arguments["x"], y, strict=True):
        state = served.step(x_t, state)
        np.testing.assert_array_equal(state[0] if len(last) == 2 else state, y_t)


def test_options_of_calls_and_layers() -> None:
    arguments = problem(LSTM, np.float32, 20, T=6, B=4)
    x, lengths = arguments["x"], [6, 0, 3, 5]
    weights = [arguments[name] for name in ("w_ih", "w_hh", "b_ih", "b_hh")]
    upper = [np.tile(weights[0], (1, 10)), *weights[1:]]
    stack = [[a, b, c, d] for a, b, c, d in zip(weights, weights, upper, upper, strict=True)]
    options = {"bidirectional": True, "zoneout": 0.1, "clip": 2.0}
    cell = rnnfast.prepack("lstm", *stack, sparse=True, **options)
    assert_equal(cell(x, lengths=lengths), rnnfast.lstm(x, *stack, lengths=lengths, **options))
    projected = [weights[0], weights[1][:, :9].copy(), *weights[2:]]
    w_hr = np.ones((9, 20), np.float32)
    cell = rnnfast.prepack("lstm", *projected, w_hr=w_hr, sparse=True)
    assert_equal(cell(x), rnnfast.lstm(x, *projected, w_hr=w_hr))
    chosen = {"activations": ("hard_sigmoid", "relu", "tanh")}
    cell = rnnfast.prepack("lstm", *weights, sparse=True, **chosen)
    assert_equal(cell(x), rnnfast.lstm(x, *weights, **chosen))


def test_only_what_is_not_zero_is_kept() -> None:
    dense = problem(GRU, np.float32, 160, I=1, density=1.0)
    sparse = problem(GRU, np.float32, 160, I=1, density=0.1)
    whole = GRU.prepack(dense)._packed[0].nbytes
    assert packed(GRU, sparse)._packed[0].nbytes < 0.3 * whole


def test_nan_stays_in_its_row() -> None:
    arguments = problem(GRU, np.float32, 40, B=9)
    cell = packed(GRU, arguments)
    want = cell(**operands(arguments))
    arguments["x"][2, 4, 1] = np.nan
    got = cell(**operands(arguments))
    others = [b for b in range(9) if b != 4]
    np.testing.assert_array_equal(got.y[:, others], want.y[:, others])
    assert np.isnan(got.y[2:, 4]).all()


def test_it_is_kept_when_pickled_described_and_saved(tmp_path) -> None:
    arguments = problem(LSTM, np.float32, 24)
    cell = packed(LSTM, arguments)
    assert cell.precision == "float32" and "sparse=True" in repr(cell)
    path = tmp_path / "cell.safetensors"
    cell.save(path)
    again = [
        pickle.loads(pickle.dumps(cell)),
        rnnfast.prepack(cell.weights()),
        rnnfast.Prepacked.load(path),
    ]
    for one in again:
        assert one._packed[0].precision == "sparse"
        assert_equal(one(**operands(arguments)), cell(**operands(arguments)))
    assert rnnfast.Prepacked.load(path, sparse=False)._packed[0].precision == "float32"


def refused(message: str, kind: type[Exception] = ValueError):
    return pytest.raises(kind, match="^" + re.escape(message))


def test_what_is_refused() -> None:
    arguments = problem(GRU, np.float32, 32)
    w_ih, w_hh = arguments["w_ih"], arguments["w_hh"]
    with refused("sparse must be True or False, got 0.1", TypeError):
        rnnfast.prepack("gru", w_ih, w_hh, sparse=0.1)  # type: ignore[arg-type]
    dense = np.ones_like(w_hh)
    dense[:15, 0] = dense[32:47, 1] = 0  # no whole block
    with refused("sparse=True needs zeros in w_hh, whole blocks of 16 units of a gate at one k"):
        rnnfast.prepack("gru", w_ih, dense, sparse=True)
    for name in ("rnn", "mgu", "light_gru"):
        gates = CELLS_BY_NAME[name if name != "rnn" else "rnn_tanh"].gates
        with refused("sparse=True is for the cells lstm, "):
            rnnfast.prepack(name, np.zeros((gates * 4, 3)), np.zeros((gates * 4, 4)), sparse=True)
    with refused("sparse=True is for the cells lstm, "):
        rnnfast.prepack("gru", w_ih, w_hh, layer_norm=np.ones(192, np.float32), sparse=True)
    for precision in ("bfloat16", "float16", "int8"):
        stay = "precision must be None with sparse=True, whose weights stay float32"
        with refused(f"{stay}, got {precision!r}"):
            rnnfast.prepack("gru", w_ih, w_hh, sparse=True, precision=precision)


def test_quantized_weights_that_are_sparse_are_float32() -> None:
    numbers = QuantizedWeight(np.eye(96, 32, dtype=np.int8), 0.5)
    inputs = QuantizedWeight(np.ones((96, 4), np.int8), 0.5)
    cell = rnnfast.prepack("gru", inputs, numbers, sparse=True)
    dense = rnnfast.prepack("gru", inputs, numbers, precision="float32")
    x = np.ones((1, 4), np.float32)
    np.testing.assert_array_equal(cell.step(x)[0], dense.step(x)[0])
    assert cell.precision == dense.precision
    assert rnnfast.prepack(cell.weights()).precision == cell.precision
    assert rnnfast.load(cell.weights()).precision == cell.precision
