"""Gradients of each sample: one backward pass beside a loop, and beside PyTorch's ways.

    python bench/per_sample.py                   on an idle machine
    python bench/per_sample.py --cpu-time        on a busy one: how long one thread works

An LSTM forward and backward, weight gradients alone, in float32. All contestants give
the same numbers, which is checked first; they take turns, and medians count. torch.func is
`vmap(grad(...))` over `nn.LSTM` where it runs, else, and beside it, over the equations.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.func import functional_call, grad, vmap

import rnnfast
from rnnfast.utils import initial_weights

NAMES = ("w_ih", "w_hh", "b_ih", "b_hh")
Gradients = list[np.ndarray[Any, Any]]


def contestants(T: int, B: int, H: int) -> dict[str, Callable[[], Any]]:
    """Return calls that each give the gradients of sum(dy y) by the four weights, (B, ...)."""
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, T, B, H)).astype(np.float32)
    weights = initial_weights("lstm", H, H, seed=0)

    def batch() -> Any:
        _, pullback = rnnfast.lstm_vjp(x, **weights, wrt=NAMES)
        return pullback(dy)

    def one_pass() -> Gradients:
        _, pullback = rnnfast.lstm_vjp(x, **weights, wrt=NAMES, per_sample=True)
        found = pullback(dy)
        return [getattr(found, name) for name in NAMES]

    def loop() -> Gradients:
        each = []
        for b in range(B):
            own = slice(b, b + 1)
            _, pullback = rnnfast.lstm_vjp(x[:, own], **weights, wrt=NAMES)
            each.append(pullback(dy[:, own]))
        return [np.stack([getattr(one, name) for one in each]) for name in NAMES]

    tensors = {name: torch.tensor(w) for name, w in weights.items()}
    rows, d_rows = (torch.tensor(a).transpose(0, 1).contiguous() for a in (x, dy))
    module = torch.nn.LSTM(H, H)
    of_module = dict(
        zip((name for name, _ in module.named_parameters()), tensors.values(), strict=True)
    )

    def loss_of_module(parameters: Any, x_b: Any, dy_b: Any) -> Any:
        y, _ = functional_call(module, parameters, (x_b[:, None],))
        return (y[:, 0] * dy_b).sum()

    def loss_of_equations(w: Any, x_b: Any, dy_b: Any) -> Any:
        products = x_b @ w["w_ih"].T + w["b_ih"] + w["b_hh"]
        h = c = torch.zeros(H)
        loss = torch.zeros(())
        for t in range(T):
            i, f, g, o = (products[t] + w["w_hh"] @ h).chunk(4)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            loss = loss + (h * dy_b[t]).sum()
        return loss

    def by_func(loss: Any, parameters: Any) -> Callable[[], Any]:
        of_all = vmap(grad(loss), in_dims=(None, 0, 0))
        return lambda: [*of_all(parameters, rows, d_rows).values()]

    def autograd_loop() -> list[Any]:
        leaves = [t.detach().requires_grad_() for t in of_module.values()]
        parameters = dict(zip(of_module, leaves, strict=True))
        each = [
            torch.autograd.grad(loss_of_module(parameters, rows[b], d_rows[b]), leaves)
            for b in range(B)
        ]
        return [torch.stack(of_one) for of_one in zip(*each, strict=True)]

    def by_opacus() -> list[Any]:
        for p in private.parameters():
            p.grad_sample = None
        y, _ = private(rows)
        (y * d_rows).sum().backward()
        return [p.grad_sample for p in map(dict(private.named_parameters()).get, order)]

    order = [f"_module.{name}" for name in of_module]
    private = opacus_lstm(H, of_module)
    opacus = {} if private is None else {"Opacus": by_opacus}
    return {
        "rnnfast, the batch's gradient": batch,
        "rnnfast, per_sample": one_pass,
        "rnnfast, a loop": loop,
        "torch.func over nn.LSTM": by_func(loss_of_module, of_module),
        "torch.func over equations": by_func(loss_of_equations, tensors),
        "PyTorch, a loop": autograd_loop,
        **opacus,
    }


def opacus_lstm(H: int, weights: dict[str, Any]) -> Any:  # I = H
    """Return Opacus's LSTM with these weights, None where it is not installed."""
    try:
        from opacus.grad_sample import GradSampleModule
        from opacus.layers import DPLSTM
    except ImportError:
        return None
    module = DPLSTM(H, H, batch_first=True)
    module.load_state_dict(weights)
    return GradSampleModule(module, batch_first=True, loss_reduction="sum")


def checked(calls: dict[str, Callable[[], Any]]) -> dict[str, Callable[[], Any]]:
    """Return those that run; all of them must agree."""
    want = calls["rnnfast, a loop"]()
    found = {}
    for name, call in calls.items():
        try:
            got = call()
        except (RuntimeError, NotImplementedError) as error:
            print(f"{name} does not run: {str(error).splitlines()[0]}")
            continue
        if "batch" not in name:
            for mine, one in zip(got, want, strict=True):
                np.testing.assert_allclose(np.asarray(mine), one, rtol=1e-3, atol=1e-4)
        found[name] = call
    return found


def main() -> None:
    """Time them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", default="50/32/64", help="T/B/H, and I = H")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cpu-time", action="store_true", help="of the process, not of the clock")
    options = parser.parse_args()
    T, B, H = map(int, options.sizes.split("/"))
    rnnfast.set_num_threads(options.threads)
    torch.set_num_threads(options.threads)
    clock = time.process_time if options.cpu_time else time.perf_counter
    calls = checked(contestants(T, B, H))
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(options.rounds):
        for name, call in calls.items():
            call()  # caches and threads are its own
            began = clock()
            call()
            seconds[name].append(clock() - began)
    ours = statistics.median(seconds["rnnfast, per_sample"])
    of = " of processor time" if options.cpu_time else ""
    print(f"T={T} B={B} I=H={H}, {options.threads} threads, ms{of}")
    for name, taken in seconds.items():
        low, median, high = statistics.quantiles(taken, n=4)
        between = f"({1e3 * low:.2f} to {1e3 * high:.2f})"
        print(f"{name:30}{1e3 * median:9.2f} {between:22}{median / ours:7.2f}")


if __name__ == "__main__":
    main()
