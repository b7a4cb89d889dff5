"""Checkpoints: the same bits as without, in memory that grows with the square root of T."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import rnnfast
from rnnfast._check.cells import BY_FUNCTION
from rnnfast.testing.bits import digest
from rnnfast.testing.cells import BIASES, CELLS, CELLS_BY_NAME, Cell, is_weight
from rnnfast.testing.gradients import present
from rnnfast.testing.plans import forced_plan, last_plan
from rnnfast.testing.random import DTYPES, DType, Problem

every_cell = pytest.mark.parametrize("cell", CELLS, ids=str)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)

LSTM = CELLS_BY_NAME["lstm"]
# Stretches of 14 steps, the first one of 3; ragged rows and panels.
SIZES = {"T": 45, "B": 35, "I": 21, "H": 35}
STRETCH = 14


def setting(cell: Cell, dtype: DType, **changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    rng = np.random.default_rng(1)
    problem = Problem(cell, dtype, **{**SIZES, **changes})
    return problem.arguments(rng), problem.cotangents(rng)


def calls(T: int, B: int) -> list[dict[str, Any]]:
    """Options under which sequences begin, end and start anew in stretches and at their ends."""
    rng = np.random.default_rng(2)
    lengths = rng.integers(0, T + 1, B)
    lengths[rng.integers(B)] = 0
    lengths[rng.integers(B)] = T
    resets = rng.random((T, B)) < 0.15
    resets[T % STRETCH :: STRETCH, ::2] = True
    return [
        {},
        {"lengths": lengths, "resets": resets},
        {"lengths": lengths, "reverse": True, "truncate": 3},
        {"resets": resets, "truncate": STRETCH, "reverse": True},
    ]


def training(cell: Cell, arguments: dict, cotangents: dict, **options: Any) -> str:
    out, pullback = cell.vjp(arguments, **options)
    return digest([*out, *pullback(**cotangents)])


@every_cell
@every_dtype
def test_plans_change_no_bit(cell: Cell, dtype: DType) -> None:
    arguments, cotangents = setting(cell, dtype)
    for options in calls(SIZES["T"], SIZES["B"]):
        want = training(cell, arguments, cotangents, **options)
        for partition in cell.partitions:
            for threads in (1, 2, 3):
                with forced_plan(partition=partition, threads=threads):
                    got = training(cell, arguments, cotangents, **options, checkpoint=True)
                plan = last_plan()
                assert (plan["stretch"], plan["threads"]) == (STRETCH, threads)
                assert got == want, (options.keys(), partition, threads)
            for chunk in (5, 13):
                with forced_plan(partition=partition, threads=2, chunk=chunk):
                    got = training(cell, arguments, cotangents, **options, checkpoint=True)
                assert last_plan()["chunk"] <= min(chunk, STRETCH)
                assert got == want, (options.keys(), partition, chunk)


# One stretch, shorter ones than a block; as many as steps; a first one of one step, or a whole one.
@every_cell
@every_dtype
@pytest.mark.parametrize(
    ("T", "B", "stretch"),
    [(1, 1, 1), (2, 3, 2), (2, 600, 1), (3, 600, 1), (13, 5, 13), (31, 17, 30), (28, 130, 6)],
)
def test_steps_and_rows(cell: Cell, dtype: DType, T: int, B: int, stretch: int) -> None:
    arguments, cotangents = setting(cell, dtype, T=T, B=B, I=3, H=5)
    for options in calls(T, B):
        want = training(cell, arguments, cotangents, **options)
        got = training(cell, arguments, cotangents, **options, checkpoint=True)
        assert got == want, options.keys()
    assert last_plan()["stretch"] == stretch


@every_dtype
@pytest.mark.parametrize("cell", [c for c in CELLS if c.name in ("lstm", "gru")], ids=str)
def test_interleaved_input(cell: Cell, dtype: DType) -> None:
    arguments, cotangents = setting(cell, dtype, T=533, B=1, I=30, H=40)
    want = training(cell, arguments, cotangents)
    for threads in (1, 2):
        with forced_plan(partition="units", threads=threads, interleaves_input=True):
            assert training(cell, arguments, cotangents, checkpoint=True) == want
        assert last_plan()["interleaves_input"]
        assert last_plan()["stretch"] == 512


@every_cell
@pytest.mark.parametrize("T", [0, 3])
def test_without_steps(cell: Cell, T: int) -> None:
    arguments, cotangents = setting(cell, np.float32, T=T, B=4)
    lengths = [0, 0, 0, 0]
    want = training(cell, arguments, cotangents, lengths=lengths)
    assert training(cell, arguments, cotangents, lengths=lengths, checkpoint=True) == want


@every_cell
@pytest.mark.parametrize("biases", BIASES, ids=lambda names: "+".join(names) or "no_bias")
def test_any_arguments(cell: Cell, biases: tuple[str, ...]) -> None:
    for states in {(), cell.states[-1:], cell.states}:
        given = {"I": 5, "H": 17, "biases": biases, "states": states}
        arguments, cotangents = setting(cell, np.float32, **given)
        for wrt in (None, ["x"], ["w_hh"], ["w_ih", "h0"], ["b_ih"], ["b_hh", "x"], []):
            _, plain = cell.vjp(arguments, wrt=wrt)
            _, pullback = cell.vjp(arguments, wrt=wrt, checkpoint=True)
            for pulled in ({}, cotangents, {"dy": cotangents["dy"]}, {"dh_n": cotangents["dh_n"]}):
                assert digest(pullback(**pulled)) == digest(plain(**pulled)), (
                    states,
                    wrt,
                    [*pulled],
                )


@every_cell
def test_a_pullback_may_be_called_again(cell: Cell) -> None:
    arguments, cotangents = setting(cell, np.float32)
    lengths = calls(SIZES["T"], SIZES["B"])[1]["lengths"]
    _, plain = cell.vjp(arguments, lengths=lengths)
    out, pullback = cell.vjp(arguments, lengths=lengths, checkpoint=True)
    for result in out:
        result[:] = np.nan  # the caller's to change
    want = plain(**cotangents)
    assert digest(pullback(**cotangents)) == digest(want)
    others = {name: -2 * d for name, d in cotangents.items()}
    assert digest(pullback(**others)) == digest(plain(**others))
    buffers = type(want)(*(None if g is None else np.ones_like(g) for g in want))
    added = pullback(**cotangents, out=buffers)
    for buffer, sum_of_both, g in zip(*map(present, (buffers, added, want)), strict=True):
        assert sum_of_both is buffer
        if g is None:
            continue
        assert digest([buffer]) == digest([np.ones_like(g) + g])


@every_cell
def test_several_threads_may_share_a_pullback(cell: Cell) -> None:
    arguments, cotangents = setting(cell, np.float32)
    want = digest(cell.vjp(arguments)[1](**cotangents))
    _, pullback = cell.vjp(arguments, checkpoint=True)
    with ThreadPoolExecutor(4) as pool:
        got = pool.map(lambda _: digest(pullback(**cotangents)), range(8))
    assert set(got) == {want}


@pytest.mark.parametrize(("layers", "directions"), [(3, 1), (1, 2), (2, 2)])
@pytest.mark.parametrize("pipelines", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_stacks(layers: int, directions: int, pipelines: bool, dropout: float) -> None:
    T, B, H = 20, 100, 6
    rng = np.random.default_rng(3)
    weights: dict[str, list] = {}
    for i in range(layers * directions):
        part = Problem(LSTM, np.float32, T, B, H if i < directions else directions * H, H)
        for name, a in part.arguments(rng).items():
            if is_weight(name):
                weights.setdefault(name, []).append(a)
    x = rng.standard_normal((T, B, H)).astype(np.float32)
    h0, c0 = rng.standard_normal((2, layers * directions, B, H)).astype(np.float32)
    dy = rng.standard_normal((T, B, directions * H)).astype(np.float32)
    between = dropout if layers > 1 else 0.0
    noise = {"dropout": between, "input_dropout": dropout, "seed": 1}
    options = {"lengths": rng.integers(0, T + 1, B), **noise}
    options["bidirectional"] = directions == 2
    digests = set()
    for checkpoint in (False, True):
        with forced_plan(pipelines=None if checkpoint else pipelines):
            out, pullback = rnnfast.lstm_vjp(
                x, **weights, h0=h0, c0=c0, **options, truncate=7, checkpoint=checkpoint
            )
            grads = pullback(dy, dh_n=h0, dc_n=c0)
        arrays = [a for g in grads for a in (g if isinstance(g, list) else [g])]
        digests.add(digest([*out, *arrays]))
        if checkpoint:
            assert last_plan()["stretch"] == 5
            assert not last_plan()["pipelines"]
    assert len(digests) == 1


@every_cell
def test_what_is_saved_grows_with_the_root_of_steps(cell: Cell) -> None:
    for T in (256, 1024):
        arguments, _ = setting(cell, np.float32, T=T, B=64, I=2, H=16)
        saved = cell.vjp(arguments, checkpoint=True)[1].nbytes
        assert last_plan()["stretch"] == T**0.5
        states = sum(4 * T**0.5 * arguments[state].size for state in cell.states)
        # What was freed before may be taken again, up to twice as large.
        assert states <= saved <= 2 * states + 2**16
        assert saved < cell.vjp(arguments)[1].nbytes / T**0.5


@pytest.mark.parametrize("checkpoint", [1, 0, None, "yes", 2.0])
@pytest.mark.parametrize("name", BY_FUNCTION)
def test_refused(name: str, checkpoint: Any) -> None:
    cell = next(cell for cell in CELLS if cell.function == name)
    arguments, _ = setting(cell, np.float64)
    message = f"checkpoint must be True or False, got {checkpoint!r}"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        getattr(rnnfast, f"{name}_vjp")(**arguments, checkpoint=checkpoint)
