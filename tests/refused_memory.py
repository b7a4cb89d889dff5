"""Memory that is refused: a malloc that tests put in place of the C library's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# The C library's malloc and C++'s operator new, which refuse what is asked for from the code of
# `ours` once it was asked as often as `left` said.
SHIM = r"""
#include <cerrno>
#include <cstddef>
#include <new>

#define CALLER static_cast<char*>(__builtin_return_address(0))

namespace {

__attribute__((tls_model("initial-exec"))) thread_local long left = -1;
__attribute__((tls_model("initial-exec"))) thread_local int refusals = 0;

struct Range { char *begin, *end; } ours[8];
int ranges = 0;

bool asked_by_us(char* caller) {
  for (int i = 0; i < ranges; ++i) if (ours[i].begin <= caller && caller < ours[i].end) return true;
  return false;
}
bool refuses(char* caller) {
  if (left < 0 || !asked_by_us(caller) || left-- > 0) return false;
  ++refusals;
  errno = ENOMEM;
  return true;
}

}  // namespace

extern "C" {
void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t);
void *__libc_realloc(void*, size_t), *__libc_memalign(size_t, size_t);

void refuse_within(char* begin, char* end) { ours[ranges++] = {begin, end}; }
void refuse_after(long n) { left = n; refusals = 0; }
int count_refusals() { left = -1; return refusals; }

void* malloc(size_t n) { return refuses(CALLER) ? nullptr : __libc_malloc(n); }
void* calloc(size_t n, size_t m) { return refuses(CALLER) ? nullptr : __libc_calloc(n, m); }
void* realloc(void* p, size_t n) { return refuses(CALLER) ? nullptr : __libc_realloc(p, n); }
void* memalign(size_t a, size_t n) { return refuses(CALLER) ? nullptr : __libc_memalign(a, n); }
void* aligned_alloc(size_t a, size_t n) { return memalign(a, n); }
int posix_memalign(void** p, size_t a, size_t n) {
  if (refuses(CALLER)) return ENOMEM;
  return (*p = __libc_memalign(a, n)) ? 0 : ENOMEM;
}
}

static void* given(void* memory) {
  if (!memory) throw std::bad_alloc();
  return memory;
}
void* operator new(size_t n) { return given(refuses(CALLER) ? nullptr : __libc_malloc(n)); }
void* operator new[](size_t n) { return given(refuses(CALLER) ? nullptr : __libc_malloc(n)); }
void* operator new(size_t n, std::align_val_t a) {
  return given(refuses(CALLER) ? nullptr : __libc_memalign(static_cast<size_t>(a), n));
}
"""

# The beginning of a program that is given the library: `attempt`.
PROLOGUE = """
import ctypes, itertools, sys, threading

shim = ctypes.CDLL(sys.argv[1])

def look_at_extension():
    for line in open("/proc/self/maps"):
        if " r-xp " in line and "/_core" in line.replace("numpy/_core", ""):
            shim.refuse_within(*(ctypes.c_void_p(int(at, 16)) for at in line.split()[0].split("-")))

def attempt(call, n, refused=MemoryError):
    # What a call returns that is refused its n-th allocation, None if it raised; how many were.
    found = []
    def run():  # in a thread of its own, which has kept no memory for calls
        shim.refuse_after(n)
        try:
            result = call()
        except refused:
            result = None
        found.extend((result, shim.count_refusals()))
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found
"""


def count_refusals(folder: Path, program: str) -> int:
    """Run what follows the prologue, and return the number that it prints."""
    compiler = shutil.which("g++") or shutil.which("c++")
    if compiler is None:
        pytest.skip("no C++ compiler")
    if not sys.platform.startswith("linux") or not hasattr(os, "confstr"):
        pytest.skip("not glibc")
    source, shim = folder / "refuse.cpp", folder / "refuse.so"
    source.write_text(SHIM)
    command = [compiler, "-std=c++17", "-O1", "-fPIC", "-shared", str(source), "-o", str(shim)]
    subprocess.run(command, check=True)
    found = subprocess.run(
        [sys.executable, "-c", PROLOGUE + program, str(shim)],
        env={**os.environ, "LD_PRELOAD": str(shim)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert found.returncode == 0, found.stderr[-2000:]
    return int(found.stdout.split()[-1])
