"""The tests written in C++: here, on an emulated x86-64 processor without AVX, on 64-bit ARM."""

import platform
import shutil
import sys

import pytest

import cmake_builds

pytestmark = pytest.mark.compiles

# The last Intel generation before AVX: SSE4.2 and POPCNT, which is what NumPy's wheels ask for.
PROCESSOR_WITHOUT_AVX = "Nehalem"
ARM_LIBRARIES = "/usr/aarch64-linux-gnu"


def emulator(name):
    """Path of an emulator, or the test is skipped."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no emulator ({name})")
    return found


def without_avx(*command):
    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("not an x86-64 machine")
    # Without RNNFAST_TARGET the library chooses, and must choose what this processor can run.
    # NumPy's OpenBLAS is told: on a Zen 5 it takes the emulated one for a Haswell, and crashes.
    return cmake_builds.run(
        emulator("qemu-x86_64"),
        "-cpu",
        PROCESSOR_WITHOUT_AVX,
        *command,
        RNNFAST_TARGET=None,
        OPENBLAS_CORETYPE=PROCESSOR_WITHOUT_AVX,
    )


def test_native_tests(native_build):
    cmake_builds.run(native_build.native_tests)


def test_an_emulated_gpu(native_build):
    cmake_builds.run(native_build.gpu_tests)


@pytest.mark.slow
def test_native_tests_without_avx(native_build):
    without_avx(native_build.native_tests)


@pytest.mark.slow
def test_import_without_avx():
    """The extension as Python loads it: initialisers run before any choice of target."""
    program = (
        "import numpy as np, rnnfast\n"
        "x, w_ih, w_hh = np.ones((3, 2, 5)), np.ones((16, 5)), np.ones((16, 4))\n"
        "y, h_n, c_n = rnnfast.lstm(x, w_ih, w_hh)\n"
        "assert y.shape == (3, 2, 4), y.shape\n"
        "print(rnnfast.show_config(mode='dicts')['target'])\n"
    )
    assert without_avx(sys.executable, "-c", program).split()[-1] == "baseline"


@pytest.mark.slow
def test_all_but_bindings_and_gpus_compiles_for_arm(cross_build):
    expected = {
        path.relative_to(cmake_builds.ROOT).as_posix()
        for path in (cmake_builds.ROOT / "csrc").rglob("*.cpp")
    }
    others = ("avx2", "avx512", "amx")
    expected = {name for name in expected if not any(f"/{other}" in name for other in others)}
    elsewhere = ("csrc/bindings/", "csrc/cuda/", "csrc/api/device_backend.cpp")
    expected = {source for source in expected if not source.startswith(elsewhere)}
    assert cross_build.objects().keys() >= expected
    assert "csrc/cpu/targets/neon_float.cpp" in expected


@pytest.mark.slow
def test_native_tests_on_emulated_arm(cross_build):
    qemu = emulator("qemu-aarch64")
    cmake_builds.run(qemu, "-L", ARM_LIBRARIES, cross_build.native_tests)
