"""A training call of PyTorch's modules on small sizes, where what is around the kernels counts.

    step = module(x), its results' gradients pulled back, gradients forgotten

It is held beside the same step of torch's own module, and beside that of an empty autograd
function: one in Python that saves as many tensors, and makes as many results and gradients, without
computing any. All take one thread, and processor time is compared, within each round.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial
from time import process_time
from typing import Any

from ..peers import Ours, Unable
from ..peers.peer import import_host
from ..timing import Call
from .modules import both
from .ratios import BoundedRatio

__all__ = ["beside_an_empty_function"]

# T, B, H; I = H. Torch's time / ours, and ours / the empty function's.
_BOUNDS = {
    ("LSTM", (1, 1, 1)): (3.0, 1.4),
    ("GRU", (1, 1, 1)): (2.0, 1.4),
    ("LSTM", (20, 8, 32)): (1.8, 4.0),
    ("GRU", (20, 8, 32)): (8.0, 4.0),
    ("LSTMCell", (1, 1)): (1.5, 1.4),
    ("GRUCell", (1, 1)): (1.5, 1.4),
}
_CALLS = 200  # of a round
_WARM_UP = 20


def beside_an_empty_function(_: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare steps of training with torch's and with those of an autograd function without work.

    Parameters
    ----------
    _ : Ours
        rnnfast; this look takes one thread, whatever it has.
    rounds : int
        Turns of each.

    Returns
    -------
    list of BoundedRatio
        None if torch is not installed.
    """
    try:
        torch = import_host("torch")
    except Unable:
        return []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return [
            ratio
            for (kind, sizes), bounds in _BOUNDS.items()
            for ratio in _beside(torch, kind, sizes, bounds, rounds)
        ]
    finally:
        torch.set_num_threads(threads)


def _beside(
    torch: Any, kind: str, sizes: tuple[int, ...], bounds: tuple[float, float], rounds: int
) -> list[BoundedRatio]:
    module, swapped = both(torch, getattr(torch.nn, kind)(sizes[-1], sizes[-1]))
    x = torch.randn(*sizes[:-1], sizes[-1])
    results, own_results = (torch.utils._pytree.tree_leaves(one(x)) for one in (module, swapped))
    torch.testing.assert_close(own_results, results)
    weights = list(module.parameters())
    empty = partial(_empty_function(torch, [one.shape for one in results]).apply, x, *weights)
    steps = {
        "theirs": _step(torch, module, partial(module, x)),
        "own": _step(torch, swapped, partial(swapped, x)),
        "empty": _step(torch, module, empty),
    }
    for name in ("theirs", "own"):
        steps[name]()
    played = [{name: _seconds(step) for name, step in steps.items()} for _ in range(rounds)]
    about = f"{kind} training {'/'.join(map(str, sizes))}, processor time"
    times_torchs, times_empty = (
        statistics.median(times[a] / times[b] for times in played)
        for a, b in (("theirs", "own"), ("own", "empty"))
    )
    of_torchs, of_empty = bounds
    return [
        BoundedRatio(f"torch's / ours, {about}", times_torchs, "at least", of_torchs),
        BoundedRatio(f"ours / an empty function's, {about}", times_empty, "at most", of_empty),
    ]


def _step(torch: Any, module: Any, forward: Callable[[], Any]) -> Call:
    weights = list(module.parameters())
    y, *_ = torch.utils._pytree.tree_leaves(forward())
    above = torch.ones_like(y)

    def step() -> None:
        found = forward()
        y = found[0] if isinstance(found, tuple) else found
        y.backward(above)
        for weight in weights:
            weight.grad = None

    return step


def _empty_function(torch: Any, shapes: list[Any]) -> Any:
    class Empty(torch.autograd.Function):  # type: ignore[misc]  # torch is not looked into
        @staticmethod
        def forward(ctx: Any, *tensors: Any) -> Any:
            ctx.save_for_backward(*tensors)
            ctx.set_materialize_grads(False)
            return tuple(map(torch.empty, shapes))

        @staticmethod
        def backward(ctx: Any, *_: Any) -> Any:
            _, *weights = ctx.saved_tensors
            return (None, *map(torch.empty_like, weights))

    return Empty


def _seconds(step: Call) -> float:
    for _ in range(_WARM_UP):
        step()
    begin = process_time()
    for _ in range(_CALLS):
        step()
    return (process_time() - begin) / _CALLS
