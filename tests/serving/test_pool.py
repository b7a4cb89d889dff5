"""Many streams that step together: each has the bits it has alone, whoever steps beside it."""

from __future__ import annotations

import os
import pickle
import re
import signal
import threading

import numpy as np
import pytest

import rnnfast
from rnnfast.testing.cells import CELLS, CELLS_BY_NAME, Cell
from streams import arguments_of, assert_states_equal, model_of_stack, stack_of, weights_of

GRU = CELLS_BY_NAME["gru"]


def model_of(cell: Cell = GRU, dtype=np.float32, **sizes: int) -> rnnfast.serving.Model:
    return rnnfast.load(weights_of(cell, arguments_of(cell, dtype, **sizes)))


def play(model: rnnfast.serving.Model, capacity: int, turns: int, seed: int = 0) -> None:
    """Sessions that come, step in some order, are asked for their state, and go; a twin of each."""
    rng = np.random.default_rng(seed)
    pool, twins = model.pool(capacity), {}
    for _ in range(turns):
        while len(twins) < capacity and rng.random() < 0.6:
            id = pool.open()
            assert id not in twins
            twins[id] = model.session()
        ids = [int(id) for id in rng.permutation(list(twins))[: rng.integers(len(twins) + 1)]]
        x = rng.standard_normal((len(ids), model.input_size)).astype(model.dtype)
        y = pool.step(ids, x)
        assert y.shape == (len(ids), model.output_size) and y.dtype == model.dtype
        for i, id in enumerate(ids):
            np.testing.assert_array_equal(y[i], twins[id].step(x[i]))
        for id in ids[: len(ids) // 5]:
            assert_states_equal(pool.state(id), twins[id].state())
            pool.close(id)
            del twins[id]
        assert len(pool) == len(twins)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_every_cell(cell: Cell) -> None:
    play(model_of(cell), capacity=11, turns=12)


@pytest.mark.parametrize("capacity", [1, 2, 7, 120])
def test_any_number_of_sessions(capacity: int) -> None:
    play(model_of(GRU, np.float64), capacity, turns=25)


def test_layers() -> None:
    play(model_of_stack("lstm", stack_of("lstm")), capacity=9, turns=20)


def test_a_state_goes_from_one_to_another() -> None:
    model, x = model_of(), np.ones((1, 7), np.float32)
    pool, session = model.pool(3), model.session()
    a = pool.open()
    pool.step([a], x)
    session.reset(pool.state(a))
    b = pool.open(session.state())
    np.testing.assert_array_equal(pool.step([b], x)[0], session.step(x[0]))
    pool.reset(a, pool.state(b))
    np.testing.assert_array_equal(pool.step([a], x)[0], session.step(x[0]))
    pool.reset(b)
    np.testing.assert_array_equal(pool.step([b], x)[0], model.session().step(x[0]))


@pytest.mark.parametrize("form", [
    list, tuple, np.array, np.int32, np.uint8, np.uint64, lambda ids: np.repeat(ids, 2)[::2],
])  # fmt: skip
def test_ids_may_be_any_integers(form) -> None:
    pool = model_of().pool(4)
    ids = [pool.open() for _ in range(3)]
    assert pool.step(form(ids), np.zeros((3, 7), np.float32)).shape == (3, 19)
    assert ids[1] in pool and np.int64(ids[1]) in pool and "1" not in pool and 77 not in pool


def test_out_is_written_and_returned() -> None:
    pool = model_of().pool(3)
    ids, x = [pool.open(), pool.open()], np.ones((2, 7), np.float32)
    out, wide = np.empty((2, 19), np.float32), np.empty((2, 40), np.float32)
    assert pool.step(ids, x, out=out) is out
    want = pool.step(ids, x)
    for id in ids:
        pool.reset(id)
    pool.step(ids, x)
    view = wide[:, 3:41:2]
    assert pool.step(np.array(ids), x[::-1][::-1], out=view) is view
    np.testing.assert_array_equal(view, want)


def test_a_spoilt_session_leaves_others_alone() -> None:
    model, x = model_of(), np.ones((3, 7), np.float32)
    pool, twin = model.pool(3), model.session()
    ids = [pool.open() for _ in range(3)]
    x[1] = np.nan
    y = pool.step(ids, x)
    assert np.isnan(y[1]).all()
    np.testing.assert_array_equal(y[0], twin.step(x[0]))
    np.testing.assert_array_equal(pool.step(ids[::-1], x)[2], twin.step(x[0]))


def run_with_twins(model: rnnfast.serving.Model, count: int, steps: int, lengths=None) -> None:
    """A run of some sessions, and of a twin of each as far as it goes; then a step of all."""
    rng = np.random.default_rng(count)
    pool, twins = model.pool(count + 2), [model.session() for _ in range(count)]
    ids = rng.permutation([pool.open() for _ in range(count)])
    chunk = rng.standard_normal((steps, count, model.input_size)).astype(model.dtype)
    taken = [steps] * count if lengths is None else lengths
    for i, length in enumerate(taken):
        chunk[length:, i] = np.nan  # what is beyond is not looked at
    y = pool.run(ids, chunk, lengths=lengths)
    assert y.shape == (steps, count, model.output_size) and y.dtype == model.dtype
    for i, (twin, length) in enumerate(zip(twins, taken, strict=True)):
        np.testing.assert_array_equal(y[:length, i], twin.run(chunk[:length, i]))
        assert not y[length:, i].any()
        assert_states_equal(pool.state(ids[i]), twin.state())
    x = rng.standard_normal((count, model.input_size)).astype(model.dtype)
    for got, twin, x_t in zip(pool.step(ids, x), twins, x, strict=True):
        np.testing.assert_array_equal(got, twin.step(x_t))


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_runs_of_every_cell(cell: Cell) -> None:
    run_with_twins(model_of(cell), 5, 23)
    run_with_twins(model_of(cell), 5, 23, [23, 0, 7, 8, 7])


@pytest.mark.parametrize("count", [0, 1, 3, 40, 120])
def test_runs_of_any_number_of_sessions(count: int) -> None:
    model = model_of(GRU, np.float64)
    run_with_twins(model, count, 30)
    run_with_twins(model, count, 30, [i * 11 % 31 for i in range(count)])
    run_with_twins(model, count, 0)


def test_runs_of_layers() -> None:
    model = model_of_stack("lstm", stack_of("lstm"))
    run_with_twins(model, 6, 25)
    run_with_twins(model, 6, 25, [1, 25, 0, 24, 13, 1])


def test_a_run_is_written_to_out() -> None:
    model = model_of()
    pool = model.pool(4)
    ids, chunk = [pool.open() for _ in range(4)], np.ones((3, 4, 7), np.float32)
    out, wide = np.full((3, 4, 19), 5, np.float32), np.empty((3, 4, 40), np.float32)
    assert pool.run(ids, chunk, out, lengths=[3, 2, 1, 0]) is out
    assert not out[:, 3].any()
    for id in ids:
        pool.reset(id)
    view = wide[..., 3:41:2]
    assert pool.run(ids, chunk[::-1][::-1], out=view) is view
    np.testing.assert_array_equal(view[:1, :3], out[:1, :3])


def test_runs_of_a_spoilt_session_leave_others_alone() -> None:
    model, chunk = model_of(), np.ones((9, 3, 7), np.float32)
    pool, twin = model.pool(3), model.session()
    chunk[4, 1] = np.inf
    y = pool.run([pool.open() for _ in range(3)], chunk)
    assert np.isfinite(y[:4, 1]).all() and np.isnan(y[5:, 1]).all()
    np.testing.assert_array_equal(y[:, 2], twin.run(chunk[:, 2]))


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="not Linux")
@pytest.mark.parametrize("lengths", [None, [200_000, 150_000]])
def test_a_long_run_may_be_interrupted_and_has_not_been(lengths) -> None:
    class Stop(Exception):
        pass

    def stop(*_):
        raise Stop

    pool, chunk = model_of(H=64).pool(2), np.zeros((200_000, 2, 7), np.float32)
    ids = [pool.open(), pool.open()]
    pool.step(ids, np.ones((2, 7), np.float32))
    before = [pool.state(id) for id in ids]
    handler = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with pytest.raises(Stop):
            while True:
                for id, state in zip(ids, before, strict=True):
                    pool.reset(id, state)
                pool.run(ids, chunk, lengths=lengths)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
    for id, state in zip(ids, before, strict=True):
        assert_states_equal(pool.state(id), state)


def test_a_long_run_goes_to_its_end() -> None:
    """One that looks for signals on its way, in several pieces."""
    run_with_twins(model_of(H=64), 3, 4000)
    run_with_twins(model_of(H=64), 3, 4000, [4000, 3999, 1])


X, LARGE = np.zeros((2, 7), np.float32), np.zeros(60, np.float32)
MISTAKES = {
    "never open": (
        lambda p, a, b: p.step([a, 3], X),
        "ids[1] must be an open session of this pool, got 3; pool.open() gives the ids",
    ),
    "negative": (lambda p, a, b: p.step([-1, a], X), "ids[0] must be an open session"),
    "huge": (lambda p, a, b: p.step([2**70, a], X), "ids must be integers"),
    "twice": (
        lambda p, a, b: p.step([a, a], X),
        "ids must name each session once, ids[1] is 0 again",
    ),
    "floats": (lambda p, a, b: p.step([0.0, 1.0], X), "ids must be integers, got float64"),
    "bools": (lambda p, a, b: p.step([True, False], X), "ids must be integers, got bool"),
    "two axes": (lambda p, a, b: p.step([[a, b]], X), "ids must be 1-D (B,), got (1, 2)"),
    "fewer rows": (lambda p, a, b: p.step([a, b], X[:1]), "x must be (B, I) = (2, 7), got (1, 7)"),
    "one row": (lambda p, a, b: p.step([a], X[0]), "x must be (B, I) = (1, 7), got (7,)"),
    "out of a wrong size": (
        lambda p, a, b: p.step([a, b], X, np.zeros((1, 19), np.float32)),
        "out must be (B, R) = (2, 19), got (1, 19)",
    ),
    "a run never open": (lambda p, a, b: p.run([a, 3], X[None]), "ids[1] must be an open session"),
    "a long run never open": (
        lambda p, a, b: p.run([a, 3], np.zeros((40_000, 2, 7), np.float32)),
        "ids[1] must be an open session",
    ),
    "a run of one twice": (lambda p, a, b: p.run([b, b], X[None]), "ids[1] is 1 again"),
    "a chunk of one step": (
        lambda p, a, b: p.run([a, b], X),
        "chunk must be (T, B, I) = (1, 2, 7), got (2, 7)",
    ),
    "a chunk batch first": (
        lambda p, a, b: p.run([a, b], np.zeros((2, 5, 7), np.float32)),
        "chunk must be (T, B, I) = (2, 2, 7), got (2, 5, 7)",
    ),
    "a length too long": (
        lambda p, a, b: p.run([a, b], X[None], lengths=[1, 2]),
        "lengths must be between 0 and T = 1, got 2",
    ),
    "a length below zero": (
        lambda p, a, b: p.run([a, b], X[None], lengths=[-1, 1]),
        "lengths must be between 0 and T = 1, got -1",
    ),
    "lengths of too few": (
        lambda p, a, b: p.run([a, b], X[None], lengths=[1]),
        "lengths must be (B,) = (2,), got (1,)",
    ),
    "lengths that are floats": (
        lambda p, a, b: p.run([a, b], X[None], lengths=[1.0, 1.0]),
        "lengths must be integers, got float64",
    ),
    "a run to a wrong size": (
        lambda p, a, b: p.run([a, b], X[None], np.zeros((2, 19), np.float32)),
        "out must be (T, B, R) = (1, 2, 19), got (2, 19)",
    ),
    "a run over its own inputs": (
        lambda p, a, b: p.run([a, b], LARGE[:14].reshape(1, 2, 7), LARGE[9:47].reshape(1, 2, 19)),
        "out must not overlap x",
    ),
    "close": (lambda p, a, b: p.close(9), "id must be an open session of this pool, got 9"),
    "close a float": (lambda p, a, b: p.close(0.0), "id must be an int, got float"),
    "close a huge one": (lambda p, a, b: p.close(2**80), "id must be an open session"),
    "state": (lambda p, a, b: p.state(9), "id must be an open session"),
    "reset": (lambda p, a, b: p.reset(9), "id must be an open session"),
    "reset to a state": (
        lambda p, a, b: p.reset(9, np.zeros(19, np.float32)),
        "id must be an open session",
    ),
    "a state that does not fit": (
        lambda p, a, b: p.open(np.zeros(4, np.float32)),
        "state must be (H,) = (19,), got (4,)",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_told_and_change_nothing(mistake: str) -> None:
    model, x = model_of(), np.ones((2, 7), np.float32)
    pool, twins = model.pool(4), [model.session(), model.session()]
    ids = [pool.open(), pool.open()]

    def step() -> None:
        for got, twin, x_t in zip(pool.step(ids, x), twins, x, strict=True):
            np.testing.assert_array_equal(got, twin.step(x_t))

    step()
    call, message = MISTAKES[mistake]
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        call(pool, *ids)
    assert len(pool) == 2
    step()


def test_a_closed_session_is_nobodys() -> None:
    pool = model_of().pool(2)
    a = pool.open()
    pool.step([a], np.ones((1, 7), np.float32))
    pool.close(a)
    b = pool.open()
    assert b != a and a not in pool and not np.any(pool.state(b))
    for call in (lambda: pool.step([a], X[:1]), lambda: pool.close(a), lambda: pool.state(a)):
        with pytest.raises(ValueError, match="must be an open session of this pool, got 0"):
            call()


def test_a_full_pool_says_so() -> None:
    pool = model_of().pool(2)
    pool.open(), pool.open()
    message = "the pool is full, all 2 sessions are open; close one, or make a pool of a larger"
    with pytest.raises(RuntimeError, match=message):
        pool.open()
    assert len(pool) == pool.capacity == 2


@pytest.mark.parametrize("capacity", [0, -3, 2.0, None, True])
def test_capacities_that_are_none(capacity) -> None:
    with pytest.raises((TypeError, ValueError), match="capacity must be"):
        model_of().pool(capacity)


def test_a_pool_of_two_threads_tells_one_of_them() -> None:
    model = model_of(H=64)
    pool, told = model.pool(400), []
    ids = [pool.open() for _ in range(400)]
    x, running = np.zeros((400, 7), np.float32), threading.Event()

    def run() -> None:
        running.set()
        try:
            while not told:
                pool.step(ids, x)
        except RuntimeError as error:
            told.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    running.wait()
    while thread.is_alive() and not told:
        try:
            pool.close(pool.open())
        except RuntimeError as error:
            if "in use" in str(error):
                told.append(error)
    thread.join()
    assert "this pool is in use by another thread" in str(told[0])
    assert pool.step(ids, x).shape == (400, 64)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forking a process with threads
def test_a_forked_child_goes_on_by_itself() -> None:
    model, chunk = model_of(), np.ones((9, 2, 7), np.float32)
    pool, twin = model.pool(2), model.session()
    ids = [pool.open(), pool.open()]
    pool.run(ids, chunk)
    want = [twin.run(chunk[:, 0]), twin.run(chunk[:, 0])][1]
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if np.array_equal(pool.run(ids, chunk)[:, 1], want) else 1
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    np.testing.assert_array_equal(pool.run(ids, chunk)[:, 1], want)


def test_pools_are_not_pickled() -> None:
    with pytest.raises(TypeError, match="a pool cannot be pickled: pickle its model"):
        pickle.dumps(model_of().pool(2))


def test_pools_show_what_they_are_of() -> None:
    model = model_of()
    pool = model.pool(5)
    pool.open()
    assert repr(pool) == f"<Pool: 1 of 5 open, of {model.weights!r}>" and pool.nbytes > 0
