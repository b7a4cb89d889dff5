"""Gradients of each sample: what a loop over the sequences of a batch gives, to rounding."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import rnnfast
from rnnfast.testing.bits import digest
from rnnfast.testing.cells import CELLS, CELLS_BY_NAME, Cell, is_weight
from rnnfast.testing.gradients import assert_gradients
from rnnfast.testing.options import OPTIONS, Option, alone
from rnnfast.testing.plans import forced_plan, last_plan
from rnnfast.testing.random import DTYPES, DType, Problem

every_cell = pytest.mark.parametrize("cell", CELLS, ids=str)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)

# Masks are drawn for a batch as a whole, so a loop over its sequences has others: see below.
COMPARED = alone([o for o in OPTIONS if o.belongs_to not in ("training", "memory")])
NOISE = alone([o for o in OPTIONS if o.belongs_to == "training"])


def of_sequence(values: dict[str, Any], b: int) -> dict[str, Any]:
    """Return of arguments, cotangents or options those of one sequence, as a batch of one."""
    of_steps = ("x", "dy", "resets")  # (T, B, ...)
    of_rows = ("h0", "c0", "dh_n", "dc_n", "lengths")  # (B, ...)
    return {
        name: value[:, b : b + 1]
        if name in of_steps
        else value[b : b + 1]
        if name in of_rows
        else value
        for name, value in values.items()
    }


def assert_as_in_a_loop(cell: Cell, arguments: dict, cotangents: dict, options: dict) -> None:
    dtype = arguments["x"].dtype
    got = cell.vjp(arguments, **options, per_sample=True)[1](**cotangents)
    batch = cell.vjp(arguments, **options)[1](**cotangents)
    assert type(got) is type(batch)
    rows = arguments["x"].shape[1]
    allowed = 1e-12 if dtype == np.float64 else 2e-4
    for b in range(rows):
        _, pullback = cell.vjp(of_sequence(arguments, b), **of_sequence(options, b))
        want = pullback(**of_sequence(cotangents, b))
        for name, one in want._asdict().items():
            if one is None or not is_weight(name):
                continue
            mine = getattr(got, name)
            assert mine.dtype == dtype
            assert mine.shape == (rows, *arguments[name].shape), name
            scale = max(1.0, np.abs(one).max())
            np.testing.assert_allclose(mine[b], one, rtol=0, atol=allowed * scale, err_msg=name)
    for name, one in batch._asdict().items():
        if one is None or is_weight(name):
            assert (one is None) == (getattr(got, name) is None)
        else:
            assert digest([one]) == digest([getattr(got, name)]), name


@every_cell
@every_dtype
@pytest.mark.parametrize("chosen", [(), *COMPARED], ids=lambda c: "+".join(map(str, c)) or "none")
def test_as_in_a_loop(cell: Cell, dtype: DType, chosen: tuple[Option, ...]) -> None:
    for seed, (T, B, I, H) in enumerate([(7, 5, 3, 9), (1, 1, 1, 1), (12, 3, 20, 33)]):  # noqa: E741
        rng = np.random.default_rng(seed)
        problem = Problem(cell, dtype, T=T, B=B, I=I, H=H, options=chosen)
        arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)
        assert_as_in_a_loop(cell, arguments, cotangents, problem.call(rng))


@pytest.mark.parametrize("name", ["lstm", "gru", "lstm_peephole", "lstm_norm", "mgu"])
def test_long_sequences(name: str) -> None:
    """Of more steps than are summed at once, and of all lengths."""
    rng = np.random.default_rng(0)
    problem = Problem(CELLS_BY_NAME[name], np.float64, T=1100, B=3, I=2, H=5)
    arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)
    for options in ({}, {"lengths": np.array([0, 1100, 530])}):
        assert_as_in_a_loop(problem.cell, arguments, cotangents, options)


@every_cell
@pytest.mark.parametrize("chosen", NOISE, ids=lambda c: "+".join(map(str, c)))
def test_with_noise_they_sum_up_to_the_gradient_of_the_batch(
    cell: Cell, chosen: tuple[Option, ...]
) -> None:
    rng = np.random.default_rng(1)
    problem = Problem(cell, np.float64, T=6, B=5, I=3, H=9, options=chosen)
    arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)
    options = problem.call(rng)
    batch = cell.vjp(arguments, **options)[1](**cotangents)
    got = cell.vjp(arguments, **options, per_sample=True)[1](**cotangents)
    for name, one in batch._asdict().items():
        if one is not None and is_weight(name):
            np.testing.assert_allclose(getattr(got, name).sum(axis=0), one, rtol=1e-11, atol=1e-11)


@every_cell
def test_by_complex_steps(cell: Cell) -> None:
    """Of one sample among others: only its own cotangents are not zero."""
    rng = np.random.default_rng(2)
    problem = Problem(cell, np.float64, T=6, B=4, I=3, H=7)
    arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)
    got = cell.vjp(arguments, per_sample=True)[1](**cotangents)
    for b in (0, 3):
        alone_in_it = {name: np.zeros_like(d) for name, d in cotangents.items()}
        for name, d in cotangents.items():
            of_b = (slice(None), b) if name == "dy" else b
            alone_in_it[name][of_b] = d[of_b]
        own = {n: g[b] for n, g in got._asdict().items() if g is not None and is_weight(n)}
        full = problem.with_all_states(arguments)
        assert_gradients(cell, full, alone_in_it, own, rng)


@every_cell
@every_dtype
def test_plans_change_no_bit(cell: Cell, dtype: DType) -> None:
    rng = np.random.default_rng(3)
    problem = Problem(cell, dtype, T=45, B=19, I=21, H=35)
    arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)
    for options in ({}, {"lengths": rng.integers(0, 46, 19), "reverse": True}):
        digests = set()
        for partition in cell.partitions:
            for threads in (1, 2, 3):
                with forced_plan(partition=partition, threads=threads):
                    _, pullback = cell.vjp(arguments, **options, per_sample=True)
                    digests.add(digest(pullback(**cotangents)))
                assert last_plan()["threads"] == threads
            with forced_plan(partition=partition, threads=2, chunk=7):
                digests.add(
                    digest(cell.vjp(arguments, **options, per_sample=True)[1](**cotangents))
                )
        assert len(digests) == 1


@every_cell
@pytest.mark.parametrize("lengths", [None, [0, 0, 0]])
@pytest.mark.parametrize("T", [0, 3])
def test_without_steps_they_are_zero(cell: Cell, lengths: Any, T: int) -> None:
    problem = Problem(cell, np.float32, T=T, B=3, I=2, H=4)
    rng = np.random.default_rng(4)
    arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)
    if lengths is None and T:
        lengths = [0, 2, 0]
    got = cell.vjp(arguments, lengths=lengths, per_sample=True)[1](**cotangents)
    idle = [0, 2] if lengths == [0, 2, 0] else [0, 1, 2]
    for name, g in got._asdict().items():
        if g is not None and is_weight(name):
            assert g.shape == (3, *arguments[name].shape)
            assert not g[idle].any(), name


def test_without_sequences_there_are_none() -> None:
    problem = Problem(CELLS_BY_NAME["lstm"], np.float32, T=3, B=0, I=2, H=4)
    arguments = problem.arguments(np.random.default_rng(5))
    _, pullback = problem.cell.vjp(arguments, per_sample=True)
    assert pullback().w_ih.shape == (0, 16, 2)


@pytest.mark.parametrize("pipelines", [False, True])
@pytest.mark.parametrize(("layers", "directions"), [(3, 1), (1, 2), (2, 2)])
def test_stacks(layers: int, directions: int, pipelines: bool) -> None:
    T, B, H = 9, 4, 6
    rng = np.random.default_rng(6)
    weights: dict[str, list] = {}
    for i in range(layers * directions):
        part = Problem(
            CELLS_BY_NAME["lstm"], np.float64, T, B, H if i < directions else directions * H, H
        )
        for name, a in part.arguments(rng).items():
            if is_weight(name):
                weights.setdefault(name, []).append(a)
    x = rng.standard_normal((T, B, H))
    dy = rng.standard_normal((T, B, directions * H))
    lengths = np.array([9, 0, 3, 8])
    both = directions == 2
    with forced_plan(pipelines=pipelines, threads=2):
        _, pullback = rnnfast.lstm_vjp(
            x, **weights, lengths=lengths, bidirectional=both, per_sample=True
        )
        got = pullback(dy)
    for b in range(B):
        own = slice(b, b + 1)
        want = rnnfast.lstm_vjp(x[:, own], **weights, lengths=lengths[own], bidirectional=both)[1](
            dy[:, own]
        )
        for name in weights:
            assert len(getattr(got, name)) == layers * directions
            for mine, one in zip(getattr(got, name), getattr(want, name), strict=True):
                np.testing.assert_allclose(mine[b], one, rtol=0, atol=1e-12, err_msg=name)


def test_batch_first() -> None:
    rng = np.random.default_rng(7)
    problem = Problem(CELLS_BY_NAME["gru"], np.float64, T=5, B=4, I=3, H=6)
    arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)
    want = problem.cell.vjp(arguments, per_sample=True)[1](**cotangents)
    arguments["x"] = arguments["x"].swapaxes(0, 1)
    cotangents["dy"] = cotangents["dy"].swapaxes(0, 1)
    got = problem.cell.vjp(arguments, per_sample=True, batch_first=True)[1](**cotangents)
    assert digest([got.w_ih, got.w_hh, got.b_hh]) == digest([want.w_ih, want.w_hh, want.b_hh])


@every_cell
def test_only_what_is_wanted(cell: Cell) -> None:
    rng = np.random.default_rng(8)
    problem = Problem(cell, np.float64, T=5, B=4, I=3, H=9)
    arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)
    every = cell.vjp(arguments, per_sample=True)[1](**cotangents)
    for name in ("x", "w_ih", "w_hh", "b_ih", "b_hh", *cell.beside):
        got = cell.vjp(arguments, wrt=[name], per_sample=True)[1](**cotangents)
        for other, g in got._asdict().items():
            assert (g is None) == (other != name)
        assert digest([getattr(got, name)]) == digest([getattr(every, name)])


def test_they_are_added_to_buffers() -> None:
    rng = np.random.default_rng(9)
    problem = Problem(CELLS_BY_NAME["lstm"], np.float64, T=5, B=4, I=3, H=6)
    arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)
    _, pullback = problem.cell.vjp(arguments, per_sample=True)
    fresh = pullback(**cotangents)
    buffer = np.ones_like(fresh.w_ih)
    got = pullback(**cotangents, out=type(fresh)(w_ih=buffer))
    assert got.w_ih is buffer
    np.testing.assert_array_equal(buffer, 1 + fresh.w_ih)
    message = "out.w_ih must be (4, 24, 3), got (24, 3)"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        pullback(**cotangents, out=type(fresh)(w_ih=buffer[0]))


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "mgu", "light_gru"])
def test_refused(name: str) -> None:
    cell = next(cell for cell in CELLS if cell.function == name)
    arguments = Problem(cell, np.float64).arguments(np.random.default_rng(10))
    function = getattr(rnnfast, f"{name}_vjp")
    for value in (1, None, "yes"):
        message = f"per_sample must be True or False, got {value!r}"
        with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
            function(**arguments, per_sample=value)
    with pytest.raises(ValueError, match=r"^checkpoint must be False with per_sample=True"):
        function(**arguments, per_sample=True, checkpoint=True)
    with pytest.raises(TypeError, match="per_sample"):
        getattr(rnnfast, name)(**arguments, per_sample=True)
