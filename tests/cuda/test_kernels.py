"""Kernels compiled for GPUs. What they compute, tests/native/ says, where they are emulated."""

import ctypes
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

import cmake_builds

HERE = Path(__file__).parent
ENTRY = re.compile(r"\.entry (\w+)\(.*?\n\{\n(.*?)\n\}\n", re.DOTALL)
# What kernels.cu lists.
KERNELS_OF_NO_CELL = 23
MORE_WHERE_ARRAYS_ARE_SHORT = 3
KERNELS_OF_A_CELL = 4
MORE_KERNELS_OF = {"GruResetBefore": 2, "Mgu": 2, "LstmPeephole": 1, "LstmNorm": 1, "GruNorm": 1}
# Of fixed activations, neither normalized nor with weights of units.
CELLS_WITH_PERSISTENT_KERNELS = 10
TYPES_OF_ARRAYS = ("float", "double", "Float16", "Bfloat16")
USE = re.compile(
    r"Compiling entry function '(?P<kernel>\w+)'.*?"
    r"(?P<stack>\d+) bytes stack frame, (?P<stores>\d+) bytes spill stores, "
    r"(?P<loads>\d+) bytes spill loads",
    re.DOTALL,
)


@dataclass(frozen=True)
class Compiled:
    ptx: dict[str, str]  # of each kernel
    uses: dict[str, tuple[int, int, int]]  # bytes of stack, of spills stored and loaded


def nvcc(*arguments: object) -> str:
    """What the CUDA compiler says; the test is skipped where none is."""
    compiler = shutil.which("nvcc")
    if compiler is None:
        pytest.skip("no CUDA compiler (nvcc)")
    # No contraction, as on the CPU; and what is not marked for the device must not be taken for it.
    return cmake_builds.run(
        *(compiler, "-std=c++20", "-fmad=false", "-Werror", "all-warnings"),
        *(f"-I{cmake_builds.ROOT / 'csrc'}", *arguments),
    )


def compiled(folder: Path, source: str, architecture: str, *flags: str) -> Compiled:
    """The kernels of a source, for one architecture."""
    report = nvcc(
        *("-c", HERE / source, "-o", folder / "kernels.o", "--keep", "--keep-dir", folder),
        *("-O3", "-Xptxas", "-v", f"-arch={architecture}", *flags),
    )
    ptx = (folder / Path(source).with_suffix(".ptx").name).read_text()
    uses = {
        use["kernel"]: tuple(map(int, use.group("stack", "stores", "loads")))
        for use in USE.finditer(report)
    }
    return Compiled(dict(ENTRY.findall(ptx)), uses)


def is_there_a_device() -> bool:
    try:
        return ctypes.CDLL("libcuda.so.1").cuInit(0) == 0
    except OSError:
        return False


def cells() -> list[str]:
    """The types of all cells, of those too whose activations a call chooses."""
    registry = (cmake_builds.ROOT / "csrc" / "cells" / "registry.hpp").read_text()
    return re.findall(r'CELL\("\w+", (\w+)<', registry)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stored", "architecture"),
    [
        ("float", "sm_90"),
        ("double", "sm_80"),
        ("Bfloat16", "sm_90"),
        ("Float16", "sm_80"),
        pytest.param("float", "sm_80", marks=pytest.mark.full),
        pytest.param("double", "sm_90", marks=pytest.mark.full),
        pytest.param("Bfloat16", "sm_80", marks=pytest.mark.full),
        pytest.param("Float16", "sm_90", marks=pytest.mark.full),
    ],
)
def test_kernels_of_all_cells(tmp_path, stored, architecture):
    made = compiled(tmp_path, "kernels.cu", architecture, f"-DSTORED={stored}")
    wanted = KERNELS_OF_NO_CELL + sum(
        KERNELS_OF_A_CELL + MORE_KERNELS_OF.get(cell, 0) for cell in cells()
    )
    if stored.endswith("16"):
        wanted += MORE_WHERE_ARRAYS_ARE_SHORT
    assert len(made.ptx) == wanted
    assert made.uses.keys() == made.ptx.keys()
    assert not {kernel for kernel, ptx in made.ptx.items() if "st.global" not in ptx}
    assert not {kernel: use for kernel, use in made.uses.items() if any(use)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stored", "driver", "architecture"),
    [
        ("float", "on_grid", "sm_90"),
        ("double", "on_grid", "sm_80"),
        ("Bfloat16", "in_cluster", "sm_90"),
        pytest.param("float", "in_cluster", "sm_90", marks=pytest.mark.full),
        pytest.param("double", "in_cluster", "sm_90", marks=pytest.mark.full),
        pytest.param("Float16", "in_cluster", "sm_90", marks=pytest.mark.full),
        pytest.param("float", "on_grid", "sm_80", marks=pytest.mark.full),
        pytest.param("double", "on_grid", "sm_90", marks=pytest.mark.full),
        pytest.param("Bfloat16", "on_grid", "sm_90", marks=pytest.mark.full),
        pytest.param("Float16", "on_grid", "sm_80", marks=pytest.mark.full),
    ],
)
def test_persistent_kernels(tmp_path, stored, driver, architecture):
    flags = (f"-DSTORED={stored}", f"-DKERNELS={driver}")
    made = compiled(tmp_path, "persistent.cu", architecture, *flags)
    assert len(made.ptx) == 2 * CELLS_WITH_PERSISTENT_KERNELS
    assert made.uses.keys() == made.ptx.keys()
    of_product = ("mma.sync",) if stored.endswith("16") else ("fma.rn", "shfl.sync.bfly")
    meeting = ("mapa", "barrier.cluster.arrive") if driver == "in_cluster" else ()
    for instruction in ("st.global", *of_product, *meeting):
        assert not {kernel for kernel, ptx in made.ptx.items() if instruction not in ptx}
    # What other blocks write meanwhile must not be taken from a cache that nobody tells.
    assert not {kernel for kernel, ptx in made.ptx.items() if "ld.global.nc" in ptx}
    assert not {kernel: use for kernel, use in made.uses.items() if any(use)}


@pytest.mark.slow
def test_all_that_a_thread_can_do(tmp_path):
    made = compiled(tmp_path, "samples.cu", "sm_90")
    assert not {kernel for kernel, ptx in made.ptx.items() if "st.global" not in ptx}
    assert not {kernel: use for kernel, use in made.uses.items() if any(use)}
    everything = "\n".join(made.ptx.values())
    for instruction in (
        "bar.sync",
        "shfl.sync.bfly",
        "cp.async.cg.shared.global",
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32",
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32",
        "barrier.cluster.arrive",
        "mapa",
    ):
        assert instruction in everything


# Neither optimized nor assembled, which takes four fifths of the time. It is for programs whose
# kernels are those of the extension, which test_package.py builds whole.
QUICKLY = ("-Xcicc", "-O0", "-arch=compute_90")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "flags"),
    [
        ("bench/device/probes.cu", ["-arch=sm_90"]),
        ("bench/device/passes.cu", QUICKLY),
        ("tests/cuda/device_passes.cu", [*QUICKLY, "-DPASS_STORED=float"]),
        ("tests/cuda/device_passes.cu", [*QUICKLY, "-DPASS_STORED=Bfloat16"]),
    ],
)
def test_programs_for_a_gpu_compile(tmp_path, program, flags):
    source = cmake_builds.ROOT / program
    nvcc("-c", "-O0", *flags, source, "-o", tmp_path / "program.o")


@pytest.mark.full
def test_what_kernels_give_on_a_gpu():
    if not is_there_a_device():
        pytest.skip("no CUDA device")
    cmake_builds.run("bash", cmake_builds.ROOT / "bench/device/build.sh", "build/device")
    for tests in ("steps", *(f"passes_{stored}" for stored in TYPES_OF_ARRAYS)):
        cmake_builds.run(cmake_builds.ROOT / "build/device" / tests)
