"""CMake builds that tests look into: compiled once, kept under build/, brought up to date after."""

import fcntl
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CROSS_COMPILER = "aarch64-linux-gnu-g++"


@dataclass(frozen=True)
class Build:
    folder: Path

    @property
    def native_tests(self) -> Path:
        return self.folder / "rnnfast_native_tests"

    @property
    def gpu_tests(self) -> Path:
        """Those of an emulated GPU; not of a cross build."""
        return self.folder / "rnnfast_gpu_tests"

    @property
    def core(self) -> Path:
        """The extension that Python imports."""
        (core,) = self.folder.glob("_core*.so")
        return core

    def objects(self) -> dict[str, Path]:
        """Object file of each source below csrc/, as `csrc/cpu/targets/avx2_float.cpp`."""
        found = {}
        for path in sorted(self.folder.rglob("*.o")):
            parts = path.relative_to(self.folder).parts
            library = next((i for i, part in enumerate(parts) if part.endswith(".dir")), None)
            if library is None:
                continue
            source = Path(*parts[library + 1 :]).with_suffix("")
            # The object of a source that is gone stays in a kept build folder.
            if source.parts[0] == "csrc" and (ROOT / source).exists():
                found[source.as_posix()] = path
        return found


def run(*command: object, **environment: str | None) -> str:
    """Output of a command, which must succeed; a variable that is None is taken away."""
    variables = {k: v for k, v in (os.environ | environment).items() if v is not None}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1800,
    )
    if done.returncode:
        pytest.fail(f"{' '.join(map(str, command))}\n{done.stdout}", pytrace=False)
    return done.stdout


def tool(name: str) -> str | None:
    """A program of this Python environment, or else of the machine."""
    return shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


def binutils(tool: str, *arguments: object) -> str:
    """Output of one of the programs that look into object files."""
    if shutil.which(tool) is None:
        pytest.skip(f"no binutils ({tool})")
    return run(tool, *arguments)


def _build(folder: Path, *definitions: str) -> Build:
    cmake = tool("cmake")
    generator = () if (folder / "CMakeCache.txt").exists() else ("-G", "Ninja")
    make = f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}"
    defined = (f"-D{definition}" for definition in ("RNNFAST_NATIVE_TESTS=ON", *definitions))
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "tests.lock", "w") as lock:  # of two processes one builds, the other waits
        fcntl.flock(lock, fcntl.LOCK_EX)
        run(cmake, "-S", ROOT, "-B", folder, *generator, make, *defined)
        run(cmake, "--build", folder, "--parallel", os.cpu_count())
    return Build(folder)


def native_build() -> Build:
    """The whole core, bindings included, for this machine.

    RNNFAST_BUILD_DIR names the folder that an installation in place was built in (`make test` sets
    it), so that nothing is compiled twice.
    """
    import pybind11

    return _build(
        ROOT / os.environ.get("RNNFAST_BUILD_DIR", "build/tests"),
        f"pybind11_DIR={pybind11.get_cmake_dir()}",
        f"Python_EXECUTABLE={sys.executable}",
    )


def cross_build() -> Build:
    """All of the core that is not bound to Python, for 64-bit ARM, warnings being errors."""
    if shutil.which(CROSS_COMPILER) is None:
        pytest.skip(f"no cross compiler ({CROSS_COMPILER})")
    return _build(
        ROOT / "build" / "aarch64",
        "CMAKE_SYSTEM_NAME=Linux",
        "CMAKE_SYSTEM_PROCESSOR=aarch64",
        f"CMAKE_CXX_COMPILER={CROSS_COMPILER}",
        "RNNFAST_PYTHON=OFF",
        "RNNFAST_DEVELOPMENT=ON",
        "CMAKE_CXX_FLAGS_RELEASE=-O0",  # emulated for seconds, compiled for minutes otherwise
    )
