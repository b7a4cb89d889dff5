"""Steps ask nothing of the system: no memory, no lock, no call. Native steps are looked at.

tests/native/test_serving.cpp takes them; it also ends those that call the system. Here stand a
malloc that counts, and RealtimeSanitizer, which ends a program that waits where it must not.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import cmake_builds
from refused_memory import count_refusals

pytestmark = pytest.mark.compiles

# The C library's malloc and C++'s operator new, which count what a thread asks for.
COUNTING = r"""
#include <cerrno>
#include <cstddef>
#include <new>

namespace {
__attribute__((tls_model("initial-exec"))) thread_local long asked = 0;
void* given(void* memory) {
  if (!memory) throw std::bad_alloc();
  return memory;
}
}  // namespace

extern "C" {
void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t);
void *__libc_realloc(void*, size_t), *__libc_memalign(size_t, size_t);
void __libc_free(void*);

long allocations_of_this_thread() { return asked; }

void* malloc(size_t n) { return ++asked, __libc_malloc(n); }
void* calloc(size_t n, size_t m) { return ++asked, __libc_calloc(n, m); }
void* realloc(void* p, size_t n) { return ++asked, __libc_realloc(p, n); }
void* memalign(size_t a, size_t n) { return ++asked, __libc_memalign(a, n); }
void* aligned_alloc(size_t a, size_t n) { return ++asked, __libc_memalign(a, n); }
int posix_memalign(void** p, size_t a, size_t n) {
  ++asked;
  return (*p = __libc_memalign(a, n)) ? 0 : ENOMEM;
}
void free(void* p) { if (p) ++asked; __libc_free(p); }
}

void* operator new(size_t n) { return given(malloc(n)); }
void* operator new[](size_t n) { return given(malloc(n)); }
void* operator new(size_t n, std::align_val_t a) {
  return given(memalign(static_cast<size_t>(a), n));
}
"""


def test_steps_allocate_nothing(native_build: cmake_builds.Build, tmp_path: Path) -> None:
    compiler = shutil.which("g++") or shutil.which("c++")
    if compiler is None:
        pytest.skip("no C++ compiler")
    if not sys.platform.startswith("linux") or not hasattr(os, "confstr"):
        pytest.skip("not glibc")
    source, shim = tmp_path / "count.cpp", tmp_path / "count.so"
    source.write_text(COUNTING)
    cmake_builds.run(compiler, "-O1", "-fPIC", "-shared", source, "-o", shim)
    found = cmake_builds.run(
        native_build.native_tests, "steps", LD_PRELOAD=str(shim), RNNFAST_COUNTS_ALLOCATIONS="1"
    )
    assert "ok     steps_allocate_nothing" in found


# What Python's door asks for itself, beside the interpreter: nothing either. Prints its refusals.
PYTHON = """
import numpy as np, rnnfast
from rnnfast.weights import StackWeights

look_at_extension()
rng = np.random.default_rng(0)
inputs = [7, 19]
model = rnnfast.load(StackWeights(
    "lstm", [rng.standard_normal((76, n)) for n in inputs],
    [rng.standard_normal((76, 19)) for _ in inputs],
))
session, pool = model.session(), model.pool(50)
ids = [pool.open() for _ in range(50)]
x, chunk, rows = np.ones(7), np.ones((45, 7)), np.ones((50, 7))
outs = np.empty(19), np.empty((45, 19)), np.empty((50, 19)), np.empty((3, 50, 19))
later = np.ones((3, 50, 7))

def steps():
    for _ in range(3):
        session.step(x, out=outs[0])
        session.run(chunk, out=outs[1])
        pool.step(ids, rows, out=outs[2])
        pool.run(ids, later, out=outs[3])
    return True

got, refusals = attempt(steps, 0)
assert got and not np.isnan(outs[2]).any()
print(refusals)
"""


def test_steps_of_python_allocate_nothing(tmp_path: Path) -> None:
    assert count_refusals(tmp_path, PYTHON) == 0


WAITS = """
#include <cstdlib>
void step() noexcept [[clang::nonblocking]] { std::free(std::malloc(64)); }
int main() { step(); }
"""


def realtime_compiler(folder: Path) -> str:
    """A Clang whose RealtimeSanitizer sees a program wait, or the test is skipped."""
    source, program = folder / "waits.cpp", folder / "waits"
    source.write_text(WAITS)
    for name in ("clang++", *(f"clang++-{version}" for version in range(30, 19, -1))):
        compiler = shutil.which(name)
        if compiler is None:
            continue
        command = [compiler, "-std=c++20", "-fsanitize=realtime", str(source), "-o", str(program)]
        if subprocess.run(command, capture_output=True).returncode:
            continue
        ended = subprocess.run([str(program)], capture_output=True, text=True)
        if ended.returncode and "RealtimeSanitizer" in ended.stderr:
            return compiler
    pytest.skip("no Clang with RealtimeSanitizer")


def test_steps_are_for_real_time(native_build: cmake_builds.Build, tmp_path: Path) -> None:
    compiler = realtime_compiler(tmp_path)
    program = tmp_path / "steps"
    native = cmake_builds.ROOT / "tests" / "native"
    libraries = [native_build.folder / f"librnnfast_{n}.a" for n in ("serving", "api", "kernels")]
    # Its compiler need not be that of the kernels: what waits is seen wherever it is called from.
    cmake_builds.run(
        *(compiler, "-std=c++20", "-O1", "-g", "-fsanitize=realtime", "-ffp-contract=off"),
        *(f"-I{cmake_builds.ROOT / 'csrc'}", f"-I{native}"),
        *(native / "test_serving.cpp", native / "main.cpp", *libraries),
        *("-lgomp", "-ldl", "-lpthread", "-o", program),
    )
    assert "ok     steps_are_for_real_time" in cmake_builds.run(program, "steps")
