"""Two devices, two processes, threads at once, Ctrl-C: each in a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

pytest.importorskip("jax")

SECONDS = 120

ARRAYS = """
import jax
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec as P
from rnnfast.interop import jax as ours

random = np.random.default_rng(0)


def draw(*shape):
    return random.normal(size=shape).astype(np.float32)


T, B, I, H = 20, 8, 6, 8
x, h0 = draw(T, B, I), draw(B, H)
weights = {"w_ih": draw(3 * H, I), "w_hh": draw(3 * H, H), "b_ih": draw(3 * H)}


def loss(weights, x, h0):
    return (ours.gru(x, **weights, h0=h0).y ** 2).sum()


def check(got, want):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=3e-5, atol=2e-5), got, want)


gradients = jax.grad(loss, (0, 1, 2))
"""

SHARDED = """
want = gradients(weights, x, h0)
mesh = jax.make_mesh((2,), ("rows",), axis_types=(AxisType.Auto,))
specs = (P(), P(None, "rows"), P("rows"))
whole = jax.shard_map(
    lambda *a: jax.lax.psum(loss(*a), "rows"), mesh=mesh, in_specs=specs, out_specs=P()
)
check(jax.jit(jax.grad(whole, (0, 1, 2)))(weights, x, h0), want)
within = jax.shard_map(gradients, mesh=mesh, in_specs=specs, out_specs=specs)
check(jax.jit(within)(weights, x, h0), want)
placed = jax.device_put(x, NamedSharding(mesh, specs[1]))
check(jax.jit(gradients)(weights, placed, h0), want)

given = jax.tree.map(jax.numpy.array, weights)
step = jax.jit(
    lambda w: jax.tree.map(lambda w, g: w - 0.1 * g, w, jax.grad(loss)(w, x, h0)), donate_argnums=0
)
check(step(given), {name: weights[name] - 0.1 * want[0][name] for name in weights})
assert all(array.is_deleted() for array in given.values())
print("ok")
"""

THREADS = """
import threading

run = jax.jit(gradients)
first = jax.tree.map(np.asarray, run(weights, x, h0))
other = []


def work():
    for _ in range(20):
        same = jax.tree.map(lambda a, b: bool((a == b).all()), run(weights, x, h0), first)
        other.extend([] if all(jax.tree.leaves(same)) else [same])


threads = [threading.Thread(target=work) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert not other, other
print("ok")
"""

INTERRUPTED = """
import signal

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
big = {"w_ih": draw(4 * 256, 64), "w_hh": 0.1 * draw(4 * 256, 256)}
run = jax.jit(lambda x: ours.lstm(x, **big).h_n)
x = draw(2000, 16, 64)
run(x).block_until_ready()
print("running", flush=True)
try:
    while True:
        run(x).block_until_ready()
except KeyboardInterrupt:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
print("ok", float(run(x).sum()) == float(run(x).sum()))
"""

PROCESS = """
import sys

address, number = sys.argv[1:]
jax.distributed.initialize(address, 2, int(number))
assert jax.device_count() == 2
mesh = jax.make_mesh((2,), ("rows",), axis_types=(AxisType.Auto,))
specs = (P(), P(None, "rows"), P("rows"))
placed = [
    jax.make_array_from_callback(array.shape, NamedSharding(mesh, spec), lambda at, a=array: a[at])
    for array, spec in ((x, specs[1]), (h0, specs[2]))
]
shared = jax.tree.map(
    lambda w: jax.make_array_from_callback(w.shape, NamedSharding(mesh, P()), lambda at: w[at]),
    weights,
)


def summed(weights, x, h0):
    return jax.lax.psum(loss(weights, x, h0), "rows")


whole = jax.shard_map(summed, mesh=mesh, in_specs=specs, out_specs=P())
found = jax.jit(jax.grad(whole))(shared, *placed)
check({k: found[k].addressable_data(0) for k in found}, jax.jit(jax.grad(loss))(weights, x, h0))
print("ok")
"""


def start(program, *arguments, devices=1):
    flags = f"--xla_force_host_platform_device_count={devices}"
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", ARRAYS + program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
        start_new_session=True,
    )


def finish(process):
    """Return what a process has shown, and end it if that takes too long."""
    try:
        shown, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        shown, _ = process.communicate()
        pytest.fail(f"not done after {SECONDS} s:\n{shown}")
    assert process.returncode == 0, shown
    return shown


def test_two_devices_compute_what_one_does():
    assert finish(start(SHARDED, devices=2)).endswith("ok\n")


def test_threads_at_once_get_the_same_bits():
    assert finish(start(THREADS)).endswith("ok\n")


def test_an_interrupt_leaves_the_kernels_whole():
    process = start(INTERRUPTED)
    assert process.stdout.readline() == "running\n"
    # Again and again: Python may drop what it raises while it finalizes an object of JAX's.
    end = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < end:
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
    assert finish(process).endswith("ok True\n")


def test_two_processes_compute_what_one_does():
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    processes = [start(PROCESS, address, str(number)) for number in range(2)]
    for process in processes:
        assert "ok\n" in finish(process)
