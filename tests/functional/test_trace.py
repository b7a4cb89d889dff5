"""What the traces show: the same results, and gates that make them."""

from __future__ import annotations

import itertools
import re
from functools import partial
from typing import Any

import numpy as np
import pytest

import rnnfast
from rnnfast.reference.layer_norm import layer_norm
from rnnfast.testing.bits import digest
from rnnfast.testing.cells import CELLS, Cell
from rnnfast.testing.plans import forced_plan
from rnnfast.testing.random import DTYPES, DType, Problem

every_cell = pytest.mark.parametrize("cell", CELLS, ids=str)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)

SIZES = {"T": 7, "B": 6, "I": 5, "H": 19}
LENGTHS = np.array([7, 3, 0, 7, 1, 5])
RESETS = np.random.default_rng(2).random((7, 6)) < 0.3


def trace(cell: Cell, arguments: dict, **options: Any) -> Any:
    return getattr(rnnfast, f"{cell.function}_trace")(**arguments, **cell.options, **options)


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


def hard_sigmoid(a: np.ndarray, alpha: float = 0.2, beta: float = 0.5) -> np.ndarray:
    return np.clip(alpha * a + beta, 0, 1)


def elu(a: np.ndarray) -> np.ndarray:
    return np.where(a > 0, a, 0.7 * np.expm1(a))


def scaled_tanh(a: np.ndarray) -> np.ndarray:
    return 1.2 * np.tanh(0.8 * a)


def gates_of(
    cell: Cell, arguments: dict, x: np.ndarray, h: np.ndarray, c: np.ndarray
) -> np.ndarray | None:
    """Gates (B, G, H) of one step by the equations, from x_t and the state before, if known."""
    H = arguments["w_hh"].shape[0] // cell.gates
    a = x @ arguments["w_ih"].T + arguments["b_ih"]
    u, b = arguments["w_hh"], arguments["b_hh"]
    m = h @ u.T + b
    activations = {
        "rnn_tanh": [np.tanh],
        "rnn_relu": [lambda v: np.maximum(v, 0)],
        "rnn_sigmoid": [sigmoid],
        "light_gru": [sigmoid, lambda v: np.maximum(v, 0)],
        "lstm": [sigmoid, sigmoid, np.tanh, sigmoid],
        "lstm_projected": [sigmoid, sigmoid, np.tanh, sigmoid],
        "lstm_coupled": [sigmoid, np.tanh, sigmoid],
        "lstm_no_forget": [sigmoid, np.tanh, sigmoid],
        "lstm_activations": [hard_sigmoid, hard_sigmoid, elu, hard_sigmoid],
    }
    if cell.norm_rows:
        return normalized_gates_of(cell, arguments, x, h)
    if cell.name in activations:
        parts = np.split(a + m, cell.gates, axis=1)
        functions = activations[cell.name]
        return np.stack([f(part) for f, part in zip(functions, parts, strict=True)], 1)
    if cell.name == "mgu":
        f = sigmoid((a + m)[:, :H])
        return np.stack([f, np.tanh(a[:, H:] + (f * h) @ u[H:].T + b[H:])], 1)
    if cell.name == "lstm_peephole":
        a_i, a_f, a_g, a_o = np.split(a + m, 4, axis=1)
        p_i, p_f, p_o = np.split(arguments["peephole"], 3)
        i, f, g = sigmoid(a_i + p_i * c), sigmoid(a_f + p_f * c), np.tanh(a_g)
        return np.stack([i, f, g, sigmoid(a_o + p_o * (f * c + i * g))], 1)
    if cell.function != "gru":
        return None
    of_gates, of_candidate = sigmoid, np.tanh
    if cell.name == "gru_activations":
        of_gates, of_candidate = partial(hard_sigmoid, alpha=0.3, beta=0.4), scaled_tanh
    r, z = of_gates((a + m)[:, :H]), of_gates((a + m)[:, H : 2 * H])
    u_n, b_n = u[2 * H :], b[2 * H :]
    after = cell.name in ("gru", "gru_activations")
    inner = r * m[:, 2 * H :] if after else (r * h) @ u_n.T + b_n
    return np.stack([r, z, of_candidate(a[:, 2 * H :] + inner)], 1)


def normalized_gates_of(cell: Cell, arguments: dict, x: np.ndarray, h: np.ndarray) -> np.ndarray:
    rows, together = arguments["w_hh"].shape[0], 2 * h.shape[1]
    gains = arguments["layer_norm"]

    def normalized(operand: np.ndarray, w: str, b: str, gain: np.ndarray) -> list[np.ndarray]:
        products = operand @ arguments[w].T
        borders = [0, rows] if cell.gates == 4 else [0, together, rows]
        parts = [slice(*border) for border in itertools.pairwise(borders)]
        ends = [layer_norm(products[:, p], gain[p], arguments[b][p]) for p in parts]
        return np.split(np.concatenate(ends, axis=1), cell.gates, axis=1)

    a = normalized(x, "w_ih", "b_ih", gains[:rows])
    m = normalized(h, "w_hh", "b_hh", gains[rows : 2 * rows])
    if cell.gates == 4:
        functions = [sigmoid, sigmoid, np.tanh, sigmoid]
        return np.stack([f(p + q) for f, p, q in zip(functions, a, m, strict=True)], 1)
    r, z = sigmoid(a[0] + m[0]), sigmoid(a[1] + m[1])
    return np.stack([r, z, np.tanh(a[2] + r * m[2])], 1)


@every_cell
@every_dtype
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize(
    "options", [{}, {"lengths": LENGTHS}, {"lengths": LENGTHS, "resets": RESETS}]
)
def test_traces(cell: Cell, dtype: DType, reverse: bool, options: dict) -> None:
    problem = Problem(cell, dtype, **SIZES)
    arguments = problem.arguments(np.random.default_rng(1))
    options = {**options, "reverse": reverse}
    out = cell.forward(arguments, **options)
    got = trace(cell, arguments, **options)
    assert digest(got[: len(out)]) == digest(out)
    assert got.gates.shape == (SIZES["T"], SIZES["B"], cell.gates, SIZES["H"])

    wide = {name: a.astype(np.float64) for name, a in arguments.items()}
    lengths = options.get("lengths", np.full(SIZES["B"], SIZES["T"]))
    resets = options.get("resets", np.zeros((SIZES["T"], SIZES["B"]), bool))
    atol = 1e-12 if dtype is np.float64 else 1e-5
    for b, length in enumerate(lengths):
        h, c = wide["h0"][b : b + 1], wide.get("c0", wide["h0"])[b : b + 1]
        times = range(length)
        for t in reversed(times) if reverse else times:
            if resets[t, b]:
                h, c = np.zeros_like(h), np.zeros_like(c)
            want = gates_of(cell, wide, wide["x"][t, b : b + 1], h, c)
            if want is None:
                break
            np.testing.assert_allclose(got.gates[t, b], want[0], atol=atol)
            if "c0" in cell.states:
                i, g = (want[:, 0], want[:, -2])
                kept = (
                    want[:, 1] if cell.gates == 4 else 1 - i if cell.name == "lstm_coupled" else 1
                )
                c = kept * c + i * g
                np.testing.assert_allclose(got.c[t, b], c[0], atol=atol)
            h = got.y[t, b : b + 1].astype(np.float64)
        assert not got.gates[length:, b].any()
        if "c0" in cell.states:
            assert not got.c[length:, b].any()


@every_cell
def test_plans_change_no_bit(cell: Cell) -> None:
    arguments = Problem(cell, np.float32, T=30, B=13, I=5, H=35).arguments(np.random.default_rng(1))
    lengths = np.random.default_rng(2).integers(0, 31, 13)
    want = None
    for partition in cell.partitions:
        for threads in (1, 2, 3):
            with forced_plan(partition=partition, threads=threads, chunk=7):
                got = digest(trace(cell, arguments, lengths=lengths))
            want = want or got
            assert got == want, (partition, threads)


@pytest.mark.parametrize("sizes", [{"T": 0}, {"B": 0}])
def test_nothing_to_trace(sizes: dict) -> None:
    cell = CELLS[3]
    problem = Problem(cell, np.float64, **sizes)
    got = trace(cell, problem.arguments(np.random.default_rng(1)))
    assert got.gates.shape == (problem.T, problem.B, 4, problem.H)
    assert got.c.shape == (problem.T, problem.B, problem.H)


def test_refused() -> None:
    x, w_ih, w_hh = np.zeros((5, 2, 3)), np.zeros((12, 3)), np.zeros((12, 4))
    with pytest.raises(ValueError, match=r"^w_ih must be one array, a trace is of one layer"):
        rnnfast.gru_trace(x, [w_ih], [w_hh])
    message = re.escape("w_ih must be (4*H, I) = (16, 3), got (12, 3)")
    with pytest.raises(ValueError, match=f"^{message}"):
        rnnfast.lstm_trace(x, w_ih, np.zeros((16, 4)))
