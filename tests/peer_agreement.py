"""Whether a peer of the benchmark does the same work as rnnfast."""

from __future__ import annotations

import os

from rnnfast.bench import Case, Ours, Peer, Shape
from rnnfast.bench.agreement import require_agreement

# JAX takes no other number.
THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()

# Seconds a step are spent on compiling it.
STEPS = {"torch-compiled": 2}


def case_of(peer: str, mode: str, cell: str) -> Case:
    """The small case on which a peer is tried."""
    return Case(mode, cell, Shape(1 if mode == "step" else STEPS.get(peer, 6), 3, 5, 7))


def require_same_work(peer: Peer, case: Case) -> None:
    inputs = case.inputs()
    own, theirs = Ours(threads=1).prepare(case, inputs), peer.prepare(case, inputs)
    answer, others = own.results(own.call()), theirs.results(theirs.call())
    require_agreement(peer.name, inputs, answer, others, peer.epsilon)
    # Initial states are zero in training, and nobody's variables.
    assert answer.keys() - others.keys() <= {"dh0", "dc0"}
