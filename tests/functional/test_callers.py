"""Several threads of Python that call at once: every result is that of a call alone.

`make sanitize-threads` runs this under ThreadSanitizer, which sees what one thread writes while
another reads it, whether or not a result shows it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

import rnnfast
from rnnfast.testing.bits import digest
from rnnfast.testing.cells import CELLS_BY_NAME, is_weight
from rnnfast.testing.random import Problem

CALLERS = 6
REPEATS = 4
# One cell of each form: with and without a memory, with two phases, with a row stage, projected.
CELLS = [
    CELLS_BY_NAME[n] for n in ("lstm", "gru", "rnn_tanh", "mgu", "lstm_norm", "lstm_projected")
]


def all_at_once(works: list[Callable[[], str]]) -> list[set[str]]:
    """What each work, begun together with all others and repeated, has given."""
    start = Barrier(len(works))

    def repeat(work: Callable[[], str]) -> set[str]:
        start.wait()
        return {work() for _ in range(REPEATS)}

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(repeat, works))


@pytest.mark.parametrize("rows", [1, 3, 20])
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_calls_of_every_kind_at_once(cell, rows):
    rng = np.random.default_rng(1)
    problem = Problem(cell, np.float32, T=17, B=rows, I=19, H=40)
    arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)
    operands = {name: a for name, a in arguments.items() if not is_weight(name)}
    packed = cell.prepack(arguments)
    _, shared_pullback = cell.vjp(arguments)

    def forward() -> str:
        return digest(cell.forward(arguments))

    def training() -> str:
        out, pullback = cell.vjp(arguments, checkpoint=True)
        return digest([*out, *pullback(**cotangents)])

    def backward() -> str:
        return digest(shared_pullback(**cotangents))

    def inference() -> str:
        return digest(packed(**operands))

    def packing() -> str:
        return digest(cell.prepack(arguments)(**operands))

    def steps() -> str:
        state = None
        for x_t in arguments["x"]:
            state = packed.step(x_t, state)
        return digest(state if isinstance(state, tuple) else (state,))

    works = [forward, training, backward, inference, packing, steps]
    alone = [work() for work in works]
    assert all_at_once(works) == [{result} for result in alone]


def test_stacks_at_once():
    rng = np.random.default_rng(2)
    T, B, H = 30, 2, 24
    x = rng.standard_normal((T, B, H), dtype=np.float32)
    w_ih = [0.2 * rng.standard_normal((3 * H, H), dtype=np.float32) for _ in range(3)]
    w_hh = [0.2 * rng.standard_normal((3 * H, H), dtype=np.float32) for _ in range(3)]
    dy = rng.standard_normal((T, B, H), dtype=np.float32)

    def training() -> str:
        out, pullback = rnnfast.gru_vjp(x, w_ih, w_hh)
        gradients = pullback(dy)
        return digest([*out, gradients.x, *gradients.w_ih, *gradients.w_hh])

    alone = training()
    assert all_at_once([training] * CALLERS) == [{alone}] * CALLERS


def test_the_number_of_threads_may_change_meanwhile():
    rng = np.random.default_rng(3)
    cell = CELLS_BY_NAME["lstm"]
    problem = Problem(cell, np.float32, T=40, B=2, I=30, H=64)
    arguments = problem.arguments(rng)
    alone = digest(cell.forward(arguments))
    before = rnnfast.get_num_threads()

    def forward() -> str:
        return digest(cell.forward(arguments))

    def change() -> str:
        for threads in (1, 2, 3, before) * 10:
            rnnfast.set_num_threads(threads)
        return "changed"

    with rnnfast.num_threads(before):
        given = all_at_once([forward, forward, change, forward])
    assert given == [{alone}, {alone}, {"changed"}, {alone}]
