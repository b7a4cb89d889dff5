"""The oracle itself: its types, its behaviour at the ends of the line, its complex derivative."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rnnfast.reference.activations import relu, sigmoid, tanh
from rnnfast.testing.cells import CELLS, Cell
from rnnfast.testing.gradients import STEP
from rnnfast.testing.random import Problem

TYPES = (np.float32, np.float64, np.longdouble, np.complex64, np.complex128, np.clongdouble)


@pytest.mark.parametrize("cell", CELLS, ids=str)
@pytest.mark.parametrize("dtype", TYPES, ids=lambda dtype: dtype.__name__)
def test_computes_in_the_type_of_its_arguments(cell: Cell, dtype: type) -> None:
    arguments = Problem(cell, np.float64).arguments(np.random.default_rng(0))
    want = cell.reference(arguments)
    got = cell.reference({name: a.astype(dtype) for name, a in arguments.items()})
    for g, w in zip(got, want, strict=True):
        assert g.dtype == dtype
        np.testing.assert_allclose(g, w, atol=100 * max(np.finfo(dtype).eps, 2.0**-52))


@pytest.mark.parametrize("dtype", TYPES, ids=lambda dtype: dtype.__name__)
def test_activations_saturate_without_overflow(dtype: type) -> None:
    z = np.array([-1e30, -800, 0, 800, 1e30], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        np.testing.assert_allclose(sigmoid(z), [0, 0, 0.5, 1, 1], atol=1e-300)
        np.testing.assert_array_equal(tanh(z), [-1, -1, 0, 1, 1])
        np.testing.assert_array_equal(relu(z), [0, 0, 0, *z[3:]])


def test_nan_passes() -> None:
    for function in (sigmoid, tanh, relu):
        assert np.isnan(function(np.array([np.nan]))).all()


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (sigmoid, lambda x: np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))) ** 2),
        (tanh, lambda x: 1 / np.cosh(x) ** 2),
        (relu, lambda x: (x > 0).astype(np.float64)),
    ],
    ids=["sigmoid", "tanh", "relu"],
)
def test_complex_step_gives_the_slope(
    function: Callable[[np.ndarray], np.ndarray], slope: Callable[[np.ndarray], np.ndarray]
) -> None:
    x = np.linspace(-30, 30, 601)
    step = 2.0**-200
    np.testing.assert_allclose(function(x + 1j * step).imag / step, slope(x), rtol=1e-14)


def test_reverse_is_a_flipped_sequence() -> None:
    for cell in CELLS:
        arguments = Problem(cell, np.float64).arguments(np.random.default_rng(1))
        got = cell.reference(arguments, reverse=True)
        want = cell.reference({**arguments, "x": arguments["x"][::-1]})
        np.testing.assert_array_equal(got[0], want[0][::-1])
        for g, w in zip(got[1:], want[1:], strict=True):
            np.testing.assert_array_equal(g, w)


@pytest.mark.parametrize("cell", CELLS, ids=str)
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_each_sequence_of_a_batch_is_one_by_itself(cell: Cell, reverse: bool) -> None:
    rng = np.random.default_rng(2)
    problem = Problem(cell, np.float64, T=7, B=6)
    lengths, resets = [7, 0, 4, 1, 4, 6], rng.random((7, 6)) < 0.3
    arguments = {
        name: a + 1j * STEP * rng.standard_normal(a.shape)
        for name, a in problem.arguments(rng).items()
    }
    options = {"reverse": reverse, "truncate": 3}
    y, *finals = cell.reference(arguments, lengths=lengths, resets=resets, **options)
    for row, length in enumerate(lengths):
        alone = {**arguments, "x": arguments["x"][:length, row : row + 1]}
        alone |= {state: arguments[state][row : row + 1] for state in cell.states}
        want = cell.reference(alone, resets=resets[:length, row : row + 1], **options)
        got = (y[:length, row : row + 1], *(final[row : row + 1] for final in finals))
        for g, w in zip(got, want, strict=True):
            np.testing.assert_allclose(g.real, w.real, rtol=1e-12, atol=1e-14)
            np.testing.assert_allclose(g.imag / STEP, w.imag / STEP, rtol=1e-11, atol=1e-12)
        assert not y[length:, row].any()
