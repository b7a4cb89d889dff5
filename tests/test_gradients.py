"""Every gradient of every cell against the complex step through the reference."""

from __future__ import annotations

from itertools import chain, combinations

import numpy as np
import pytest

from option_choices import check_batches, every_cell_and_choice
from rnnfast.testing.bits import digest
from rnnfast.testing.cells import BIASES, CELLS, Cell
from rnnfast.testing.gradients import assert_gradients
from rnnfast.testing.options import Option, pairs
from rnnfast.testing.random import DTYPES, LAYOUTS, DType, Problem, border_sizes, random_problem

every_cell = pytest.mark.parametrize("cell", CELLS, ids=str)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)


def subsets(names: tuple[str, ...]) -> list[tuple[str, ...]]:
    return list(chain.from_iterable(combinations(names, n) for n in range(len(names) + 1)))


def expected_names(problem: Problem) -> set[str]:
    return {"x", *problem.cell.weights, *problem.biases, *problem.cell.states}


def check(problem: Problem, seed: int, given: tuple[str, ...] | None = None) -> None:
    """Check all gradients of a problem, with some of the cotangents given."""
    rng = np.random.default_rng(seed)
    arguments = problem.arguments(rng)
    cotangents = problem.cotangents(rng, given)
    options = problem.call(rng)
    _, pullback = problem.cell.vjp(arguments, **options)
    gradients = pullback(**cotangents)._asdict()

    present = {name: g for name, g in gradients.items() if g is not None}
    full = problem.with_all_states(arguments)
    assert set(present) == expected_names(problem)
    for name, gradient in present.items():
        assert gradient.dtype == problem.dtype
        assert gradient.shape == full[name].shape, name
    assert_gradients(problem.cell, full, cotangents, present, rng, **options)


@every_cell
@every_dtype
@pytest.mark.parametrize("biases", BIASES, ids=lambda names: "+".join(names) or "no_bias")
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_options(cell: Cell, dtype: DType, biases: tuple[str, ...], reverse: bool) -> None:
    for states in subsets(cell.states):
        check(Problem(cell, dtype, biases=biases, states=states, reverse=reverse), seed=1)


@every_cell_and_choice
def test_options_of_a_call(cell: Cell, dtype: DType, chosen: tuple[Option, ...]) -> None:
    check_batches(check, cell, dtype, chosen)


@pytest.mark.full
@every_cell
@every_dtype
def test_every_pair_of_options(cell: Cell, dtype: DType) -> None:
    for chosen in pairs():
        check_batches(check, cell, dtype, chosen)


@every_cell
@every_dtype
@pytest.mark.parametrize("inputs", range(len(border_sizes(np.float32))))
@pytest.mark.parametrize("units", range(len(border_sizes(np.float32))))
def test_sizes_around_a_panel(cell: Cell, dtype: DType, inputs: int, units: int) -> None:
    sizes = border_sizes(dtype)
    check(Problem(cell, dtype, T=4, B=3, I=sizes[inputs], H=sizes[units]), seed=2)


@every_cell
@every_dtype
@pytest.mark.parametrize(("T", "B"), [(1, 1), (1, 19), (2, 1), (23, 1), (3, 16), (8, 7), (6, 33)])
def test_steps_and_rows(cell: Cell, dtype: DType, T: int, B: int) -> None:
    check(Problem(cell, dtype, T=T, B=B), seed=3)


@every_cell
@every_dtype
def test_more_rows_than_one_chunk(cell: Cell, dtype: DType) -> None:
    check(Problem(cell, dtype, T=41, B=48, I=21, H=35), seed=4)


@every_cell
@every_dtype
def test_more_units_than_one_block(cell: Cell, dtype: DType) -> None:
    check(Problem(cell, dtype, T=3, B=11, I=150, H=203), seed=5)


@every_cell
@every_dtype
def test_every_choice_of_cotangents(cell: Cell, dtype: DType) -> None:
    for given in subsets(cell.cotangents):
        for reverse in (False, True):
            check(Problem(cell, dtype, reverse=reverse), seed=6, given=given)


@pytest.mark.parametrize("seed", range(120))
def test_random_problems(seed: int) -> None:
    check(random_problem(np.random.default_rng(seed)), seed)


@every_cell
@pytest.mark.parametrize("name", ["T", "B"])
def test_nothing_to_do(cell: Cell, name: str) -> None:
    problem = Problem(cell, np.float64, **{name: 0})
    rng = np.random.default_rng(7)
    arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)
    _, pullback = cell.vjp(arguments)
    gradients = pullback(**cotangents)._asdict()
    for state in cell.states:
        np.testing.assert_array_equal(gradients[state], cotangents[f"d{state[0]}_n"])
    for argument in set(cell.arguments) - set(cell.states):
        assert gradients[argument].shape == arguments[argument].shape
        assert not gradients[argument].any()


@every_cell
@every_dtype
def test_wrt_leaves_the_others_out(cell: Cell, dtype: DType) -> None:
    rng = np.random.default_rng(8)
    problem = Problem(cell, dtype, H=17)
    arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)
    _, pullback = cell.vjp(arguments)
    everything = pullback(**cotangents)._asdict()
    for wanted in subsets(cell.arguments)[1:]:
        _, pullback = cell.vjp(arguments, wrt=wanted)
        gradients = pullback(**cotangents)._asdict()
        assert {name for name, g in gradients.items() if g is not None} == set(wanted)
        for name in wanted:
            assert digest([gradients[name]]) == digest([everything[name]]), (name, wanted)


@every_cell
@every_dtype
def test_pullback_may_be_called_again(cell: Cell, dtype: DType) -> None:
    rng = np.random.default_rng(9)
    problem = Problem(cell, dtype, T=9, B=5)
    _, pullback = cell.vjp(problem.arguments(rng))
    cotangents, others = problem.cotangents(rng), problem.cotangents(rng)
    first = digest(pullback(**cotangents))
    assert digest(pullback(**others)) != first
    assert digest(pullback(**cotangents)) == first


@every_cell
@every_dtype
def test_out_accumulates(cell: Cell, dtype: DType) -> None:
    rng = np.random.default_rng(10)
    problem = Problem(cell, dtype)
    _, pullback = cell.vjp(problem.arguments(rng))
    cotangents = problem.cotangents(rng)
    gradients = pullback(**cotangents)
    before = {
        name: rng.standard_normal(getattr(gradients, name).shape).astype(dtype)
        for name in cell.arguments
    }
    out = type(gradients)(**{name: b.copy() for name, b in before.items()})
    returned = pullback(**cotangents, out=out)
    for name, b in before.items():
        o, want = getattr(out, name), b + getattr(gradients, name)
        assert getattr(returned, name) is o, name
        np.testing.assert_allclose(o, want, rtol=4 * np.finfo(dtype).eps, err_msg=name)


@every_cell
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_change_no_bit(cell: Cell, layout: str) -> None:
    rng = np.random.default_rng(11)
    problem = Problem(cell, np.float32, T=6, B=5, I=19, H=18)
    arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)
    out, pullback = cell.vjp(arguments)
    held = {name: LAYOUTS[layout](a) for name, a in arguments.items()}
    held_out, held_pullback = cell.vjp(held)
    assert digest(held_out) == digest(out)
    held_cotangents = {name: LAYOUTS[layout](d) for name, d in cotangents.items()}
    assert digest(held_pullback(**held_cotangents)) == digest(pullback(**cotangents))
