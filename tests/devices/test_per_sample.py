"""Gradients of weights of each sequence, as the host gives them."""

import numpy as np
import pytest

from device_calls import CELLS, ROWS, STEPS, Problem, agree
from gpu_arrays import numbers

pytestmark = [pytest.mark.compiles, pytest.mark.usefixtures("streams")]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("lengths", [None, [2, 5, 0]])
def test_every_kind_of_cell(cell, lengths):
    agree(Problem(cell), per_sample=True, lengths=lengths)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_arrays_of_16_bits(dtype):
    agree(Problem("lstm", dtype=dtype), per_sample=True, lengths=[4, 1, 5])


@pytest.mark.parametrize(
    "options",
    [
        {"reverse": True, "lengths": [3, 5, 3]},
        {"lengths": [0, 0, 0]},
        {"resets": np.arange(STEPS * ROWS).reshape(STEPS, ROWS) % 4 == 1, "truncate": 2},
        {"zoneout": (0.2, 0.1), "recurrent_dropout": 0.5, "weight_dropout": 0.5, "seed": 3},
        {"wrt": ["w_hh", "b_ih"]},
        {"wrt": ["x"]},
    ],
    ids=str,
)
def test_options(options):
    agree(Problem("lstm"), per_sample=True, **options)


def test_layers_in_both_directions():
    problem = Problem("lstm", directions=2, layers=2)
    agree(problem, bidirectional=True, per_sample=True, dropout=0.4, seed=1, lengths=[2, 5, 1])


def test_one_sequence_is_a_batch():
    problem = Problem("peephole")
    problem.x, problem.states = problem.x[:, :1], {n: s[:1] for n, s in problem.states.items()}
    (out, each), (_, whole) = (problem.call("gpu", "_vjp", per_sample=one) for one in (True, False))
    for one, its in zip(each(out.y), whole(out.y), strict=True):
        if one is not None:
            np.testing.assert_array_equal(numbers(one).reshape(numbers(its).shape), numbers(its))


def test_the_same_call_gives_the_same_bits():
    problem = Problem("projected")
    digests = set()
    for _ in range(3):  # the third is replayed
        out, pull = problem.call("gpu", "_vjp", per_sample=True, lengths=[4, 5, 1])
        digests.add(b"".join(numbers(one).tobytes() for one in pull(out.y) if one is not None))
    assert len(digests) == 1


def test_a_replayed_pass_is_of_its_kind():
    """Of each sequence and of the batch in turn, over the same arrays."""
    problem = Problem("lstm")
    for _ in range(3):
        agree(problem, per_sample=True)
        agree(problem)
