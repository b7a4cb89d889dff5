"""Functions on arrays of a GPU give what they give on the host, as the caller's kind of array."""

import gc

import numpy as np
import pytest

import gpu_arrays
import rnnfast
from gpu_arrays import CupyArray, InterfaceArray, JaxArray, StandardArray, Tensor, numbers
from rnnfast._devices import DeviceArray, array_of

pytestmark = [pytest.mark.compiles, pytest.mark.usefixtures("streams")]

STEPS, ROWS, INPUTS, UNITS = 5, 3, 4, 6
LIBRARIES = [Tensor, CupyArray, JaxArray, StandardArray, InterfaceArray]
# The cells that are emulated: their function, options and rows of weights.
CELLS = {
    "rnn": ("rnn", {}, 1),
    "lstm": ("lstm", {}, 4),
    "gru_reset_before": ("gru", {"reset_after": False}, 3),
    "gru_norm": ("gru", {"layer_norm": (6 * UNITS,)}, 3),
    "peephole": ("lstm", {"peephole": (3 * UNITS,)}, 4),
    "projected": ("lstm", {"w_hr": (2, UNITS)}, 4),
}


def close(got, wanted, places=2e-5):
    wanted = numbers(wanted)
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got, wanted, rtol=places, atol=places)


class Problem:
    """A call's arrays on the host, and the same on the GPU."""

    def __init__(self, cell, library=Tensor, dtype=np.float32, directions=1, layers=1):
        self.name, options, gates = CELLS[cell]
        self.library, self.dtype, self.rng = library, dtype, np.random.default_rng(1)
        self.options = {
            name: self.draw(one) if isinstance(one, tuple) else one for name, one in options.items()
        }
        width = self.options["w_hr"].shape[0] if "w_hr" in self.options else UNITS
        self.x, self.states = self.draw((STEPS, ROWS, INPUTS)), {"h0": self.draw((ROWS, width))}
        if self.name == "lstm":
            self.states["c0"] = self.draw((ROWS, UNITS))
        inputs = [INPUTS, *[directions * UNITS] * (layers - 1)]
        stacked = [
            [
                self.draw(shape)
                for shape in ((gates * UNITS, i), (gates * UNITS, width), *[(gates * UNITS,)] * 2)
            ]
            for i in inputs
            for _ in range(directions)
        ]
        self.weights = (
            stacked[0] if len(stacked) == 1 else [list(of) for of in zip(*stacked, strict=True)]
        )
        if len(stacked) > 1:
            self.states = {
                name: self.draw((len(stacked), *one.shape)) for name, one in self.states.items()
            }

    def draw(self, shape):
        return 0.5 * self.rng.standard_normal(shape).astype(self.dtype)

    def there(self, value):
        """What of a call lies on the GPU."""
        if isinstance(value, list):
            return [self.there(one) for one in value]
        floats = isinstance(value, np.ndarray) and value.dtype.kind in "fb"
        return self.library.of(value) if floats else value

    def arguments(self, on):
        place = self.there if on == "gpu" else lambda value: value
        given = {**self.options, **self.states}
        return [place(one) for one in (self.x, *self.weights)], {
            name: place(one) for name, one in given.items()
        }

    def call(self, on, suffix="", **more):
        arrays, options = self.arguments(on)
        place = self.there if on == "gpu" else lambda value: value
        more = {name: place(one) for name, one in more.items()}
        return getattr(rnnfast, self.name + suffix)(*arrays, **options, **more)


def agree(problem, **options):
    """Forward and backward as on the host."""
    wanted, pull_wanted = problem.call("host", "_vjp", **options)
    got, pull = problem.call("gpu", "_vjp", **options)
    above = [problem.draw(one.shape) for one in wanted]
    for one, of_host in zip(got, wanted, strict=True):
        close(numbers(one), of_host)
    gradients, of_host = pull(*map(problem.there, above)), pull_wanted(*above)
    for name, one in of_host._asdict().items():
        found = getattr(gradients, name)
        if one is None:
            assert found is None, name
        elif isinstance(one, list):
            for mine, its in zip(found, one, strict=True):
                close(numbers(mine), its, 1e-4)
        else:
            close(numbers(found), one, 1e-4)
    for one, of_host in zip(problem.call("gpu", **forward_of(options)), wanted, strict=True):
        close(numbers(one), of_host)


def forward_of(options):
    return {
        name: one for name, one in options.items() if name not in ("truncate", "checkpoint", "wrt")
    }


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
    problem = Problem("gru", dtype=np.float64)
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
