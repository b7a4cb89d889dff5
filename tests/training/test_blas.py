"""While a model runs, NumPy's BLAS has one thread; afterwards as many as before."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from rnnfast import Sequential, callbacks, layers
from rnnfast.utils import blas, one_blas_thread


def blas_threads() -> list[int]:
    """Of NumPy's BLAS; other libraries, loaded by another test meanwhile, may have their own."""
    numpy = os.path.dirname(np.__file__)  # or beside it: numpy.libs
    return [
        library["num_threads"]
        for library in threadpool_info()
        if library["user_api"] == "blas" and library["filepath"].startswith(numpy)
    ]


class Watch(callbacks.Callback):
    """Note BLAS's threads at every batch."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[list[int]] = []

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.seen.append(blas_threads())

    on_test_batch_end = on_train_batch_end


@pytest.fixture
def before() -> Iterator[list[int]]:
    """More than one thread, whatever the machine and the suite have set."""
    with threadpool_limits(2, user_api="blas"):
        threads = blas_threads()
        if not threads:
            pytest.skip("NumPy has no BLAS that threadpoolctl knows")
        assert max(threads) == 2
        yield threads


def test_training_and_evaluation_hold_blas_to_one_thread(before: list[int]) -> None:
    model = Sequential([layers.LSTM(4), layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y, watch = np.ones((8, 3, 2), np.float32), np.ones((8, 1), np.float32), Watch()
    model.fit(x, y, batch_size=4, verbose=0, validation_split=0.5, callbacks=[watch])
    assert watch.seen == [[1] * len(before)] * 2
    assert blas_threads() == before


def test_threads_come_back_after_an_error(before: list[int]) -> None:
    with pytest.raises(ZeroDivisionError), one_blas_thread():
        raise ZeroDivisionError
    assert blas_threads() == before


# In a process of its own, because conftest.py holds this one's BLAS to one thread.
OVERLAP = """
import threading
from threadpoolctl import threadpool_info
import numpy
from rnnfast.utils import blas, one_blas_thread

def threads():
    return [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]

before = threads()
first_ended, second_began = threading.Event(), threading.Event()

def first():
    with one_blas_thread():
        assert second_began.wait(10)
    first_ended.set()

def second():
    with one_blas_thread():
        second_began.set()
        assert first_ended.wait(10)

with one_blas_thread():
    assert threads() == [1] * len(before)
runners = [threading.Thread(target=first)]
runners[0].start()
while threads() == before and max(before, default=1) > 1:
    pass
runners.append(threading.Thread(target=second))
runners[1].start()
for runner in runners:
    runner.join()
assert threads() == before, (before, threads())
"""


def test_threads_come_back_when_blocks_overlap() -> None:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2"}
    subprocess.run([sys.executable, "-c", OVERLAP], check=True, timeout=60, env=environment)


def test_threadpoolctl_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnfast.utils.blas._controller", lambda: None)
    with one_blas_thread():
        assert np.ones(2) @ np.ones(2) == 2


@pytest.fixture
def without_threadpoolctl(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if nobody had looked for it yet, and it were not there; NumPy's settings left open."""
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    blas._controller.cache_clear()
    yield
    blas._controller.cache_clear()


@pytest.mark.usefixtures("without_threadpoolctl")
def test_that_it_is_missing_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blas, "_cores", lambda: 2)
    with pytest.warns(UserWarning, match="pip install threadpoolctl") as told, one_blas_thread():
        pass
    assert len(told) == 1
    with one_blas_thread():
        pass


@pytest.mark.usefixtures("without_threadpoolctl")
@pytest.mark.parametrize(("cores", "setting"), [(1, "4"), (4, "1")])
def test_nothing_is_told_where_blas_has_one_thread(
    cores: int, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blas, "_cores", lambda: cores)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", setting)
    with one_blas_thread():
        pass
