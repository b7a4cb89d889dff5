"""Setting the number of threads."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import pytest

import rnnfast
from rnnfast import _core


@pytest.fixture(autouse=True)
def restored():
    with rnnfast.num_threads(rnnfast.get_num_threads()):
        yield


def test_set_and_get() -> None:
    assert rnnfast.get_num_threads() >= 1
    rnnfast.set_num_threads(1)
    assert rnnfast.get_num_threads() == 1
    rnnfast.set_num_threads(np.int64(1))
    assert type(rnnfast.get_num_threads()) is int


def test_more_than_there_are_is_no_error() -> None:
    for n in (1000, 2**31, 2**80):
        rnnfast.set_num_threads(n)
        assert rnnfast.get_num_threads() >= 1
        x, w_ih, w_hh = np.ones((2, 3, 4)), np.ones((5, 4)), np.zeros((5, 5))
        y, _ = rnnfast.rnn(x, w_ih, w_hh)
        np.testing.assert_allclose(y, np.tanh(4.0), rtol=1e-15)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_time_of_a_meeting_is_that_of_cores_not_of_interruptions(threads: int) -> None:
    took = {_core.meeting_ns(threads) for _ in range(100)}
    assert all(0 < ns < 3000 for ns in took)
    assert len(took) < 10  # measured now and then, not at every question


def test_calls_that_come_one_by_one_do_not_wait_for_the_time_of_a_meeting() -> None:
    took = set()
    for _ in range(6):
        time.sleep(0.055)  # it would be measured anew if calls had been made meanwhile
        took.add(_core.meeting_ns(2))
    assert len(took) <= 2


class Core:
    """A core on a machine of many cores, which this one may not be."""

    def __init__(self) -> None:
        self.threads = 8

    def choose_threads(self, n: int) -> None:
        self.threads = n

    def chosen_threads(self) -> int:
        return self.threads

    def get_num_threads(self) -> int:
        return self.threads


@pytest.fixture
def core(monkeypatch) -> Core:
    core = Core()
    monkeypatch.setattr("rnnfast._threads._core", core)
    return core


def test_context_restores(core: Core) -> None:
    with rnnfast.num_threads(2) as nothing:
        assert nothing is None
        assert core.threads == 2
        with rnnfast.num_threads(3):
            assert core.threads == 3
        assert core.threads == 2
    assert core.threads == 8


def test_context_restores_after_an_error(core: Core) -> None:
    with pytest.raises(KeyError), rnnfast.num_threads(2):
        raise KeyError
    assert core.threads == 8


def test_decorator(core: Core) -> None:
    @rnnfast.num_threads(2)
    def inside() -> int:
        return rnnfast.get_num_threads()

    assert [inside(), inside()] == [2, 2]
    assert core.threads == 8


@pytest.mark.parametrize("n", [0, -1])
def test_too_few(n: int) -> None:
    before = rnnfast.get_num_threads()
    with pytest.raises(ValueError, match=f"^n must be at least 1, got {n}$"):
        rnnfast.set_num_threads(n)
    with (
        pytest.raises(ValueError, match=f"^n must be at least 1, got {n}$"),
        rnnfast.num_threads(n),
    ):
        pass
    assert rnnfast.get_num_threads() == before


@pytest.mark.parametrize("n", [1.0, "2", None, True, np.True_])
def test_not_an_integer(n) -> None:
    with pytest.raises(TypeError, match=r"^n must be an integer of at least 1, got "):
        rnnfast.set_num_threads(n)


# OpenMP's threads are gone after a fork: a team would wait for them forever.
FORK = """
import os
import warnings
import numpy as np
from rnnfast.testing.bits import digest
from rnnfast.testing.cells import CELLS_BY_NAME
from rnnfast.testing.plans import forced_plan
from rnnfast.testing.random import Problem

warnings.simplefilter("ignore", DeprecationWarning)  # of forking a process that has threads
cell = CELLS_BY_NAME["lstm"]
arguments = Problem(cell, np.float32, 9, 8, 5, 33).arguments(np.random.default_rng(0))

def result():
    with forced_plan(partition="units", threads=2):
        out, pullback = cell.vjp(arguments)
        return digest([*out, *pullback(dy=np.ones_like(out.y))])

before = result()
child = os.fork()
if child == 0:
    os._exit(0 if result() == before else 3)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert result() == before
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_computes_on_one_thread() -> None:
    subprocess.run([sys.executable, "-c", FORK], check=True, timeout=60)
