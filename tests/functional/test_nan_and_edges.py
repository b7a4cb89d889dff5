"""NaN, infinities, subnormals, huge values, empty sizes; what is read and written, and what not."""

from __future__ import annotations

import numpy as np
import pytest

from rnnfast.testing.bits import digest
from rnnfast.testing.cells import CELLS, Cell, is_weight
from rnnfast.testing.gradients import present
from rnnfast.testing.random import DTYPES, DType, Problem

every_cell = pytest.mark.parametrize("cell", CELLS, ids=str)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)


def setting(cell: Cell, dtype: DType, **sizes: int) -> tuple[dict, dict]:
    rng = np.random.default_rng(1)
    problem = Problem(cell, dtype, **sizes)
    return problem.arguments(rng), problem.cotangents(rng)


@every_cell
@every_dtype
@pytest.mark.parametrize("poisoned", ["x", "h0", "c0"])
def test_nan_stays_in_its_row(cell: Cell, dtype: DType, poisoned: str) -> None:
    if poisoned not in cell.arguments:
        return
    arguments, cotangents = setting(cell, dtype, T=6, B=9, I=11, H=19)
    clean, clean_pullback = cell.vjp(arguments)
    clean_gradients = clean_pullback(**cotangents)
    row, step = 4, 2
    arguments[poisoned] = arguments[poisoned].copy()
    arguments[poisoned][(step, row, 3) if poisoned == "x" else (row, 3)] = np.nan
    out, pullback = cell.vjp(arguments)
    gradients = pullback(**cotangents)
    assert digest(cell.forward(arguments)) == digest(out)

    others = np.arange(9) != row
    start = step if poisoned == "x" else 0
    assert np.isnan(out.y[start + 1 :, row]).all()
    assert np.isnan(out.h_n[row]).all()
    assert digest([out.y[:start]]) == digest([clean.y[:start]])
    assert digest([out.y[:, others]]) == digest([clean.y[:, others]])
    assert digest([gradients.x[:, others]]) == digest([clean_gradients.x[:, others]])
    for state in cell.states:
        final, gradient = f"{state[0]}_n", getattr(gradients, state)
        assert digest([getattr(out, final)[others]]) == digest([getattr(clean, final)[others]])
        assert digest([gradient[others]]) == digest([getattr(clean_gradients, state)[others]])
    # A relu stops NaN on its way back, but its own weights have met it.
    assert np.isnan(gradients.w_ih if poisoned == "x" else gradients.w_hh).any()


@every_cell
@every_dtype
@pytest.mark.parametrize("poisoned", ["dy", "dh_n", "dc_n"])
def test_nan_in_a_cotangent_stays_in_its_row(cell: Cell, dtype: DType, poisoned: str) -> None:
    if poisoned not in cell.cotangents:
        return
    arguments, cotangents = setting(cell, dtype, T=6, B=9, I=11, H=19)
    _, pullback = cell.vjp(arguments)
    clean = pullback(**cotangents)
    row, step = 4, 2
    cotangents[poisoned] = cotangents[poisoned].copy()
    cotangents[poisoned][(step, row, 3) if poisoned == "dy" else (row, 3)] = np.nan
    gradients = pullback(**cotangents)
    others = np.arange(9) != row
    assert digest([gradients.x[:, others]]) == digest([clean.x[:, others]])
    assert np.isnan(gradients.x[0, row]).all()
    if poisoned == "dy":
        assert digest([gradients.x[step + 1 :]]) == digest([clean.x[step + 1 :]])
    for state in cell.states:
        assert digest([getattr(gradients, state)[others]]) == digest(
            [getattr(clean, state)[others]]
        )


@every_cell
@every_dtype
@pytest.mark.parametrize("sign", [1, -1], ids=["+inf", "-inf"])
def test_infinite_input(cell: Cell, dtype: DType, sign: int) -> None:
    arguments, _ = setting(cell, dtype, T=4, B=3, I=5, H=21)
    arguments["x"][1, 1, 2] = sign * np.inf
    with np.errstate(invalid="ignore"):
        want = cell.reference(arguments)
    got = cell.forward(arguments)
    for name, g, w in zip(cell.outputs, got, want, strict=True):
        np.testing.assert_allclose(g, w, rtol=0, atol=64 * np.finfo(dtype).eps * 8, err_msg=name)


@every_cell
@every_dtype
def test_huge_values_saturate(cell: Cell, dtype: DType) -> None:
    # A relu or an elu does not saturate, nor does what is normalized.
    if {"relu", "elu"} & {*cell.activations} or cell.norm_rows:
        return
    arguments, cotangents = setting(cell, dtype, T=4, B=3, I=5, H=21)
    arguments["x"] *= np.sqrt(np.finfo(dtype).max)
    out, pullback = cell.vjp(arguments)
    for name, got, want in zip(cell.outputs, out, cell.reference(arguments), strict=True):
        # A projection sums numbers of either sign.
        atol = np.finfo(dtype).eps * 21 if cell.projects else 0
        np.testing.assert_allclose(
            got, want, rtol=16 * np.finfo(dtype).eps, atol=atol, err_msg=name
        )
    gradients = pullback(**cotangents)
    assert np.isfinite(gradients.x).all()
    # A saturated gate passes nothing back; in no cell does x act past its gates.
    assert not gradients.x.any()


@every_cell
@every_dtype
@pytest.mark.parametrize("tiny", ["x", "h0", "c0", "w_ih", "w_hh", "b_ih"])
def test_subnormal_arguments_act_as_zero(cell: Cell, dtype: DType, tiny: str) -> None:
    if tiny not in cell.arguments:
        return
    arguments, cotangents = setting(cell, dtype, I=13, H=18)
    subnormal = np.finfo(dtype).smallest_subnormal * 1000
    arguments[tiny] = np.full_like(arguments[tiny], subnormal)
    zeroed = {**arguments, tiny: np.zeros_like(arguments[tiny])}
    out, pullback = cell.vjp(arguments)
    zero_out, zero_pullback = cell.vjp(zeroed)
    got = [*out, *present(pullback(**cotangents))]
    want = [*zero_out, *present(zero_pullback(**cotangents))]
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(g, w, rtol=0, atol=np.finfo(dtype).tiny * 1e3)


@every_dtype
def test_the_callers_subnormals_survive(dtype: DType) -> None:
    arguments, cotangents = setting(CELLS[3], dtype, B=40, H=64)
    _, pullback = CELLS[3].vjp(arguments)
    pullback(**cotangents)
    halved = np.array([np.finfo(dtype).tiny]) * dtype(0.5)
    assert halved[0] > 0
    assert halved[0] * dtype(2) == np.finfo(dtype).tiny


@every_cell
@every_dtype
@pytest.mark.parametrize("given", [True, False], ids=["states", "no_states"])
@pytest.mark.parametrize(("T", "B"), [(0, 3), (4, 0), (0, 0)])
def test_empty(cell: Cell, dtype: DType, given: bool, T: int, B: int) -> None:
    problem = Problem(cell, dtype, T=T, B=B, states=cell.states if given else ())
    arguments = problem.arguments(np.random.default_rng(1))
    packed = cell.prepack(arguments)
    operands = {name: a for name, a in arguments.items() if not is_weight(name)}
    for out in (cell.forward(arguments), cell.vjp(arguments)[0], packed(**operands)):
        assert out.y.shape == (T, B, cell.output_size(problem.H))
        assert out.y.dtype == dtype
        initial = problem.with_all_states(arguments)
        for state, final in zip(cell.states, out[1:], strict=True):
            want = initial[state]
            np.testing.assert_array_equal(final, want)
            if given and B:
                assert not np.shares_memory(final, arguments[state])


@every_cell
@every_dtype
def test_arguments_are_not_modified(cell: Cell, dtype: DType) -> None:
    arguments, cotangents = setting(cell, dtype, T=7, B=17, H=33)
    before = digest([*arguments.values(), *cotangents.values()])
    for array in (*arguments.values(), *cotangents.values()):
        array.flags.writeable = False
    out, pullback = cell.vjp(arguments)
    results = [*out, *present(pullback(**cotangents)), *cell.forward(arguments)]
    assert digest([*arguments.values(), *cotangents.values()]) == before
    for result in results:
        assert result.flags.writeable
        assert not any(np.shares_memory(result, a) for a in arguments.values())


@every_cell
@every_dtype
def test_outputs_are_the_callers_to_change(cell: Cell, dtype: DType) -> None:
    arguments, cotangents = setting(cell, dtype, T=7, B=17, H=33)
    _, pullback = cell.vjp(arguments)
    want = digest(pullback(**cotangents))
    out, pullback = cell.vjp(arguments)
    for output in out:
        output.fill(np.nan)
    assert digest(pullback(**cotangents)) == want
    for gradient in present(pullback(**cotangents)):
        gradient.fill(np.nan)
    assert digest(pullback(**cotangents)) == want


@every_cell
def test_prepacked_weights_are_a_copy(cell: Cell) -> None:
    arguments, _ = setting(cell, np.float32, H=33)
    operands = {name: a for name, a in arguments.items() if not is_weight(name)}
    packed = cell.prepack(arguments)
    want = digest(packed(**operands))
    for name in ("w_ih", "w_hh", "b_ih", "b_hh"):
        arguments[name].fill(np.nan)
    assert digest(packed(**operands)) == want
