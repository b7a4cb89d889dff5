"""The peers of the benchmark do the same work as rnnfast, and say what they cannot do."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import peer_agreement
from peer_agreement import THREADS, case_of, require_same_work
from rnnfast.bench import PEERS, Case, Job, Peer, Shape
from rnnfast.bench.agreement import Disagreement
from rnnfast.bench.cases import MODES
from rnnfast.bench.peers import Unable
from rnnfast.testing.cells import CELLS_BY_NAME

# Inductor's own imports.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script_method.:DeprecationWarning")


OF_TORCH = ("rnn_tanh", "rnn_relu", "lstm", "gru")
OF_ONNX = (*OF_TORCH, "rnn_sigmoid", "gru_reset_before")
OF_JAX = (*OF_ONNX, "lstm_coupled", "lstm_no_forget", "mgu")


def not_of_torch(case: Case) -> bool:
    return case.cell_name not in OF_TORCH


def not_of_onnx(case: Case) -> bool:
    return case.mode == "training" or case.cell_name not in OF_ONNX


CANNOT = {
    "torch": not_of_torch,
    "torch-compiled": not_of_torch,
    "torch-bf16": not_of_torch,
    "onnxruntime": not_of_onnx,
    "openvino": not_of_onnx,
    "jax": lambda case: case.cell_name not in OF_JAX,
}

# Keras has one backend a process, and that of the other tests here is torch.
HERE = [name for name in PEERS if name != "keras"]


@pytest.fixture(scope="module", params=HERE)
def peer(request) -> Peer:
    return PEERS[request.param](threads=THREADS)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("cell", CELLS_BY_NAME)
def test_agrees_with_us_or_says_why_not(peer, cell, mode):
    case = case_of(peer.name, mode, cell)
    if CANNOT[peer.name](case):
        with pytest.raises(Unable, match=peer.name):
            peer.prepare(case, case.inputs())
        return
    require_same_work(peer, case)


def run_alone(*names: str) -> dict[str, str]:
    """The number of cases in which each agrees, all in one process without this one's Keras."""
    run = subprocess.run(
        [sys.executable, peer_agreement.__file__, *names],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return dict(line.split() for line in run.stdout.splitlines())


def test_keras_agrees_with_us_in_everything_beside_all_the_others():
    others = [name for name in HERE if name != "torch-compiled"]
    done = run_alone(*others, "keras")
    assert done["jax"] == str(len(MODES) * len(OF_JAX))
    assert done["keras"] == str(len(MODES) * len(OF_ONNX))
    assert "0" not in done.values()


def test_keras_refuses_another_backend():
    import_first = (
        "import os; os.environ['KERAS_BACKEND'] = 'numpy'; import keras;"
        "from rnnfast.bench import PEERS; PEERS['keras'](2)"
    )
    run = subprocess.run([sys.executable, "-c", import_first], stderr=subprocess.PIPE, text=True)
    assert "Unable: keras is imported already, and runs on numpy" in run.stderr


def test_jax_refuses_a_number_of_threads_that_it_would_not_use():
    with pytest.raises(Unable, match=rf"{THREADS + 1} threads are wanted, jax takes one for each"):
        PEERS["jax"](threads=THREADS + 1)


@pytest.mark.parametrize(
    "case",
    [Case("inference", "gru", Shape(26, 1, 2, 3)), Case("training", "lstm", Shape(26, 1, 2, 3))],
)
def test_long_sequences_are_not_compiled_step_by_step(case):
    with pytest.raises(Unable, match="torch-compiled makes a copy of the step for each of T=26"):
        PEERS["torch-compiled"](THREADS).prepare(case, case.inputs())


def test_an_lstm_of_any_length_is_compiled_for_inference():
    require_same_work(
        PEERS["torch-compiled"](THREADS), Case("inference", "lstm", Shape(200, 1, 2, 3))
    )


def test_compiling_leaves_the_settings_of_torch_as_they_were():
    import torch

    peer = PEERS["torch-compiled"](THREADS)
    case = Case("step", "rnn_tanh", Shape(1, 1, 2, 3))
    peer.prepare(case, case.inputs())
    assert not torch._inductor.config.freezing
    assert not torch._dynamo.config.allow_rnn


def test_without_a_compiler_torch_is_not_compiled(monkeypatch):
    import torch._inductor.cpp_builder

    def find_none():
        raise torch._inductor.exc.InvalidCxxCompiler

    monkeypatch.setattr(torch._inductor.cpp_builder, "get_cpp_compiler", find_none)
    with pytest.raises(Unable, match=r"torch-compiled: .*No working C\+\+ compiler"):
        PEERS["torch-compiled"](THREADS)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_wrong_bfloat16_answer_is_found(cell):
    class Swapped(PEERS["torch-bf16"]):
        def prepare(self, case: Case, inputs) -> Job:
            gates = np.split(inputs["w_hh"], case.cell.gates)
            return super().prepare(case, {**inputs, "w_hh": np.concatenate(gates[::-1])})

    with pytest.raises(Disagreement, match=r"torch-bf16 .* y by .*0\.1 is allowed"):
        require_same_work(Swapped(THREADS), case_of("torch-bf16", "inference", cell))


def test_those_that_compute_in_float32_rank():
    assert {name for name, peer in PEERS.items() if not peer.ranks} == {"torch-bf16"}


def test_versions(peer):
    assert peer.version[0].isdigit()
