"""Functions on arrays of a GPU give what they give on the host, as the caller's kind of array."""

import gc

import numpy as np
import pytest

import gpu_arrays
import rnnfast
from device_calls import CELLS, INPUTS, ROWS, STEPS, Problem, agree, close
from gpu_arrays import CupyArray, InterfaceArray, JaxArray, StandardArray, Tensor, numbers
from rnnfast._devices import DeviceArray, array_of

pytestmark = [pytest.mark.compiles, pytest.mark.usefixtures("streams")]

LIBRARIES = [Tensor, CupyArray, JaxArray, StandardArray, InterfaceArray]


@pytest.mark.parametrize("library", LIBRARIES)
def test_results_are_the_callers_kind_of_array(library):
    problem = Problem("lstm", library)
    wanted, pull_wanted = problem.call("host", "_vjp")
    out, pull = problem.call("gpu", "_vjp")
    kind = DeviceArray if library is InterfaceArray else library
    results = [*out, *(one for one in pull(out.y) if one is not None)]
    of_host = [*wanted, *(one for one in pull_wanted(wanted.y) if one is not None)]
    assert {type(one) for one in results} == {kind}
    for one, its in zip(results, of_host, strict=True):
        close(numbers(one), its, 1e-4)


@pytest.mark.parametrize("cell", CELLS)
def test_every_kind_of_cell(cell):
    agree(Problem(cell))


def test_float64():
    CELLS["gru"] = ("gru", {}, 3)
    problem = Problem("gru", dtype="float64")
    del CELLS["gru"]
    wanted, got = problem.call("host"), problem.call("gpu")
    close(numbers(got.y), wanted.y, 1e-13)
    assert numbers(got.y).dtype == np.float64


@pytest.mark.parametrize(
    "options",
    [
        {"lengths": [2, 5, 0]},
        {"lengths": [0, 0, 0]},
        {"reverse": True},
        {"reverse": True, "lengths": [2, 5, 3]},
        {"resets": np.arange(STEPS * ROWS).reshape(STEPS, ROWS) % 4 == 1},
        {"truncate": 2},
        {"checkpoint": True},
        {"checkpoint": True, "lengths": [1, 5, 2]},
        {"zoneout": (0.2, 0.1)},
        {"zoneout": (0.2, 0.1), "seed": 3},
        {"recurrent_dropout": 0.5, "seed": 3},
        {"weight_dropout": 0.5, "seed": 3},
        {"input_dropout": 0.3, "seed": 3},
        {"wrt": ["w_hh", "h0"]},
    ],
    ids=str,
)
def test_options(options):
    agree(Problem("lstm"), **options)


@pytest.mark.parametrize("options", [{}, {"lengths": [2, 5, 1]}, {"dropout": 0.4, "seed": 1}])
def test_layers_in_both_directions(options):
    agree(Problem("lstm", directions=2, layers=2), bidirectional=True, **options)


def test_batch_first():
    problem = Problem("lstm")
    problem.x = problem.x.swapaxes(0, 1).copy()
    wanted, got = (problem.call(on, batch_first=True) for on in ("host", "gpu"))
    close(numbers(got.y), wanted.y)


@pytest.mark.parametrize("shape", [(0, ROWS, INPUTS), (STEPS, 0, INPUTS)])
def test_no_steps(shape):
    problem = Problem("lstm")
    problem.x = np.zeros(shape, np.float32)
    problem.states = {name: one[: shape[1]] for name, one in problem.states.items()}
    agree(problem)
    agree(problem, zoneout=0.3, recurrent_dropout=0.3, input_dropout=0.3, seed=2)


def test_views_are_read_where_they_lie():
    problem = Problem("lstm")
    (x, w_ih, *others), _ = problem.arguments("gpu")
    flipped = x.seen_as(lambda geometry: geometry[::-1])
    assert array_of("x", flipped).geometry.ctypes.data == flipped.geometry.ctypes.data
    wanted = rnnfast.lstm(problem.x[::-1], *problem.weights)
    close(numbers(rnnfast.lstm(flipped, w_ih, *others).y), wanted.y)
    transposed = Tensor.of(problem.weights[0].T).seen_as(lambda geometry: geometry.T)
    wanted = rnnfast.lstm(problem.x, *problem.weights)
    close(numbers(rnnfast.lstm(x, transposed, *others).y), wanted.y)


def test_traces():
    problem = Problem("lstm")
    for got, wanted in zip(
        problem.call("gpu", "_trace", lengths=[5, 2, 3]),
        problem.call("host", "_trace", lengths=[5, 2, 3]),
        strict=True,
    ):
        close(numbers(got), wanted)


def test_the_same_call_gives_the_same_bits():
    problem = Problem("gru_norm")
    digests = set()
    for _ in range(3):  # the third is replayed
        out, pull = problem.call("gpu", "_vjp")
        results = [*out, *(one for one in pull(out.y) if one is not None)]
        digests.add(b"".join(numbers(one).tobytes() for one in results))
    assert len(digests) == 1


def test_packed_weights():
    problem = Problem("lstm")
    on_host, packed = (
        rnnfast.prepack("lstm", *problem.arguments(on)[0][1:]) for on in ("host", "gpu")
    )
    assert repr(packed) == repr(on_host)
    close(numbers(packed(problem.there(problem.x)).y), on_host(problem.x).y)
    state, wanted = None, None
    for x_t in problem.x:
        state, wanted = packed.step(problem.there(x_t), state), on_host.step(x_t, wanted)
        assert {type(one) for one in state} == {Tensor}
    close(numbers(state[0]), wanted[0])
    close(numbers(state[1]), wanted[1])


def test_packed_layers_step_by_step():
    problem = Problem("lstm", layers=2)
    on_host, packed = (
        rnnfast.prepack("lstm", *problem.arguments(on)[0][1:]) for on in ("host", "gpu")
    )
    for got, wanted in zip(
        packed.step(problem.there(problem.x[0])), on_host.step(problem.x[0]), strict=True
    ):
        close(numbers(got), wanted)


def test_memory_goes_back(gpu):
    problem = Problem("lstm")
    problem.call("gpu", "_vjp")
    gc.collect()
    before = gpu.taken()
    out, pull = problem.call("gpu", "_vjp")
    pull(out.y)
    del out, pull
    gc.collect()
    assert gpu.taken() == before


def test_arrays_of_our_own_are_arguments_too():
    problem = Problem("lstm", InterfaceArray)
    out = problem.call("gpu")
    wanted = problem.call("host", state=None)
    again = rnnfast.lstm(*problem.arguments("gpu")[0], state=out.state)
    close(numbers(again.y), rnnfast.lstm(problem.x, *problem.weights, state=wanted.state).y)


def test_arrays_of_the_host_go_the_usual_way():
    class OnHost:
        def __init__(self, numbers):
            self.numbers = numbers

        def __array__(self, dtype=None, copy=None):
            return self.numbers

        def __dlpack_device__(self):
            return 1, 0

    problem = Problem("lstm")
    got = rnnfast.lstm(OnHost(problem.x), *problem.weights)
    assert type(got.y) is np.ndarray
    assert gpu_arrays.numbers(got.y) is got.y
