"""Two processes that torchrun starts train what one does."""

import os
import signal
import subprocess
import sys

import pytest
import torch

EXAMPLE = ["-m", "rnnfast.examples.torch_distributed", "--steps=20", "--units=8"]
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
SECONDS = 120


def run(*arguments):
    """Run Python, and end all that it started if that takes too long."""
    environment = {k: v for k, v in os.environ.items() if k not in ("WORLD_SIZE", "RANK")}
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        start_new_session=True,
    )
    try:
        shown, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        shown, _ = process.communicate()
        pytest.fail(f"not done after {SECONDS} s:\n{shown}")
    assert process.returncode == 0, shown
    return shown


def test_two_processes_train_as_one_does(tmp_path):
    alone, together = tmp_path / "alone.pt", tmp_path / "together.pt"
    assert "processes: 1" in run(*EXAMPLE, f"--save={alone}")
    assert "processes: 2" in run(*TORCHRUN, *EXAMPLE, f"--save={together}")
    want, got = torch.load(alone), torch.load(together)
    assert list(got) == list(want)
    assert {weight.dtype for weight in got.values()} == {torch.float64}
    torch.testing.assert_close(got, want, rtol=1e-11, atol=1e-13)
