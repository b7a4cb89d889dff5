"""Calls of every kind: right, the same under every plan, or refused with a word about why."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import rnnfast
from random_calls import DAMAGES, Damage, held, in_part, layouts, odd_values, plans, problems, seeds
from rnnfast import functional
from rnnfast.testing.bits import digest
from rnnfast.testing.cells import CELLS, Cell, is_weight
from rnnfast.testing.gradients import assert_gradients, present
from rnnfast.testing.options import OPTIONS, of_packed_call, of_prepack, without_gradients
from rnnfast.testing.plans import forced_plan
from rnnfast.testing.random import DTYPES, Problem
from rnnfast.testing.tolerances import expected_outputs

ARGUMENTS = tuple(dict.fromkeys(name for cell in CELLS for name in cell.arguments))
COTANGENTS = tuple(dict.fromkeys(name for cell in CELLS for name in cell.cotangents))
OPTION_NAMES = (
    *(option.name for option in OPTIONS),
    *("activations", "nonlinearity", "forget_gate", "reset_after", "bidirectional", "dropout"),
)
OF_CELLS = {*(option.name for option in OPTIONS if option.belongs_to == "cell"), "activations"}
# Masks are drawn for a row's place in the batch.
WITHOUT_NOISE = tuple(option for option in OPTIONS if option.belongs_to != "training")
# Of others the layers above have weights of other shapes.
STACKED = tuple(cell for cell in CELLS if not cell.projects)


@in_part
@given(problem=problems(), seed=seeds, layout=layouts((*ARGUMENTS, *COTANGENTS)))
def test_results_and_gradients_are_those_of_the_equations(problem, seed, layout):
    rng = np.random.default_rng(seed)
    cell, arguments = problem.cell, problem.arguments(rng)
    cotangents, options = problem.cotangents(rng), problem.call(rng)
    given_arrays, given_cotangents = held(arguments, layout), held(cotangents, layout)
    before = digest([*given_arrays.values(), *given_cotangents.values()])

    forward = without_gradients(options)
    expected = expected_outputs(cell, arguments, rng, **forward)
    out, pullback = cell.vjp(given_arrays, **options)
    for name, got, (want, atol) in zip(cell.outputs, out, expected, strict=True):
        assert got.dtype == problem.dtype
        np.testing.assert_allclose(got, want, rtol=0, atol=atol, err_msg=name)
    assert digest(cell.forward(given_arrays, **forward)) == digest(out)
    if "seed" not in options:
        packed = cell.prepack(given_arrays, **of_prepack(options))
        operands = {name: a for name, a in given_arrays.items() if not is_weight(name)}
        assert digest(packed(**operands, **of_packed_call(options))) == digest(out)

    gradients = pullback(**given_cotangents)._asdict()
    there = {name: g for name, g in gradients.items() if g is not None}
    full = problem.with_all_states(arguments)
    assert_gradients(cell, full, cotangents, there, rng, **options)
    assert digest([*given_arrays.values(), *given_cotangents.values()]) == before


@in_part
@given(data=st.data(), problem=problems(), seed=seeds)
def test_plans_and_threads_change_no_bit(data, problem, seed):
    def everything() -> str:
        out, pullback = problem.cell.vjp(arguments, **options)
        plain = problem.cell.forward(arguments, **without_gradients(options))
        return digest([*out, *plain, *pullback(**cotangents)])

    rng = np.random.default_rng(seed)
    arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)
    options = problem.call(rng)
    with rnnfast.num_threads(1):
        alone = everything()
    with forced_plan(**data.draw(plans(problem.cell.partitions, problem.T))):
        assert everything() == alone


@in_part
@given(data=st.data(), problem=problems(WITHOUT_NOISE), seed=seeds)
def test_a_row_does_not_know_its_neighbours(data, problem, seed):
    rng = np.random.default_rng(seed)
    arguments, options = problem.arguments(rng), without_gradients(problem.call(rng))
    rows = data.draw(st.lists(st.integers(0, problem.B - 1), min_size=1, unique=True))

    def of_rows(name: str, value: Any) -> Any:
        if name in ("x", "resets"):
            return value[:, rows]
        return value[rows] if name in ("h0", "c0", "lengths") else value

    y, *final = problem.cell.forward(arguments, **options)
    alone = problem.cell.forward(
        {name: of_rows(name, a) for name, a in arguments.items()},
        **{name: of_rows(name, value) for name, value in options.items()},
    )
    assert digest(alone) == digest([y[:, rows], *(state[rows] for state in final)])


@in_part
@given(data=st.data(), problem=problems((), STACKED), seed=seeds)
def test_stacks_are_the_same_under_every_plan(data, problem, seed):
    layers, both = data.draw(st.integers(1, 4)), data.draw(st.booleans())
    rng = np.random.default_rng(seed)
    directions = 2 if both else 1
    x, columns = problem.arguments(rng)["x"], {}
    for layer in range(layers):
        inputs = problem.I if layer == 0 else directions * problem.H
        sizes = (problem.T, problem.B, inputs, problem.H)
        for _ in range(directions):
            drawn = Problem(problem.cell, problem.dtype, *sizes, problem.biases).arguments(rng)
            for name in (name for name in drawn if is_weight(name)):
                columns.setdefault(name, []).append(drawn[name])
    arguments, options = {"x": x, **columns}, {"bidirectional": both}

    def everything() -> str:
        out, pullback = problem.cell.vjp(arguments, **options)
        packed = problem.cell.prepack(arguments, **options)(x)
        arrays = []
        for gradient in present(pullback(dy=np.ones_like(out[0]))):
            arrays += gradient if isinstance(gradient, (list, tuple)) else [gradient]
        return digest([*out, *packed, *arrays])

    with forced_plan(threads=1, pipelines=False):
        alone = everything()
    with forced_plan(**data.draw(plans(problem.cell.partitions, problem.T))):
        assert everything() == alone


def refused_or_done(call) -> Any:
    """What a call returns; None if it refuses, naming an argument, or has no memory for it."""
    try:
        return call()
    except MemoryError:
        return None
    except (ValueError, TypeError) as error:
        known = (*ARGUMENTS, *COTANGENTS, *OPTION_NAMES, "state", "wrt", "out", "cell", "argument")
        assert any(name in str(error) for name in known), f"names no argument: {error!r}"
        return None


def damaged(arguments: dict[str, Any], damages: dict[str, Damage]) -> dict[str, Any]:
    changed = dict(arguments)
    for name, damage in damages.items():
        if isinstance(changed.get(name), np.ndarray):
            try:
                changed[name] = damage.of(changed[name])
            except (ValueError, IndexError, np.exceptions.AxisError):
                continue  # this array has no such axis
    return changed


@in_part
@given(
    problem=problems(),
    seed=seeds,
    damages=st.dictionaries(
        st.sampled_from(ARGUMENTS), st.sampled_from(DAMAGES), min_size=1, max_size=3
    ),
    values=st.dictionaries(st.sampled_from(OPTION_NAMES), odd_values, max_size=2),
)
def test_bad_arguments_are_refused_or_taken(problem, seed, damages, values):
    rng = np.random.default_rng(seed)
    cell, arguments, options = problem.cell, problem.arguments(rng), problem.call(rng)
    cotangents = problem.cotangents(rng)

    def good() -> str:
        out, pullback = cell.vjp(arguments, **options)
        return digest([*out, *pullback(**cotangents)])

    before = good()
    bad, odd = damaged(arguments, damages), {**cell.options, **options, **values}
    forward = {n: value for n, value in odd.items() if n not in ("truncate", "checkpoint")}
    refused_or_done(lambda: getattr(functional, cell.function)(**bad, **forward))
    refused_or_done(lambda: getattr(functional, f"{cell.function}_trace")(**bad, **forward))
    done = refused_or_done(lambda: getattr(functional, f"{cell.function}_vjp")(**bad, **odd))
    if done is not None:
        out, pullback = done
        refused_or_done(lambda: pullback(dy=np.ones_like(out.y)))
    of_cell = {n: value for n, value in odd.items() if n in cell.options or n in OF_CELLS}
    weights = {name: a for name, a in bad.items() if is_weight(name)}
    packed = refused_or_done(lambda: rnnfast.prepack(cell.function, **weights, **of_cell))
    if packed is not None:
        operands = {name: a for name, a in bad.items() if not is_weight(name)}
        for_call = {n: value for n, value in odd.items() if n in ("lengths", "resets")}
        refused_or_done(lambda: packed(**operands, **for_call))
    assert good() == before


@in_part
@given(
    problem=problems(),
    seed=seeds,
    damages=st.dictionaries(
        st.sampled_from(COTANGENTS), st.sampled_from(DAMAGES), min_size=1, max_size=3
    ),
    buffers=st.dictionaries(st.sampled_from(ARGUMENTS), st.sampled_from(DAMAGES), max_size=2),
)
def test_bad_cotangents_and_buffers_are_refused_or_taken(problem, seed, damages, buffers):
    rng = np.random.default_rng(seed)
    cell, arguments, options = problem.cell, problem.arguments(rng), problem.call(rng)
    cotangents = problem.cotangents(rng)
    _, pullback = cell.vjp(arguments, **options)
    want = digest(pullback(**cotangents))
    refused_or_done(lambda: pullback(**damaged(cotangents, damages)))
    empty = pullback(**cotangents)
    arrays = {name: g for name, g in empty._asdict().items() if g is not None}
    out = type(empty)(**damaged(arrays, buffers))
    refused_or_done(lambda: pullback(**cotangents, out=out))
    refused_or_done(lambda: pullback(**cotangents, out=arrays))
    assert digest(pullback(**cotangents)) == want


@in_part
@given(
    cell=st.sampled_from(CELLS),
    dtype=st.sampled_from(DTYPES),
    T=st.integers(0, 2),
    B=st.integers(0, 2),
    reverse=st.booleans(),
)
def test_nothing_is_enough(cell: Cell, dtype, T, B, reverse):
    rng = np.random.default_rng(0)
    problem = Problem(cell, dtype, T, B, 3, 4, reverse=reverse)
    arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)
    out, pullback = cell.vjp(arguments, reverse=reverse)
    assert out.y.shape[:2] == (T, B)
    gradients = pullback(**cotangents)
    if T == 0:
        assert digest(out[1:]) == digest(arguments[state] for state in cell.states)
    if T * B == 0:
        assert not any(np.any(g) for name, g in gradients._asdict().items() if name[0] in "wbpl")
    packed = cell.prepack(arguments, reverse=reverse)
    assert digest(packed(**{n: a for n, a in arguments.items() if not is_weight(n)})) == digest(out)
