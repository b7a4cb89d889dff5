"""The gradient check must notice a wrong gradient, and name it."""

from __future__ import annotations

import numpy as np
import pytest

from rnnfast.testing.cells import CELLS, Cell
from rnnfast.testing.gradients import assert_gradients
from rnnfast.testing.random import Problem


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_names_the_wrong_argument(cell: Cell) -> None:
    rng = np.random.default_rng(0)
    problem = Problem(cell, np.float64)
    arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)
    given = cell.vjp(arguments)[1](**cotangents)
    gradients = {name: getattr(given, name) for name in cell.arguments}
    assert_gradients(cell, arguments, cotangents, gradients, rng)
    for name, gradient in gradients.items():
        wrong = gradient.copy()
        wrong.flat[-1] += 1e-9 * np.linalg.norm(gradient)
        with pytest.raises(AssertionError, match="all at once") as caught:
            assert_gradients(cell, arguments, cotangents, {**gradients, name: wrong}, rng)
        blamed = {line.split(":")[0].strip() for line in str(caught.value).splitlines()[1:]}
        assert blamed == {name, "all at once"}


def test_a_small_gradient_counts_as_much_as_a_large_one() -> None:
    rng = np.random.default_rng(0)
    cell = CELLS[0]
    problem = Problem(cell, np.float64)
    arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)
    arguments["w_ih"] *= 1e-9
    gradients = cell.vjp(arguments)[1](**cotangents)._asdict()
    assert np.linalg.norm(gradients["x"]) < 1e-8 * np.linalg.norm(gradients["w_hh"])
    assert_gradients(cell, arguments, cotangents, gradients, rng)
    gradients["x"] = gradients["x"] * (1 + 1e-9)
    with pytest.raises(AssertionError, match="x: got"):
        assert_gradients(cell, arguments, cotangents, gradients, rng)


def test_nan_is_wrong() -> None:
    rng = np.random.default_rng(0)
    problem = Problem(CELLS[0], np.float64)
    arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)
    gradients = CELLS[0].vjp(arguments)[1](**cotangents)._asdict()
    gradients["x"] = np.full_like(gradients["x"], np.nan)
    with pytest.raises(AssertionError, match="x: got nan"):
        assert_gradients(CELLS[0], arguments, cotangents, gradients, rng)
