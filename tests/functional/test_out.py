"""Results in the caller's arrays: the same numbers, whatever overlaps, and what is refused."""

from typing import Any

import numpy as np
import pytest

import rnnfast
from rnnfast.testing.cells import CELLS, Cell

every_cell = pytest.mark.parametrize("cell", CELLS, ids=str)
T, B, I, H = 7, 3, 5, 9  # noqa: E741

rng = np.random.default_rng(11)


def problem(cell: Cell) -> dict[str, Any]:
    return {name: rng.normal(size=cell.shape(name, T, B, I, H)) / 3 for name in cell.arguments}


def packed(cell: Cell, **options: Any) -> tuple[Any, dict[str, Any]]:
    arguments = problem(cell)
    rest = {name: arguments[name] for name in ("x", *cell.states)}
    return cell.prepack(arguments, **options), rest


def likes(results: Any) -> tuple[np.ndarray, ...]:
    return tuple(np.full_like(one, np.nan) for one in results)


def same(found: Any, wanted: Any) -> None:
    assert type(found) is type(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert np.array_equal(one, other)


@every_cell
@pytest.mark.parametrize("options", [{}, {"lengths": [7, 0, 3]}, {"batch_first": True}], ids=str)
def test_a_call_writes_what_it_would_return(cell: Cell, options: dict) -> None:
    run, rest = packed(cell)
    if "batch_first" in options:
        rest["x"] = rest["x"].swapaxes(0, 1)
    wanted = run(**rest, **options)
    out = likes(wanted)
    found = run(**rest, **options, out=out)
    same(found, wanted)
    assert all(one is own for one, own in zip(found, out, strict=True))


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("options", [{"bidirectional": True}, {"zoneout": 0.25}, {}], ids=str)
def test_stacks_write_as_well(layers: int, options: dict) -> None:
    directions = 2 if "bidirectional" in options else 1
    widths = [I] * directions + [directions * H] * directions * (layers - 1)
    w_ih = [rng.normal(size=(3 * H, width)) / 3 for width in widths]
    run = rnnfast.prepack("gru", w_ih, [rng.normal(size=(3 * H, H)) / 3] * len(widths), **options)
    x = rng.normal(size=(T, B, I))
    wanted = run(x)
    same(run(x, out=likes(wanted)), wanted)


@pytest.mark.parametrize("gap", [np.s_[:, :, ::2], np.s_[::-1], np.s_[:, ::2]], ids=str)
def test_results_with_gaps(gap: Any) -> None:
    run, rest = packed(CELLS[0])
    wanted = run(**rest)
    whole = np.full((2 * T, 2 * B, 2 * H), np.nan)
    y = whole[:T, :B, :H] if gap == np.s_[::-1] else whole[:T, :, :][gap][:, :B, :H]
    y = y[::-1] if gap == np.s_[::-1] else y
    h_n = np.full((H, B), np.nan).T
    same(run(**rest, out=(y, h_n)), wanted)
    assert np.isnan(whole).sum() == whole.size - y.size


@every_cell
def test_the_state_of_a_call_is_written_over(cell: Cell) -> None:
    run, rest = packed(cell)
    wanted = run(**rest)
    y = np.empty_like(wanted.y)
    states = [rest[name] for name in cell.states]
    same(run(**rest, out=(y, *states)), wanted)
    same((*states,), (*wanted[1:],))


def test_y_may_be_x() -> None:
    run = rnnfast.prepack("gru", rng.normal(size=(12, 4)), rng.normal(size=(12, 4)))
    x = rng.normal(size=(6, 2, 4))
    wanted = run(x)
    same(run(x, out=(x, np.empty((2, 4)))), wanted)
    assert np.array_equal(x, wanted.y)


def test_nothing_to_do_writes_too() -> None:
    run, rest = packed(CELLS[0])
    rest["x"] = rest["x"][:0]
    wanted = run(**rest)
    same(run(**rest, out=likes(wanted)), wanted)


@every_cell
def test_a_step_writes_over_its_state(cell: Cell) -> None:
    run, rest = packed(cell)
    state = run.step(rest["x"][0])
    own = tuple(s.copy() for s in state) if cell.facts["has_memory"] else state.copy()
    for x_t in rest["x"][1:]:
        state = run.step(x_t, state)
        found = run.step(x_t, own, out=own)
        assert found is own
        for one, other in zip(found, state, strict=True):
            assert np.array_equal(one, other)


def test_a_step_of_layers_and_with_gaps() -> None:
    run = rnnfast.prepack("rnn", [np.ones((4, 4))] * 2, [np.ones((4, 4)) / 8] * 2)
    x_t = rng.normal(size=(2, 4))
    out = np.full((2, 2, 8), np.nan)[..., ::2]
    assert run.step(x_t, None, out) is out
    assert np.array_equal(out, run.step(x_t))
    x = rng.normal(size=(2, 4))
    one = rnnfast.prepack("rnn", np.ones((4, 4)), np.ones((4, 4)))
    wanted = one.step(x)
    assert np.array_equal(one.step(x, out=x), wanted)


def read_only(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


SHARED = np.empty((B, H))


@pytest.mark.parametrize(
    ("error", "words", "out"),
    [
        (TypeError, r"out must be None or a tuple of arrays \(y, h_n\), got ndarray", np.empty(3)),
        (TypeError, r"arrays \(y, h_n\), got 1 of them", (np.empty((T, B, H)),)),
        (TypeError, "y of out must be an ndarray", ([1.0], SHARED)),
        (
            TypeError,
            "h_n of out must be an ndarray to write to, got None",
            (np.empty((T, B, H)), None),
        ),
        (TypeError, "y of out must be float64 like", (np.empty((T, B, H), "f4"), SHARED)),
        (ValueError, r"y of out must have shape \(7, 3, 9\), got", (np.empty((B, T, H)), SHARED)),
        (ValueError, "y of out must be writeable", (read_only(np.empty((T, B, H))), SHARED)),
    ],
)
def test_what_no_result_fits_into(error: type, words: str, out: Any) -> None:
    run, rest = packed(CELLS[0])
    before = rest["x"].copy()
    with pytest.raises(error, match=words):
        run(**rest, out=out)
    assert np.array_equal(rest["x"], before)


@pytest.mark.parametrize(
    ("error", "words", "out"),
    [
        (TypeError, r"out must be None or a tuple of arrays \(state h, state c\)", SHARED),
        (ValueError, "must not overlap each other", (SHARED, SHARED)),
        (ValueError, r"state c of out must have shape", (SHARED, np.empty((H, B)))),
        (TypeError, r"state h of out must be float64", (np.empty((B, H), int), SHARED)),
    ],
)
def test_what_no_state_fits_into(error: type, words: str, out: Any) -> None:
    cell = next(one for one in CELLS if one.name == "lstm")
    run, rest = packed(cell)
    SHARED[:] = 7
    with pytest.raises(error, match=words):
        run.step(rest["x"][0], out=out)
    assert (SHARED == 7).all()
