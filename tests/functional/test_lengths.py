"""Lengths, resets, truncated gradients: bit for bit what they stand for."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import rnnfast
from rnnfast.testing.bits import digest
from rnnfast.testing.cells import CELLS, Cell, is_weight
from rnnfast.testing.plans import forced_plan, last_plan
from rnnfast.testing.random import DTYPES, DType, Problem

every_cell = pytest.mark.parametrize("cell", CELLS, ids=str)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
both_directions = pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])

# Unsorted, with equal ones, the longest and none; more than a tile's rows for each of four workers.
LENGTHS = np.array([7, 23, 0, 1, 40, 12, 39, 40, 3, 40, 22, 23, 5, 17, 2, 31, 0, 29, 11])
SIZES = {"T": 40, "B": len(LENGTHS), "I": 21, "H": 35}


def setting(cell: Cell, dtype: DType) -> tuple[dict[str, Any], dict[str, Any]]:
    rng = np.random.default_rng(1)
    problem = Problem(cell, dtype, **SIZES)
    return problem.arguments(rng), problem.cotangents(rng)


def training(cell: Cell, arguments: dict, cotangents: dict, **options: Any) -> dict[str, Any]:
    """All results and gradients, by name."""
    out, pullback = cell.vjp(arguments, **options)
    gradients = pullback(**cotangents)
    return {
        **out._asdict(),
        **{f"d{name}": g for name, g in gradients._asdict().items() if g is not None},
    }


def of_sequence(arrays: dict, b: int, steps: slice) -> dict:
    """One sequence alone, and as long as it is; weights stay."""
    alone = {}
    for name, a in arrays.items():
        if is_weight(name):
            alone[name] = a
        else:
            alone[name] = a[steps, b : b + 1] if a.ndim == 3 else a[b : b + 1]
    return alone


@every_cell
@every_dtype
@both_directions
def test_each_sequence_is_as_if_alone(cell: Cell, dtype: DType, reverse: bool) -> None:
    arguments, cotangents = setting(cell, dtype)
    together = training(cell, arguments, cotangents, lengths=LENGTHS, reverse=reverse)
    assert digest(cell.forward(arguments, lengths=LENGTHS, reverse=reverse)) == digest(
        [together[name] for name in cell.outputs]
    )
    for b, length in enumerate(LENGTHS):
        steps = slice(0, length)
        alone = training(
            cell,
            of_sequence(arguments, b, steps),
            of_sequence(cotangents, b, steps),
            reverse=reverse,
        )
        for name in (*cell.outputs, "dx", *(f"d{state}" for state in cell.states)):
            want = of_sequence({name.lstrip("d"): together[name]}, b, steps)
            assert digest([alone[name]]) == digest(list(want.values())), (name, b)
        for name in ("y", "dx"):
            assert not together[name][length:, b].any(), (name, b)
    for length_0 in np.flatnonzero(LENGTHS == 0):
        for state in cell.states:
            final = f"{state[0]}_n"
            np.testing.assert_array_equal(together[final][length_0], arguments[state][length_0])
            np.testing.assert_array_equal(
                together[f"d{state}"][length_0], cotangents[f"d{final}"][length_0]
            )


@every_cell
@both_directions
def test_padding_is_never_read(cell: Cell, reverse: bool) -> None:
    arguments, cotangents = setting(cell, np.float32)
    want = training(cell, arguments, cotangents, lengths=LENGTHS, reverse=reverse)
    padding = np.arange(SIZES["T"])[:, None] >= LENGTHS
    arguments["x"][padding] = np.nan
    cotangents["dy"][padding] = np.nan
    got = training(cell, arguments, cotangents, lengths=LENGTHS, reverse=reverse)
    assert digest(got.values()) == digest(want.values())


@every_cell
@every_dtype
@both_directions
def test_plans_change_no_bit(cell: Cell, dtype: DType, reverse: bool) -> None:
    arguments, cotangents = setting(cell, dtype)
    resets = np.random.default_rng(2).random((SIZES["T"], SIZES["B"])) < 0.1
    options = {"lengths": LENGTHS, "resets": resets, "reverse": reverse}

    def everything() -> str:
        plain = cell.forward(arguments, **options)
        rest = training(cell, arguments, cotangents, **options, truncate=7)
        return digest([*plain, *rest.values()])

    with forced_plan(threads=1):
        alone = everything()
    for partition in cell.partitions:
        for threads in (2, 3, 4):
            with forced_plan(partition=partition, threads=threads):
                assert everything() == alone, (partition, threads)
                assert (last_plan()["partition"], last_plan()["threads"]) == (partition, threads)
        for chunk in (1, 13, 27):
            with forced_plan(partition=partition, threads=2, chunk=chunk):
                assert everything() == alone, (partition, chunk)


@every_cell
def test_order_of_sequences_changes_no_bit(cell: Cell) -> None:
    arguments, _ = setting(cell, np.float32)
    want = cell.forward(arguments, lengths=LENGTHS)
    order = np.random.default_rng(3).permutation(len(LENGTHS))
    shuffled = {
        name: a if is_weight(name) else np.ascontiguousarray(a[..., order, :])
        for name, a in arguments.items()
    }
    got = cell.forward(shuffled, lengths=LENGTHS[order])
    for g, w in zip(got, want, strict=True):
        assert digest([g]) == digest([np.ascontiguousarray(w[..., order, :])])


@every_cell
@pytest.mark.parametrize("length", [0, 1, SIZES["T"] - 1, SIZES["T"]])
def test_equal_lengths_are_a_shorter_batch(cell: Cell, length: int) -> None:
    arguments, cotangents = setting(cell, np.float32)
    lengths = [length] * SIZES["B"]
    got = training(cell, arguments, cotangents, lengths=lengths)
    cut = training(
        cell,
        {**arguments, "x": arguments["x"][:length]},
        {**cotangents, "dy": cotangents["dy"][:length]},
    )
    for name, whole in got.items():
        if name in ("y", "dx"):
            assert not whole[length:].any()
            whole = whole[:length]
        assert digest([whole]) == digest([cut[name]]), name


@every_cell
@both_directions
def test_a_reset_begins_a_new_sequence(cell: Cell, reverse: bool) -> None:
    arguments, _ = setting(cell, np.float32)
    resets = np.zeros((SIZES["T"], SIZES["B"]), bool)
    cut = 17
    resets[cut] = True
    got = cell.forward(arguments, resets=resets, reverse=reverse)
    weights = {name: a for name, a in arguments.items() if is_weight(name)}
    early, late = (arguments["x"][cut + 1 :], arguments["x"][: cut + 1])
    if not reverse:
        early, late = arguments["x"][:cut], arguments["x"][cut:]
    states = {name: arguments[name] for name in cell.states}
    first = cell.forward({**weights, **states, "x": early}, reverse=reverse)
    second = cell.forward({**weights, "x": late}, reverse=reverse)
    halves = (second.y, first.y) if reverse else (first.y, second.y)
    assert digest([np.concatenate(halves), *second[1:]]) == digest(got)


@every_cell
def test_no_gradient_passes_a_reset(cell: Cell) -> None:
    arguments, cotangents = setting(cell, np.float64)
    resets = np.zeros((SIZES["T"], SIZES["B"]), bool)
    resets[17, 1::2] = True
    only_late = {**cotangents, "dy": cotangents["dy"].copy()}
    only_late["dy"][:17] = 0
    got = training(cell, arguments, only_late, resets=resets)
    assert not got["dx"][:17, 1::2].any()
    assert got["dx"][:17, ::2].any(axis=(0, 2)).all()
    for state in cell.states:
        assert not got[f"d{state}"][1::2].any()
        assert got[f"d{state}"][::2].any(axis=1).all()


@every_cell
def test_truncated_gradients_are_those_of_the_pieces(cell: Cell) -> None:
    arguments, cotangents = setting(cell, np.float64)
    got = training(cell, arguments, cotangents, truncate=16)
    states = {name: arguments[name] for name in cell.states}
    total: dict[str, Any] = {}
    dx = []
    for begin in range(0, SIZES["T"], 16):
        steps = slice(begin, begin + 16)
        piece = {**arguments, **states, "x": arguments["x"][steps]}
        last = begin + 16 >= SIZES["T"]
        given = cotangents if last else {}
        part = training(cell, piece, {**given, "dy": cotangents["dy"][steps]})
        states = {name: part[f"{name[0]}_n"] for name in cell.states}
        dx.append(part["dx"])
        for name in ("dw_ih", "dw_hh", "db_ih", "db_hh"):
            total[name] = total.get(name, 0) + part[name]
        if begin == 0:
            first = part
    assert digest([np.concatenate(dx)]) == digest([got["dx"]])
    for state in cell.states:
        assert digest([first[f"d{state}"]]) == digest([got[f"d{state}"]])
    for name, want in total.items():
        np.testing.assert_allclose(got[name], want, rtol=1e-10, atol=1e-10)
    whole = training(cell, arguments, cotangents)
    assert digest(training(cell, arguments, cotangents, truncate=40).values()) == digest(
        whole.values()
    )
    assert digest([got["dx"]]) != digest([whole["dx"]])


REFUSED = [
    ({"lengths": [5]}, ValueError, "lengths must be (B,) = (2,), got (1,)"),
    ({"lengths": 5}, ValueError, "lengths must be (B,) = (2,), got ()"),
    ({"lengths": [5, 6]}, ValueError, "lengths must be between 0 and T = 5, got 6"),
    ({"lengths": [-1, 5]}, ValueError, "lengths must be between 0 and T = 5, got -1"),
    (
        {"lengths": [5.0, 3.0]},
        TypeError,
        "lengths must be integers, got float64; convert them, for example "
        "np.asarray(lengths).astype(int)",
    ),
    ({"lengths": [True, False]}, TypeError, "lengths must be integers, got bool"),
    ({"lengths": ["5", "3"]}, TypeError, "lengths must be integers, got <U1"),
    ({"lengths": [[5], [3, 2]]}, TypeError, "lengths must be an array of integers, but"),
    ({"resets": np.zeros((5, 3), bool)}, ValueError, "resets must be (T, B) = (5, 2), got (5, 3)"),
    ({"resets": np.zeros((5, 2))}, TypeError, "resets must be bool, got float64; compare first"),
    ({"resets": True}, ValueError, "resets must be (T, B) = (5, 2), got ()"),
]


@pytest.mark.parametrize(("options", "error", "message"), REFUSED)
def test_refused(options: dict, error: type[Exception], message: str) -> None:
    x, w_ih, w_hh = np.zeros((5, 2, 3)), np.zeros((12, 3)), np.zeros((12, 4))
    packed = rnnfast.prepack("gru", w_ih, w_hh)
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        rnnfast.gru(x, w_ih, w_hh, **options)
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        rnnfast.gru_vjp(x, w_ih, w_hh, **options)
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        packed(x, **options)


@pytest.mark.parametrize(
    ("truncate", "error", "message"),
    [
        (0, ValueError, "truncate must be at least 1, got 0"),
        (2.5, TypeError, "truncate must be an integer of at least 1, got 2.5"),
        (True, TypeError, "truncate must be an integer of at least 1, got True"),
    ],
)
def test_truncate_refused(truncate: Any, error: type[Exception], message: str) -> None:
    x, w_ih, w_hh = np.zeros((5, 2, 3)), np.zeros((12, 3)), np.zeros((12, 4))
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        rnnfast.gru_vjp(x, w_ih, w_hh, truncate=truncate)


def test_any_integers_and_any_strides_will_do() -> None:
    x, w_ih, w_hh = np.ones((5, 2, 3)), np.ones((12, 3)), np.ones((12, 4))
    want = digest(rnnfast.gru(x, w_ih, w_hh, lengths=[5, 3]))
    for lengths in (np.array([5, 3], np.uint8), np.array([5, 0, 3, 0], np.int16)[::2], (5, 3)):
        assert digest(rnnfast.gru(x, w_ih, w_hh, lengths=lengths)) == want
    resets = np.zeros((5, 2), bool)
    resets[2, 1] = True
    want = digest(rnnfast.gru(x, w_ih, w_hh, resets=resets))
    spaced = np.ones((10, 4), bool)
    spaced[::2, ::2] = resets
    for held in (resets.tolist(), np.asfortranarray(resets), spaced[::2, ::2]):
        assert digest(rnnfast.gru(x, w_ih, w_hh, resets=held)) == want
