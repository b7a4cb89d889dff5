"""One stream: the bits of the whole sequence, its state, and what is refused."""

from __future__ import annotations

import copy
import os
import pickle
import re
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import rnnfast
from rnnfast.testing.cells import CELLS, CELLS_BY_NAME, Cell
from rnnfast.testing.random import DTYPES, DType
from rnnfast.weights import StackWeights
from streams import (
    arguments_of,
    as_tuple,
    assert_states_equal,
    model_of_stack,
    stack_of,
    weights_of,
)

LSTM, GRU = CELLS_BY_NAME["lstm"], CELLS_BY_NAME["gru"]


def setting(cell: Cell = LSTM, dtype: DType = np.float32, **sizes: int):
    """A model, x (T, I), and the results of the function."""
    arguments = arguments_of(cell, dtype, **sizes)
    return rnnfast.load(weights_of(cell, arguments)), arguments["x"][:, 0], cell.forward(arguments)


@pytest.mark.parametrize("cell", CELLS, ids=str)
@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
def test_steps_have_the_bits_of_the_whole_sequence(cell: Cell, dtype: DType) -> None:
    model, x, (y, *last) = setting(cell, dtype)
    session = model.session()
    np.testing.assert_array_equal([session.step(x_t) for x_t in x], y[:, 0])
    assert_states_equal(session.state(), tuple(state[0] for state in last))
    session.reset()
    np.testing.assert_array_equal(session.run(x), y[:, 0])
    assert_states_equal(session.state(), tuple(state[0] for state in last))
    assert model.dtype == dtype and model.output_size == y.shape[2]


def test_chunks_of_any_length_and_steps_take_turns() -> None:
    model, x, (y, *_) = setting(GRU, T=130)
    session, found, at = model.session(), [], 0
    for length in (1, 2, 19, 20, 0, 21, 45):
        found.append(session.run(x[at : at + length]))
        at += length
        found.append(session.step(x[at])[None])
        at += 1
    np.testing.assert_array_equal(np.concatenate(found), y[:at, 0])


@pytest.mark.parametrize("function", ["lstm", "gru", "rnn"])
def test_layers_follow_each_other(function: str) -> None:
    arguments = stack_of(function)
    y, *last = getattr(rnnfast, function)(**arguments)
    x, session = arguments["x"][:, 0], model_of_stack(function, arguments).session()
    np.testing.assert_array_equal([session.step(x_t) for x_t in x], y[:, 0])
    assert_states_equal(session.state(), tuple(state[:, 0] for state in last))
    session.reset()
    np.testing.assert_array_equal(session.run(x), y[:, 0])


@pytest.mark.parametrize("zoneout", [0.3, (0.0, 0.4), (0.2, 0.0)])
def test_zoneout_is_its_mean(zoneout) -> None:
    arguments = stack_of("lstm", zoneout=zoneout)
    y, *_ = rnnfast.lstm(**arguments)
    session = model_of_stack("lstm", arguments).session()
    np.testing.assert_array_equal(session.run(arguments["x"][:, 0]), y[:, 0])


def test_a_state_is_a_copy_that_may_be_gone_back_to() -> None:
    model, x, (y, *_) = setting()
    session = model.session()
    session.run(x[:10])
    saved = session.state()
    session.run(x[10:])
    other = model.session()
    for one in (session, other):
        one.reset(saved)
        np.testing.assert_array_equal(one.run(x[10:]), y[10:, 0])
    session.reset()
    np.testing.assert_array_equal(session.run(x), y[:, 0])


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))]
)
def test_copies_go_on_by_themselves(again) -> None:
    model, x, (y, *_) = setting()
    session = model.session()
    session.run(x[:10])
    other = again(session)
    np.testing.assert_array_equal(session.run(x[10:]), y[10:, 0])
    np.testing.assert_array_equal(other.run(x[10:]), y[10:, 0])


def test_out_is_written_and_returned() -> None:
    model, x, (y, *_) = setting()
    session, row = model.session(), np.empty(19, np.float32)
    assert session.step(x[0], out=row) is row
    np.testing.assert_array_equal(row, y[0, 0])
    rows = np.full((20, 19), np.nan, np.float32)
    assert session.run(x[1:21], rows) is rows
    np.testing.assert_array_equal(rows, y[1:21, 0])


OUTS = {
    "strided": lambda shape: np.empty((*shape, 2), np.float32)[..., 1],
    "reversed": lambda shape: np.empty(shape, np.float32)[..., ::-1],
    "fortran": lambda shape: np.empty(shape, np.float32, order="F"),
    "dtype_with_metadata": lambda shape: np.empty(
        shape, np.dtype(np.float32, metadata={"unit": "V"})
    ),
    "other_byte_order": lambda shape: np.empty(shape, np.dtype(np.float32).newbyteorder()),
    "misaligned": lambda shape: (
        np.frombuffer(bytearray(4 * int(np.prod(shape)) + 1), np.uint8, offset=1)
        .view(np.float32)
        .reshape(shape)
    ),
    "subclass": lambda shape: np.ma.array(np.empty(shape, np.float32)),
}


@pytest.mark.parametrize("form", OUTS)
def test_out_may_be_any_array(form: str) -> None:
    model, x, (y, *_) = setting()
    session, row, rows = model.session(), OUTS[form]((19,)), OUTS[form]((30, 19))
    assert session.step(x[0], out=row) is row
    np.testing.assert_array_equal(row, y[0, 0])
    assert session.run(x[1:31], out=rows) is rows
    np.testing.assert_array_equal(rows, y[1:31, 0])


@pytest.mark.parametrize("form", [
    np.asfortranarray, memoryview, lambda a: a[..., ::-1][..., ::-1],
    lambda a: a.astype(a.dtype.newbyteorder()), lambda a: np.repeat(a, 2, -1)[..., ::2],
])  # fmt: skip
def test_x_may_be_any_array(form) -> None:
    model, x, (y, *_) = setting()
    session = model.session()
    np.testing.assert_array_equal(session.step(form(x[0])), y[0, 0])
    np.testing.assert_array_equal(session.run(form(x[1:])), y[1:, 0])


def test_an_endless_input_spoils_its_stream_alone() -> None:
    model, x, (y, *_) = setting()
    spoilt, sound = model.session(), model.session()
    assert np.isnan(spoilt.step(np.full_like(x[0], np.nan))).all()
    assert np.isnan(spoilt.run(x)).all()
    np.testing.assert_array_equal(sound.run(x), y[:, 0])


def read_only(shape: tuple[int, ...]) -> np.ndarray:
    array = np.zeros(shape, np.float32)
    array.flags.writeable = False
    return array


X, Y = np.zeros(7, np.float32), np.zeros(19, np.float32)
BOTH = np.zeros(26, np.float32)
MISTAKES = {
    "x of two axes": (
        lambda s: s.step(X[None]),
        "x must be (I,) = (7,), got (1, 7); drop the leading axis, pass x[0]",
    ),
    "x of a wrong size": (lambda s: s.step(Y), "x must be (I,) = (7,), got (19,)"),
    "x of a wrong dtype": (lambda s: s.step(X.astype(float)), "x must be float32 like the model"),
    "x that is none": (lambda s: s.step(None), "x must be an array of float32"),
    "chunk of one axis": (lambda s: s.run(X), "chunk must be (T, I) = (1, 7), got (7,)"),
    "chunk of a wrong size": (
        lambda s: s.run(Y[None]),
        "chunk must be (T, I) = (1, 7), got (1, 19)",
    ),
    "out of a wrong size": (lambda s: s.step(X, X.copy()), "out must be (R,) = (19,), got (7,)"),
    "outs of too few": (
        lambda s: s.run(np.zeros((3, 7), np.float32), np.zeros((2, 19), np.float32)),
        "out must be (T, R) = (3, 19), got (2, 19)",
    ),
    "out of a wrong dtype": (
        lambda s: s.step(X, Y.astype(float)),
        "out must be float32 like the model, got float64",
    ),
    "out that is a list": (lambda s: s.step(X, [0.0] * 19), "out must be an ndarray or None"),
    "out read-only": (lambda s: s.step(X, read_only((19,))), "out must be writeable"),
    "out over x": (lambda s: s.step(BOTH[:7], BOTH[5:24]), "out must not overlap x"),
    "outs over x": (
        lambda s: s.run(BOTH[:7][None], BOTH[6:25][None]),
        "out must not overlap x",
    ),
    "a state of a wrong size": (
        lambda s: s.reset((Y, X)),
        "state c must be (H,) = (19,), got (7,)",
    ),
    "a state without c": (lambda s: s.reset(Y), "state must be None or the pair (h, c)"),
    "a state of a wrong dtype": (
        lambda s: s.reset((Y.astype(float), Y)),
        "state h must be float32 like the packed weights",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_told_and_change_nothing(mistake: str) -> None:
    model, x, (y, *_) = setting()
    session = model.session()
    session.run(x[:10])
    before = session.state()
    call, message = MISTAKES[mistake]
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        call(session)
    assert_states_equal(session.state(), before)
    np.testing.assert_array_equal(session.run(x[10:]), y[10:, 0])


def test_parts_of_one_array_that_do_not_overlap_are_apart() -> None:
    model, x, (y, *_) = setting()
    both = np.zeros((len(x), 26), np.float32)
    both[:, :7] = x
    model.session().run(both[:, :7], out=both[:, 7:])
    np.testing.assert_array_equal(both[:, 7:], y[:, 0])


def test_threads_have_a_session_each() -> None:
    model, x, (y, *_) = setting(T=300)
    with ThreadPoolExecutor(4) as threads:
        found = threads.map(lambda _: [model.session().run(x) for _ in range(20)], range(4))
        for runs in found:
            for run in runs:
                np.testing.assert_array_equal(run, y[:, 0])


def test_a_session_of_two_threads_tells_one_of_them() -> None:
    model, x, _ = setting(T=40000)
    session, told = model.session(), []
    running = threading.Event()

    def run() -> None:
        running.set()
        for _ in range(50):
            try:
                session.run(x)
            except RuntimeError as error:
                told.append(error)
            if told:
                return

    thread = threading.Thread(target=run)
    thread.start()
    running.wait()
    while thread.is_alive() and not told:
        try:
            session.step(x[0])
        except RuntimeError as error:
            told.append(error)
    thread.join()
    assert "in use by another thread; give each thread one of its own" in str(told[0])
    session.reset()
    session.step(x[0])


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="not Linux")
def test_a_long_run_may_be_interrupted_and_has_not_been() -> None:
    class Stop(Exception):
        pass

    def stop(*_):
        raise Stop

    model, x, _ = setting(GRU, H=64, T=3)
    session = model.session()
    session.run(x)
    before = session.state()
    handler = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with pytest.raises(Stop):
            while True:
                session.reset(before)
                session.run(np.zeros((300_000, 7), np.float32))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
    assert_states_equal(session.state(), before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forking a process with threads
def test_a_forked_child_goes_on_by_itself() -> None:
    model, x, (y, *_) = setting()
    session = model.session()
    session.run(x[:10])
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if np.array_equal(session.run(x[10:]), y[10:, 0]) else 1
        finally:
            os._exit(status)
    np.testing.assert_array_equal(session.run(x[10:]), y[10:, 0])
    assert os.waitpid(child, 0)[1] == 0


def resident() -> int:
    """Bytes of this process that are in memory."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.timing
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="not Linux")
def test_thousands_of_sessions_leave_no_memory_behind() -> None:
    model, x, _ = setting(H=64)
    pool = model.pool(16)

    def come_and_go(count: int) -> None:
        for _ in range(count):
            model.session().step(x[0])
            pool.close(pool.open())

    come_and_go(300)
    before = resident()
    come_and_go(5000)
    assert resident() - before < 100 * model.session().nbytes


def test_sessions_show_what_they_are_of() -> None:
    model, *_ = setting(GRU)
    session = model.session()
    assert repr(session) == f"<Session of {model.weights!r}>"
    assert "gru" in repr(session) and 0 < session.nbytes < 10 * model.nbytes


def test_the_state_of_a_stack_has_its_layers() -> None:
    arguments = stack_of("lstm", layers=1)
    h, c = model_of_stack("lstm", arguments).session().state()
    assert h.shape == c.shape == (1, 19)
    weights = StackWeights("lstm", *(arguments[name][0] for name in ("w_ih", "w_hh", "b_ih")))
    assert all(s.shape == (19,) for s in as_tuple(rnnfast.load(weights).session().state()))
