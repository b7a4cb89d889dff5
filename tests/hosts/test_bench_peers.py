"""The peers of the benchmark do the same work as rnnfast, and say what they cannot do."""

from __future__ import annotations

import numpy as np
import pytest

from peer_agreement import THREADS, case_of, require_same_work
from rnnfast.bench import PEERS, Case, Job, Peer
from rnnfast.bench.agreement import Disagreement
from rnnfast.bench.cases import MODES
from rnnfast.bench.peers import Unable
from rnnfast.testing.cells import CELLS_BY_NAME


def not_of_torch(case: Case) -> bool:
    return case.cell_name in ("rnn_sigmoid", "gru_reset_before")


CANNOT = {
    "torch": not_of_torch,
    "torch-bf16": not_of_torch,
    "onnxruntime": lambda case: case.mode == "training",
    "openvino": lambda case: case.mode == "training",
    "jax": lambda case: False,
}


@pytest.fixture(scope="module", params=PEERS)
def peer(request) -> Peer:
    return PEERS[request.param](threads=THREADS)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("cell", CELLS_BY_NAME)
def test_agrees_with_us_or_says_why_not(peer, cell, mode):
    case = case_of(mode, cell)
    if CANNOT[peer.name](case):
        with pytest.raises(Unable, match=peer.name):
            peer.prepare(case, case.inputs())
        return
    require_same_work(peer, case)


def test_jax_refuses_a_number_of_threads_that_it_would_not_use():
    with pytest.raises(Unable, match=rf"{THREADS + 1} threads are wanted, jax takes one for each"):
        PEERS["jax"](threads=THREADS + 1)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_wrong_bfloat16_answer_is_found(cell):
    class Swapped(PEERS["torch-bf16"]):
        def prepare(self, case: Case, inputs) -> Job:
            gates = np.split(inputs["w_hh"], case.cell.gates)
            return super().prepare(case, {**inputs, "w_hh": np.concatenate(gates[::-1])})

    with pytest.raises(Disagreement, match=r"torch-bf16 .* y by .*0\.1 is allowed"):
        require_same_work(Swapped(THREADS), case_of("inference", cell))


def test_those_that_compute_in_float32_rank():
    assert {name for name, peer in PEERS.items() if not peer.ranks} == {"torch-bf16"}


def test_versions(peer):
    assert peer.version[0].isdigit()
