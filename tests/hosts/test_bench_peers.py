"""The peers of the benchmark do the same work as rnnfast, and say what they cannot do."""

from __future__ import annotations

import os

import pytest

from rnnfast.bench import PEERS, Case, Ours, Peer, Shape
from rnnfast.bench.agreement import require_agreement
from rnnfast.bench.cases import MODES
from rnnfast.bench.peers import Unable
from rnnfast.testing.cells import CELLS_BY_NAME

CANNOT = {
    "torch": lambda case: case.cell_name in ("rnn_sigmoid", "gru_reset_before"),
    "onnxruntime": lambda case: case.mode == "training",
    "openvino": lambda case: case.mode == "training",
    "jax": lambda case: False,
}

# JAX takes no other number.
THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@pytest.fixture(scope="module", params=PEERS)
def peer(request) -> Peer:
    return PEERS[request.param](threads=THREADS)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("cell", CELLS_BY_NAME)
def test_agrees_with_us_or_says_why_not(peer, cell, mode):
    case = Case(mode, cell, Shape(1 if mode == "step" else 6, 3, 5, 7))
    inputs = case.inputs()
    if CANNOT[peer.name](case):
        with pytest.raises(Unable, match=peer.name):
            peer.prepare(case, inputs)
        return
    own, theirs = Ours(threads=1).prepare(case, inputs), peer.prepare(case, inputs)
    answer, others = own.results(own.call()), theirs.results(theirs.call())
    require_agreement(peer.name, inputs, answer, others)
    # Initial states are zero in training, and no leaves of torch's graph.
    assert answer.keys() - others.keys() <= {"dh0", "dc0"}


def test_jax_refuses_a_number_of_threads_that_it_would_not_use():
    with pytest.raises(Unable, match=rf"{THREADS + 1} threads are wanted, jax takes one for each"):
        PEERS["jax"](threads=THREADS + 1)


def test_versions(peer):
    assert peer.version[0].isdigit()
