"""Several processes: two that torchrun starts train what one does, shards too; a DataLoader's."""

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


def run_together(*arguments):
    """Run processes, once more if one was ended after all was done.

    A thread of torch's that asks for Python's lock while the interpreter ends is unwound, which C++
    takes for an exception that nobody handles: seen once in some sixty runs.
    """
    try:
        return run(*TORCHRUN, *arguments)
    except AssertionError as error:
        if "terminate called without an active exception" not in str(error):
            raise
        return run(*TORCHRUN, *arguments)


def test_two_processes_train_as_one_does(tmp_path):
    alone, together = tmp_path / "alone.pt", tmp_path / "together.pt"
    assert "processes: 1" in run(*EXAMPLE, f"--save={alone}")
    assert "processes: 2" in run_together(*EXAMPLE, f"--save={together}")
    want, got = torch.load(alone), torch.load(together)
    assert list(got) == list(want)
    assert {weight.dtype for weight in got.values()} == {torch.float64}
    torch.testing.assert_close(got, want, rtol=1e-11, atol=1e-13)


# Sharded parameters come and go: torch takes their memory back when a call is over.
SHARDED = """
import torch
import torch.distributed as dist
from torch.distributed.fsdp import FSDPModule, FullyShardedDataParallel, fully_shard
from rnnfast.interop.torch import kernel_calls, swap, swap_back


class Own(torch.nn.LSTM):
    pass


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.one, self.two = Own(6, 8), torch.nn.GRU(8, 8, 2)
        self.cell, self.last = torch.nn.GRUCell(8, 8), torch.nn.Linear(8, 4)

    def forward(self, x):
        return self.last(self.cell(self.two(self.one(x)[0])[0][-1]))


def fully(model):
    for part in model.children():
        fully_shard(part)
    return fully_shard(model)


def by_wrapper(originals):
    cpu = torch.device("cpu")
    return lambda m: FullyShardedDataParallel(m, use_orig_params=originals, device_id=cpu)


def losses(swap_before, shard, swap_after):
    model = Model()
    if swap_before:
        swap(model)
    model = shard(model)
    if swap_after:
        assert len(swap(model).swapped) == 3
    torch.manual_seed(1)
    x, y = torch.randn(5, 4, 6), torch.randn(4, 4)
    x, y = (t.chunk(dist.get_world_size(), -2)[dist.get_rank()] for t in (x, y))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    seen, calls = [], kernel_calls()
    for _ in range(3):
        optimizer.zero_grad()
        loss = (model(x) - y).square().mean()
        loss.backward()
        optimizer.step()
        dist.all_reduce(loss.detach_())
        seen.append(loss / dist.get_world_size())
    with torch.no_grad():
        for _ in range(2):
            seen.append(model(x).sum())
    assert kernel_calls() - calls == (24 if swap_before or swap_after else 0)
    kinds = [m for m in model.modules() if isinstance(m, FSDPModule)]
    assert len(kinds) == (5 if shard is fully else 0)
    if swap_before or swap_after:
        assert len(swap_back(model).swapped) == 3
        assert [m for m in model.modules() if isinstance(m, FSDPModule)] == kinds
        calls = kernel_calls()
        torch.testing.assert_close(model(x).sum(), seen[-1])
        assert kernel_calls() == calls
    return torch.stack([t.detach() for t in seen])


torch.set_num_threads(1)
dist.init_process_group("gloo")
for shard in (fully, by_wrapper(True), by_wrapper(False)):
    want = losses(False, shard, False)
    for before in (True, False):
        torch.testing.assert_close(losses(before, shard, not before), want)
swapped, x = Model(), torch.randn(5, 2, 6)
swap(swapped)
compiled = torch.compile(fully(swapped), backend="aot_eager")
for _ in range(2):
    compiled(x).sum().backward()
torch.testing.assert_close(compiled(x), Model()(x))
print("the same")
dist.destroy_process_group()
"""


def test_shards_of_a_swapped_model(tmp_path):
    program = tmp_path / "sharded.py"
    program.write_text(SHARDED, encoding="utf-8")
    assert run(*TORCHRUN, str(program)).count("the same") == 2


WORKERS = """
import torch
from rnnfast.interop.torch import LSTM, kernel_calls

torch.set_num_threads(2)
features = LSTM(16, 64)


class Encoded(torch.utils.data.Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, i):
        x = torch.full((40, 8, 16), float(i))
        y, _ = features(x)
        y.sum().backward()
        with torch.no_grad():
            return features(x)[0][-1]


def main():
    data = Encoded()
    here = [data[i] for i in range(8)]  # the threads of this process have been at work
    for _ in range(2):
        loader = torch.utils.data.DataLoader(
            data, num_workers=2, multiprocessing_context="fork", timeout=60
        )
        for i, there in enumerate(loader):
            torch.testing.assert_close(there[0], here[i])
        data[0]  # and can go on
    print("passes here:", kernel_calls())


main()
"""


def test_forked_workers_do_not_hang():
    assert "passes here: 30" in run("-W", "ignore", "-c", WORKERS)


FORKED = """
import os
import torch
from rnnfast.interop.torch import LSTM

torch.set_num_threads(2)
module, x = LSTM(64, 128), torch.randn(100, 32, 64)


def everything():
    y = module(x)[0]
    y.sum().backward()
    gradient = module.weight_hh_l0.grad.clone()
    module.zero_grad()
    return y.detach(), gradient


# OpenMP's threads are there, and none of our own: the thread that imports us shares torch's.
torch.randn(4_000_000).sin().sum()
want = everything()
child = os.fork()
if child == 0:
    with torch.no_grad():  # compared by NumPy: torch's own operations would wait for OpenMP
        same = (module(x)[0].numpy() == want[0].numpy()).all()
    os._exit(0 if same else 3)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert all(map(torch.equal, everything(), want))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_computes():
    run("-W", "ignore", "-c", FORKED)
