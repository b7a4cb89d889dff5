"""Whether a peer of the benchmark does the same work as rnnfast: python peer_agreement.py PEER ...

As a program it makes all the peers that it is given in one process of its own, then checks that
each agrees with us in everything that it can do.
"""

from __future__ import annotations

import os
import sys

from rnnfast.bench import PEERS, Case, Ours, Peer, Shape
from rnnfast.bench.agreement import require_agreement
from rnnfast.bench.cases import MODES
from rnnfast.bench.peers import Unable
from rnnfast.testing.cells import CELLS_BY_NAME

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


def main(names: list[str]) -> None:
    peers = [PEERS[name](THREADS) for name in names]
    for peer in peers:
        done = 0
        for mode in MODES:
            for cell in CELLS_BY_NAME:
                try:
                    require_same_work(peer, case_of(peer.name, mode, cell))
                except Unable:
                    continue
                done += 1
        print(peer.name, done)
    if "torch" in names:
        import torch

        assert torch.get_num_threads() == THREADS


if __name__ == "__main__":
    main(sys.argv[1:])
