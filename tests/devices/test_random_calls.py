"""The program that tries calls on a real GPU, on the emulated one."""

import importlib.util

import numpy as np
import pytest

import cmake_builds
import gpu_arrays
from gpu_arrays import Tensor
from rnnfast.testing.cells import CELLS
from rnnfast.testing.options import OPTIONS

pytestmark = [pytest.mark.compiles, pytest.mark.usefixtures("streams")]

# Those that are emulated, with activations of their own; to clip is to choose others.
EMULATED = {
    "float32": ("rnn_tanh", "lstm", "gru_reset_before", "gru_norm"),
    "float64": ("gru",),
    "float16": ("lstm", "gru_reset_before"),
    "bfloat16": ("lstm", "gru_norm"),
}
OF_EMULATION = [option for option in OPTIONS if option.name != "clip"]


@pytest.fixture(scope="module")
def doors():
    path = cmake_builds.ROOT / "bench" / "device" / "doors.py"
    spec = importlib.util.spec_from_file_location("doors", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def there(array, dtype):
    if dtype == "bfloat16":
        return Tensor.of(array, bfloat16=True)
    return Tensor.of(array.astype(dtype))


def back(array):
    return gpu_arrays.numbers(array).astype(np.float64)


@pytest.mark.parametrize("dtype", EMULATED)
@pytest.mark.parametrize("number", range(8))
def test_random_calls(doors, dtype, number):
    cells = [
        cell for cell in CELLS if cell.core in EMULATED[dtype] and "activations" not in cell.options
    ]
    problem, per_sample = doors.drawn(number, cells, 6, OF_EMULATION)
    off = dict(doors.differences(problem, per_sample, dtype, there, back))
    assert {"y", "h_n", "x", "w_ih", "w_hh"} <= off.keys()
    assert not {name: share for name, share in off.items() if not share <= 1}, problem


def test_a_call_that_is_off_is_noticed(doors):
    cells = [cell for cell in CELLS if cell.name == "lstm"]
    problem, _ = doors.drawn(1, cells, 6, ())

    def off_by_one(array):
        found = back(array)
        found.flat[0] += 1
        return found

    passes = doors.differences(problem, False, "float32", there, off_by_one)
    assert any(share > 1 for _, share in passes)
