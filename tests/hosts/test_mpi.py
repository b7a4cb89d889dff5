"""Processes of MPI train as one would on the whole batch, and end together."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from rnnfast.training import MPI

PROGRAM = Path(__file__).resolve().parents[1] / "mpi_fit.py"
MPIEXEC = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
PATIENCE = 60  # seconds, within which all processes must have ended
EXACT = {"float32": 1e-6, "float64": 1e-12}


def start(processes: int, kind: str, folder: Path) -> subprocess.Popen[str]:
    assert MPIEXEC is not None, "pip install mpich"
    command = [MPIEXEC, "-n", str(processes), sys.executable, PROGRAM, kind, folder]
    pipe, one_thread = subprocess.PIPE, {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, env=one_thread, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True
    )


def ended(processes: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait; return how they ended and what they printed."""
    try:
        output, errors = processes.communicate(timeout=PATIENCE)
    finally:
        processes.kill()
    return processes.returncode, output, errors


def trained(processes: int, kind: str, folder: Path) -> list[dict[str, np.ndarray]]:
    code, output, errors = ended(start(processes, kind, folder))
    assert code == 0, errors
    assert output.count("samples/s") == 3  # a line for each epoch, of one process
    return [dict(np.load(folder / f"{rank}-of-{processes}.npz")) for rank in range(processes)]


@pytest.mark.parametrize("dtype", EXACT)
@pytest.mark.parametrize("kind", ["arrays", "ragged", "masked"])
def test_two_processes_end_with_the_weights_of_one(kind, dtype, tmp_path):
    [alone] = trained(1, f"{kind}-{dtype}", tmp_path)
    for found in trained(2, f"{kind}-{dtype}", tmp_path):
        assert found.keys() == alone.keys()
        for name, wanted in alone.items():
            np.testing.assert_allclose(found[name], wanted, rtol=0, atol=EXACT[dtype], err_msg=name)


def test_an_exception_in_one_process_ends_all(tmp_path):
    code, _, errors = ended(start(2, "fails", tmp_path))
    assert code != 0
    assert "rnnfast: process 1 of 2 failed and ends all:" in errors
    assert "KeyError: 'of one process alone'" in errors


def end_by_a_kill(folder: Path, rank: int, delay: float) -> None:
    """Kill one of two processes while they train: the other must end, and mpiexec say why."""
    folder.mkdir()
    processes = start(2, "trains", folder)
    begun, began = [folder / "0.pid", folder / "1.pid"], time.monotonic()
    while not all(map(Path.exists, begun)):
        assert processes.poll() is None and time.monotonic() < began + PATIENCE
        time.sleep(0.01)
    numbers = [int(one.read_text()) for one in begun]
    time.sleep(delay)
    os.kill(numbers[rank], signal.SIGKILL)
    code, output, errors = ended(processes)
    assert code != 0
    assert "Killed (signal 9)" in output + errors
    left, began = numbers[1 - rank], time.monotonic()
    while Path(f"/proc/{left}").exists():
        assert time.monotonic() < began + PATIENCE, "the other process goes on"
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("kill", range(3))
def test_when_one_process_is_killed_all_end(kill, tmp_path):
    end_by_a_kill(tmp_path / "run", kill % 2, 0.1 * kill)


@pytest.mark.slow
@pytest.mark.full
def test_two_hundred_kills_leave_nothing_that_hangs(tmp_path):
    rng = random.Random(0)
    for kill in range(200):
        end_by_a_kill(tmp_path / str(kill), rng.randrange(2), rng.uniform(0, 0.3))


def test_alone_there_is_one_process_and_nothing_to_abort():
    reducer = MPI()
    assert (reducer.rank, reducer.size) == (0, 1)
    flat = np.array([1.0, 2.0], np.float32)
    reducer.mean_(flat)
    np.testing.assert_array_equal(flat, [1, 2])
    reducer.abort()
