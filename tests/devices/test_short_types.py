"""Arrays of 16 bits: float32 inside, and results of the type that came in."""

import numpy as np
import pytest

import rnnfast
from device_calls import ROWS, STEPS, TOLERANCES, UNITS, Problem, agree, close
from gpu_arrays import (
    CupyArray,
    DLPackArray,
    InterfaceArray,
    JaxArray,
    StandardArray,
    Tensor,
    numbers,
)
from rnnfast._devices import DeviceArray, array_of

pytestmark = [pytest.mark.compiles, pytest.mark.usefixtures("streams")]

GEOMETRY = {"float16": np.float16, "bfloat16": np.uint16}
SHORT = [*GEOMETRY]


def everything_of(problem):
    """All results and gradients of a call."""
    out, pull = problem.call("gpu", "_vjp")
    return [*out, *(one for one in pull(out.y) if one is not None)]


@pytest.mark.parametrize("dtype", SHORT)
@pytest.mark.parametrize("library", [Tensor, CupyArray, JaxArray, StandardArray])
def test_results_and_gradients_are_of_the_type_that_came_in(dtype, library):
    found = everything_of(Problem("lstm", library, dtype))
    assert {(type(one), one.geometry.dtype) for one in found} == {
        (library, np.dtype(GEOMETRY[dtype]))
    }


@pytest.mark.parametrize(
    ("cell", "dtype"),
    [
        *(("lstm", dtype) for dtype in SHORT),
        ("projected", "bfloat16"),
        ("gru_reset_before", "float16"),
        ("gru_norm", "bfloat16"),
        ("peephole", "float16"),
    ],
)
def test_every_kind_of_cell(cell, dtype):
    agree(Problem(cell, dtype=dtype))


@pytest.mark.parametrize("dtype", SHORT)
@pytest.mark.parametrize(
    "options",
    [
        {"reverse": True, "lengths": [2, 5, 3]},
        {"resets": np.arange(STEPS * ROWS).reshape(STEPS, ROWS) % 4 == 1, "truncate": 2},
        {"checkpoint": True, "lengths": [1, 5, 2]},
        {"zoneout": (0.2, 0.1)},
        {"zoneout": (0.2, 0.1), "recurrent_dropout": 0.5, "seed": 3},
        {"weight_dropout": 0.5, "input_dropout": 0.3, "seed": 3},
        {"wrt": ["w_hh", "h0"]},
    ],
    ids=str,
)
def test_options(dtype, options):
    agree(Problem("lstm", dtype=dtype), **options)


@pytest.mark.parametrize("dtype", SHORT)
def test_layers_in_both_directions(dtype):
    problem = Problem("lstm", dtype=dtype, directions=2, layers=2)
    agree(problem, bidirectional=True, dropout=0.4, seed=1, lengths=[2, 5, 1])


@pytest.mark.parametrize("dtype", SHORT)
def test_results_are_the_nearest_numbers_of_their_type(dtype):
    """Of a single step without a sum, so that nothing but the result is rounded."""
    problem = Problem("lstm", dtype=dtype)
    x, w_ih, w_hh = (np.zeros(a.shape, np.float32) for a in (problem.x, *problem.weights[:2]))
    c0 = problem.draw((ROWS, UNITS))
    wanted = rnnfast.lstm(x[:1], w_ih, w_hh, c0=c0)  # c = c0 / 2 and h = tanh(c) / 2
    got = rnnfast.lstm(*map(problem.there, (x[:1], w_ih, w_hh)), c0=problem.there(c0))
    np.testing.assert_array_equal(numbers(got.c_n), c0 / 2)
    # Whatever tanh is in float32, to some of its last places.
    np.testing.assert_allclose(numbers(got.y), wanted.y, rtol=TOLERANCES[dtype][0] / 4 + 1e-6)


@pytest.mark.parametrize("dtype", SHORT)
def test_traces(dtype):
    problem = Problem("lstm", dtype=dtype)
    for got, wanted in zip(
        *(problem.call(on, "_trace", lengths=[5, 2, 3]) for on in ("gpu", "host")), strict=True
    ):
        assert got.geometry.dtype == GEOMETRY[dtype]
        close(numbers(got), wanted, TOLERANCES[dtype][0])


@pytest.mark.parametrize("dtype", SHORT)
@pytest.mark.parametrize("precision", ["its own", None])
def test_packed_weights(dtype, precision):
    problem = Problem("lstm", dtype=dtype)
    _, *weights = problem.arguments("gpu")[0]
    precision = dtype if precision else None
    packed = rnnfast.prepack("lstm", *weights, precision=precision)
    assert (str(packed.dtype), packed.precision) == (dtype, dtype)
    assert f"dtype={dtype}" in repr(packed)
    wanted = rnnfast.lstm(problem.x, *problem.weights)
    close(numbers(packed(problem.there(problem.x)).y), wanted.y, TOLERANCES[dtype][0])
    state = None
    for x_t in problem.x:
        state = packed.step(problem.there(x_t), state)
    close(numbers(state[0]), wanted.h_n, 2 * TOLERANCES[dtype][0])  # rounded at every step
    with pytest.raises(TypeError, match=rf"^x must be {dtype} like the packed weights, got float3"):
        packed(Tensor.of(problem.x))


@pytest.mark.parametrize("dtype", SHORT)
def test_the_same_call_gives_the_same_bits(dtype):
    problem = Problem("lstm", dtype=dtype)
    digests = {b"".join(numbers(one).tobytes() for one in everything_of(problem)) for _ in range(3)}
    assert len(digests) == 1


@pytest.mark.parametrize("dtype", SHORT)
def test_nothing_is_copied(dtype):
    problem = Problem("lstm", dtype=dtype)
    x = problem.there(problem.x)
    array = array_of("x", x)
    assert array.geometry.ctypes.data == x.geometry.ctypes.data
    assert (str(array.dtype), array.itemsize) == (dtype, 2)


def test_arrays_of_our_own():
    """Results of who takes no array of ours: by the interface, and by DLPack for bfloat16."""
    out = Problem("lstm", InterfaceArray, "float16").call("gpu")
    assert type(out.y) is DeviceArray
    assert out.y.__cuda_array_interface__["typestr"] == "<f2"

    problem = Problem("lstm", DLPackArray, "bfloat16")
    out = problem.call("gpu")
    assert type(out.y) is DeviceArray
    assert out.y.__cuda_array_interface__["typestr"] == "<V2"
    assert repr(out.h_n) == "DeviceArray(shape=(3, 6), dtype=bfloat16, device=cuda:0)"
    again = rnnfast.lstm(*problem.arguments("gpu")[0], state=out.state)
    wanted = rnnfast.lstm(problem.x, *problem.weights, h0=numbers(out.h_n), c0=numbers(out.c_n))
    close(numbers(again.y), wanted.y, TOLERANCES["bfloat16"][0])


@pytest.mark.parametrize(
    ("own", "other"), [("float16", "bfloat16"), ("bfloat16", "float32"), ("float32", "float16")]
)
def test_arrays_of_two_types(own, other):
    of, elsewhere = (Problem("lstm", dtype=dtype) for dtype in (own, other))
    (x, w_ih, w_hh, *_), (*_, its_w_hh, b_ih, b_hh) = (
        problem.arguments("gpu")[0] for problem in (of, elsewhere)
    )
    state = elsewhere.there(np.zeros((ROWS, UNITS), np.float32))
    above = elsewhere.there(np.zeros((STEPS, ROWS, UNITS), np.float32))
    calls = {
        "w_hh": lambda: rnnfast.lstm(x, w_ih, its_w_hh),
        "b_ih": lambda: rnnfast.lstm(x, w_ih, w_hh, b_ih, b_hh),
        "c0": lambda: rnnfast.lstm(x, w_ih, w_hh, c0=state),
        "dy": lambda: rnnfast.lstm_vjp(x, w_ih, w_hh)[1](above),
    }
    for name, call in calls.items():
        with pytest.raises(TypeError) as raised:
            call()
        assert str(raised.value) == (
            f"{name} must be {own} like x, got {other}; convert one of them, for example "
            f"{name}.to or {name}.astype"
        )


def test_numbers_beside_arrays_are_float32s():
    """A rate that float16 cannot hold, and float32 can; and one that neither can."""
    problem = Problem("lstm", dtype="float16")
    agree(problem, zoneout=(1e-9, 0.0))
    with pytest.raises(ValueError, match=r"^zoneout of h must be less than 1 in float32, which "):
        problem.call("gpu", zoneout=(1 - 1e-12, 0.0))


def test_precision_is_that_of_the_arrays():
    _, *weights = Problem("lstm", dtype="float16").arguments("gpu")[0]
    with pytest.raises(NotImplementedError, match=r"^precision must be None where .* of float16; "):
        rnnfast.prepack("lstm", *weights, precision="bfloat16")


def test_a_cell_that_this_build_has_not():
    problem = Problem("rnn", dtype="float16")
    with pytest.raises(ValueError, match=r"^the cell rnn_tanh is not there for float16 in this"):
        problem.call("gpu")


def test_the_host_takes_no_16_bits():
    with pytest.raises(TypeError, match=r"^x must be float32 or float64, got float16; convert it"):
        rnnfast.lstm(np.zeros((1, 1, 1), np.float16), np.zeros((4, 1)), np.zeros((4, 1)))
