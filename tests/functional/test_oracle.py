"""Values of every cell against the equations in plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from option_choices import check_batches, every_cell_and_choice
from rnnfast.testing.cells import BIASES, CELLS, Cell, is_weight
from rnnfast.testing.options import Option, of_packed_call, of_prepack, pairs, without_gradients
from rnnfast.testing.random import DTYPES, LAYOUTS, DType, Problem, border_sizes, random_problem
from rnnfast.testing.tolerances import expected_outputs

every_cell = pytest.mark.parametrize("cell", CELLS, ids=str)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)


def check(problem: Problem, seed: int, layout: str | None = None) -> None:
    """Compare forward, the forward that saves, and the prepacked forward with the reference."""
    rng = np.random.default_rng(seed)
    cell = problem.cell
    arguments = problem.arguments(rng)
    call = problem.call(rng)
    options = without_gradients(call)
    held = arguments
    if layout is not None:
        held = {name: LAYOUTS[layout](a) for name, a in arguments.items()}
    operands = {name: a for name, a in held.items() if not is_weight(name)}

    expected = expected_outputs(cell, arguments, rng, **options)
    results = {"forward": cell.forward(held, **options), "vjp": cell.vjp(held, **call)[0]}
    if "seed" not in options:  # packed cells are for inference
        packed = cell.prepack(held, **of_prepack(options))
        results["prepacked"] = packed(**operands, **of_packed_call(options))
    for way, got in results.items():
        assert got._fields == cell.outputs
        for name, g, (want, atol) in zip(cell.outputs, got, expected, strict=True):
            assert g.dtype == problem.dtype
            assert g.dtype.isnative
            np.testing.assert_allclose(g, want, rtol=0, atol=atol, err_msg=f"{name} of {way}")


@every_cell
@every_dtype
@pytest.mark.parametrize("biases", BIASES, ids=lambda names: "+".join(names) or "no_bias")
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_options(cell: Cell, dtype: DType, biases: tuple[str, ...], reverse: bool) -> None:
    for states in {(), cell.states, cell.states[:1], cell.states[1:]}:
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
def test_sizes_around_a_panel(cell: Cell, dtype: DType) -> None:
    for inputs in border_sizes(dtype):
        for units in border_sizes(dtype):
            check(Problem(cell, dtype, T=3, B=4, I=inputs, H=units), seed=2)


@every_cell
@every_dtype
def test_rows_around_a_tile(cell: Cell, dtype: DType) -> None:
    for B in range(1, 26):
        check(Problem(cell, dtype, T=2, B=B, I=5, H=33), seed=3)


@every_cell
@every_dtype
def test_large(cell: Cell, dtype: DType) -> None:
    check(Problem(cell, dtype, T=40, B=37, I=131, H=190), seed=4)


@every_cell
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(cell: Cell, layout: str) -> None:
    check(Problem(cell, np.float64, T=4, B=5, I=11, H=13), seed=5, layout=layout)


@settings(max_examples=250, derandomize=True, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), layout=st.sampled_from([None, *LAYOUTS]))
def test_random_problems(seed: int, layout: str | None) -> None:
    check(random_problem(np.random.default_rng(seed)), seed, layout)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_steps_of_a_prepacked_cell_are_its_forward(cell: Cell) -> None:
    rng = np.random.default_rng(6)
    problem = Problem(cell, np.float32, T=7, B=3, I=18, H=17)
    arguments = problem.arguments(rng)
    packed = cell.prepack(arguments)
    states = tuple(arguments[name] for name in cell.states)
    want = packed(arguments["x"], **dict(zip(cell.states, states, strict=True)))
    state = states if len(states) > 1 else states[0]
    for t in range(problem.T):
        state = packed.step(arguments["x"][t], state)
        h = state[0] if len(states) > 1 else state
        np.testing.assert_array_equal(h, want.y[t])
    final = state if len(states) > 1 else (state,)
    for f, w in zip(final, want[1:], strict=True):
        np.testing.assert_array_equal(f, w)
