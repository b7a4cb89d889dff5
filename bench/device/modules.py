"""Modules of `rnnfast.interop.torch` on a GPU: right, replayed, compiled, and timed beside torch's.

    python3 bench/device/modules.py [--device cuda] [--times]

Wants PyTorch, and rnnfast with its extension. Results and gradients are compared with torch's own
in float64 on the host; a line a check, and the exit status says whether all passed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch.nn.utils.rnn import pack_padded_sequence

from rnnfast.interop import torch as ours

KINDS = ("RNN", "LSTM", "GRU")
FORMS: tuple[dict[str, Any], ...] = (
    {},
    {"bidirectional": True, "num_layers": 2},
    {"batch_first": True, "bias": False},
)
# How far a number may be off, of the largest of its tensor or 1.
TOLERANCES = {torch.float64: 1e-11, torch.float32: 1e-4, torch.float16: 0.02, torch.bfloat16: 0.1}
failed = False


def told(what: str, off: float, allowed: float) -> None:
    """Print a check."""
    global failed
    wrong = not off <= allowed
    failed |= wrong
    print(f"{'WRONG' if wrong else 'right'},{what},{off:.2e},{allowed:.0e}", flush=True)


def off(got: list[torch.Tensor], wanted: list[torch.Tensor]) -> float:
    """Return the largest difference, of the largest number of each tensor or 1."""
    return max(
        ((a.double().cpu() - b.double().cpu()).abs().max() / max(1, b.abs().max())).item()
        for a, b in zip(got, wanted, strict=True)
    )


def pulled(module: Any, x: torch.Tensor, given: Any) -> list[torch.Tensor]:
    """Return results, and gradients of a sum of them, of a module."""
    y, states = module(given)
    y = y.data if isinstance(y, torch.nn.utils.rnn.PackedSequence) else y
    found = [y, *(states if isinstance(states, tuple) else (states,))]
    total = sum((one.double().square().sum() for one in found), torch.zeros((), device=x.device))
    return [*found, *torch.autograd.grad(total, [x, *module.parameters()])]


def check_modules(device: torch.device, dtype: torch.dtype) -> None:
    """Compare every kind and form with torch's in float64."""
    for kind in KINDS:
        for form in FORMS:
            torch.manual_seed(1)
            exact = getattr(torch.nn, kind)(20, 33, **form).double()
            own = getattr(ours, kind)(20, 33, **form).to(device, dtype)
            own.load_state_dict(exact.state_dict())
            exact.load_state_dict(own.state_dict())  # the same numbers, rounded
            x = torch.randn(9, 5, 20, dtype=dtype)
            for lengths in (None, [9, 7, 7, 2, 1]):
                if lengths is not None and "batch_first" in form:
                    continue
                both = []
                for module, there in ((own, x.to(device)), (exact, x.double())):
                    there.requires_grad_()
                    given = there if lengths is None else pack_padded_sequence(there, lengths)
                    both.append(pulled(module, there, given))
                told(f"{kind} {dtype} {form} {lengths}", off(*both), TOLERANCES[dtype])


def check_graph(device: torch.device) -> None:
    """Compare a replay, with other numbers, with a call; and see that masks are others."""
    module = ours.LSTM(20, 33, 2, bidirectional=True, dropout=0.5).to(device).eval()
    x = torch.randn(9, 5, 20, device=device, requires_grad=True)
    side = torch.cuda.Stream(device)
    with torch.cuda.stream(side):
        for _ in range(3):
            pulled(module, x, x)
    torch.cuda.synchronize(device)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        recorded = pulled(module, x, x)
    for _ in range(3):
        with torch.no_grad():
            x.normal_()
            for weight in module.parameters():
                weight.mul_(0.9)
        graph.replay()
        told("a replay", off(recorded, pulled(module, x, x)), 1e-5)
    module.train()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        y, _ = module(x)
    drawn = []
    for _ in range(2):
        graph.replay()
        drawn.append(y.detach().clone())
    told("the same masks in two replays", float(torch.equal(*drawn)), 0.0)


def check_compiled(device: torch.device, mode: str) -> None:
    """Compare a compiled module with itself."""
    module = ours.GRU(20, 33, 2).to(device)
    compiled = torch.compile(module, fullgraph=True, mode=mode)
    for _ in range(4):
        x = torch.randn(9, 5, 20, device=device, requires_grad=True)
        got = [one.clone() for one in pulled(compiled, x, x)]
        told(f"compiled, {mode}", off(got, pulled(module, x, x)), 1e-5)


def time_both(device: torch.device) -> None:
    """Print milliseconds of torch's and ours, forward and with backward, as calls."""
    torch.backends.cudnn.allow_tf32 = False
    sizes = ((1024, 16, 768), (50, 64, 512), (100, 1, 256), (200, 32, 128))
    for kind in KINDS:
        for steps, rows, units in sizes:
            for dtype in (torch.float32, torch.float16, torch.bfloat16):
                x = torch.randn(steps, rows, units, device=device, dtype=dtype, requires_grad=True)
                for whose in (torch.nn, ours):
                    module = getattr(whose, kind)(units, units).to(device, dtype)
                    name = f"{kind},{steps},{rows},{units},{dtype},{whose.__name__}"
                    forward = milliseconds(lambda m=module, x=x: m(x))
                    both = milliseconds(lambda m=module, x=x: pulled(m, x, x))
                    print(f"{name},{forward:.3f},{both:.3f}", flush=True)


def milliseconds(call: Callable[[], object]) -> float:
    """Return the median time of a call on the device."""
    for _ in range(3):
        call()
    times = []
    for _ in range(10):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        call()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end))
    return sorted(times)[5]


def main() -> int:
    """Run all checks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--times", action="store_true")
    options = parser.parse_args()
    device = torch.device(options.device)
    before = ours.kernel_calls()
    for dtype in TOLERANCES:
        if device.type == "cuda" or dtype is not torch.float16:
            check_modules(device, dtype)
    if device.type == "cuda":
        check_graph(device)
        for mode in ("default", "reduce-overhead"):
            check_compiled(device, mode)
    told("torch ran it, not the kernels", float(ours.kernel_calls() == before), 0.0)
    if options.times:
        time_both(device)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
