"""Every memory that a call asks for is refused in turn: MemoryError, and the next call works."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# The C library's malloc, which refuses what is asked for from the code of `ours` once it was asked
# as often as `left` said.
SHIM = r"""
#include <errno.h>
#include <stddef.h>

#define CALLER __builtin_return_address(0)

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);

static __thread long left __attribute__((tls_model("initial-exec"))) = -1;
static __thread int refusals __attribute__((tls_model("initial-exec")));

static struct { char *begin, *end; } ours[8];
static int ranges;

void refuse_within(char *begin, char *end) {
  ours[ranges].begin = begin;
  ours[ranges++].end = end;
}
void refuse_after(long n) { left = n; refusals = 0; }
int count_refusals(void) { left = -1; return refusals; }

static int asked_by_us(char *caller) {
  for (int i = 0; i < ranges; ++i) if (ours[i].begin <= caller && caller < ours[i].end) return 1;
  return 0;
}
static int refuses(char *caller) {
  if (left < 0 || !asked_by_us(caller) || left-- > 0) return 0;
  ++refusals;
  errno = ENOMEM;
  return 1;
}
void *malloc(size_t n) { return refuses(CALLER) ? NULL : __libc_malloc(n); }
void *calloc(size_t n, size_t m) { return refuses(CALLER) ? NULL : __libc_calloc(n, m); }
void *realloc(void *p, size_t n) { return refuses(CALLER) ? NULL : __libc_realloc(p, n); }
void *memalign(size_t a, size_t n) { return refuses(CALLER) ? NULL : __libc_memalign(a, n); }
void *aligned_alloc(size_t a, size_t n) { return refuses(CALLER) ? NULL : __libc_memalign(a, n); }
int posix_memalign(void **p, size_t a, size_t n) {
  if (refuses(CALLER)) return ENOMEM;
  return (*p = __libc_memalign(a, n)) ? 0 : ENOMEM;
}
"""

# Prints the number of refusals. A call may do without what it was refused, as without a thread.
PROGRAM = """
import ctypes, itertools, sys, threading
import numpy as np
import rnnfast
from rnnfast.testing.bits import digest
from rnnfast.testing.plans import forced_plan

shim = ctypes.CDLL(sys.argv[1])
for line in open("/proc/self/maps"):
    # The extension's own code, and that of C++'s operator new.
    if " r-xp " in line and ("/_core" in line.replace("numpy/_core", "") or "libstdc++" in line):
        shim.refuse_within(*(ctypes.c_void_p(int(at, 16)) for at in line.split()[0].split("-")))
rng = np.random.default_rng(0)
T, B, I, H = 12, 5, 3, 9  # little enough for no block to be kept from call to call
GATES = {"lstm": 4, "gru": 3, "rnn": 1}

def weights(cell, layers=1, directions=1):
    shapes = lambda i: [(GATES[cell] * H, i), (GATES[cell] * H, H), (GATES[cell] * H,)]
    inputs = [I] * directions + [directions * H] * (layers - 1) * directions
    made = [[0.3 * rng.standard_normal(s) for s in shapes(i)] for i in inputs]
    return made[0] if len(made) == 1 else [list(of) for of in zip(*made)]

x = rng.standard_normal((T, B, I))
lengths = np.arange(B) * T // B + 1
lengths[0] = T
resets = rng.random((T, B)) < 0.1

def gradients(vjp, *arguments, **options):
    out, pullback = vjp(*arguments, **options)
    found = pullback(dy=np.ones_like(out.y))
    return [*out, *(g for g in found if isinstance(g, np.ndarray))]

def losses_and_gradient(*arguments, **options):
    losses, pullback = rnnfast.ctc_loss_vjp(*arguments, **options)
    return [losses, pullback(np.ones(B))]

lstm, gru, two, both = weights("lstm"), weights("gru"), weights("lstm", 2), weights("gru", 1, 2)
packed = rnnfast.prepack("lstm", *lstm)
calls = {
    "forward": lambda: rnnfast.lstm(x, *lstm, lengths=lengths, resets=resets),
    "gradients": lambda: gradients(rnnfast.gru_vjp, x, *gru, lengths=lengths),
    "checkpoints": lambda: gradients(rnnfast.lstm_vjp, x, *lstm, checkpoint=True),
    "by sample": lambda: gradients(rnnfast.lstm_vjp, x, *lstm, lengths=lengths, per_sample=True),
    "ctc": lambda: losses_and_gradient(x, [[1, 2, 2]] * B, lengths=lengths),
    "noise": lambda: gradients(
        rnnfast.lstm_vjp, x, *lstm, seed=1, zoneout=(0.1, 0.1), recurrent_dropout=0.2
    ),
    "trace": lambda: list(rnnfast.lstm_trace(x, *lstm, lengths=lengths)),
    "layers": lambda: gradients(rnnfast.lstm_vjp, x, *two),
    "directions": lambda: rnnfast.gru(x, *both, bidirectional=True, lengths=lengths),
    "prepacking": lambda: rnnfast.prepack("lstm", *lstm)(x),
    "packed": lambda: packed(x, lengths=lengths),
    "step": lambda: packed.step(x[0]),
}
plans = [
    {"partition": "rows", "threads": 2}, {"partition": "units", "threads": 2},
    {"pipelines": True, "threads": 2},
]
def attempt(call, n):
    # What a call returns that is refused its n-th allocation; None if it raised MemoryError.
    found = []
    def run():  # in a thread of its own, which has kept no memory for calls
        shim.refuse_after(n)
        try:
            result = call()
        except MemoryError:
            result = None
        found.extend((result, shim.count_refusals()))
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found

total = 0
for (name, call), plan in itertools.product(calls.items(), plans):
    want = digest(call())
    def planned():
        with forced_plan(**plan):
            return call()
    for n in itertools.count():
        got, refusals = attempt(planned, n)
        total += refusals
        assert got is None or digest(got) == want, (name, plan, n)
        if not refusals:
            break
    assert digest(call()) == want, (name, plan)
print(total)
"""


@pytest.mark.timing  # as of what measures memory: sanitizers have a malloc of their own
def test_each_allocation_may_be_refused(tmp_path: Path) -> None:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    if not sys.platform.startswith("linux") or not hasattr(os, "confstr"):
        pytest.skip("not glibc")
    source, shim = tmp_path / "refuse.c", tmp_path / "refuse.so"
    source.write_text(SHIM)
    command = [compiler, "-O1", "-fPIC", "-shared", str(source), "-o", str(shim)]
    subprocess.run(command, check=True)
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(shim)],
        env={**os.environ, "LD_PRELOAD": str(shim)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert found.returncode == 0, found.stderr[-2000:]
    assert int(found.stdout) > 300
