"""What a GPU's own libraries take for recurrent networks: times to beat, and to plan drivers by.

cuDNN through PyTorch, forward and in training, in each type, ragged batches as packed sequences;
and the product of a step by cuBLAS, many of them in a CUDA graph. A line of CSV for each case,
written as it comes:

    python bench/device/anchors.py > anchors.csv
"""

import argparse
import itertools
import statistics
import time
from collections.abc import Callable, Iterator

import torch

# B, T, H; inputs are as wide as the state
SHAPES = [(16, 1024, 768), (64, 50, 512), (1, 100, 256), (32, 200, 128)]
RAGGED = (32, 200, 128)
TINY = [(2, 3, 8)]
CELLS = {"lstm": (torch.nn.LSTM, 4), "gru": (torch.nn.GRU, 3), "rnn": (torch.nn.RNN, 1)}
# name: type, whether products of float32 may be made in tf32
TYPES = {
    "float16": (torch.float16, False),
    "bfloat16": (torch.bfloat16, False),
    "float32": (torch.float32, False),
    "float32 by tf32": (torch.float32, True),
}


def allow_tf32(allowed: bool) -> None:
    torch.backends.cudnn.allow_tf32 = allowed
    torch.backends.cuda.matmul.allow_tf32 = allowed


def seconds(run: Callable[[], object], device: str) -> float:
    if device == "cpu":
        begun = time.perf_counter()
        run()
        return time.perf_counter() - begun
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    run()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) / 1000


def quartiles(run: Callable[[], object], device: str, budget: float) -> tuple[float, float, float]:
    """Of the milliseconds of a run, after three that do not count; nine runs at least."""
    for _ in range(3):
        run()
    times: list[float] = []
    while len(times) < 9 or (sum(times) < budget and len(times) < 200):
        times.append(1000 * seconds(run, device))
    low, middle, high = statistics.quantiles(times, n=4)
    return low, middle, high


def networks(
    cell: str, shape: tuple[int, int, int], kind: torch.dtype, device: str, ragged: bool
) -> Iterator[tuple[str, Callable[[], object]]]:
    """A forward pass, and one with its gradients."""
    rows, steps, units = shape
    network = CELLS[cell][0](units, units).to(device=device, dtype=kind)
    x = torch.randn(steps, rows, units, device=device, dtype=kind, requires_grad=True)
    dy = torch.randn(steps, rows, units, device=device, dtype=kind)
    packed, d_packed = x, dy
    if ragged:
        lengths = torch.linspace(1, steps, rows).round().long().flip(0)
        pack = torch.nn.utils.rnn.pack_padded_sequence
        packed, d_packed = pack(x, lengths), pack(dy, lengths).data

    def forward() -> object:
        with torch.no_grad():
            return network(packed)

    def training() -> None:
        network.zero_grad(set_to_none=True)
        x.grad = None
        given = packed
        if ragged:
            given = torch.nn.utils.rnn.pack_padded_sequence(x, lengths)
        y = network(given)[0]
        (y.data if ragged else y).backward(d_packed)

    yield "forward", forward
    yield "training", training


def products(
    cell: str, shape: tuple[int, int, int], kind: torch.dtype, device: str
) -> Callable[[], object]:
    """A hundred recurrent products, one after the other, in a graph where there are graphs."""
    rows, _, units = shape
    h = torch.randn(rows, units, device=device, dtype=kind)
    weights = torch.randn(CELLS[cell][1] * units, units, device=device, dtype=kind)
    slots = torch.empty(rows, CELLS[cell][1] * units, device=device, dtype=kind)

    def run() -> None:
        for _ in range(100):
            torch.mm(h, weights.t(), out=slots)

    if device == "cpu":
        return run
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        run()
    stream.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    return graph.replay


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="one small shape, to see that it runs")
    parser.add_argument("--budget", type=float, default=0.2, help="seconds to time a case for")
    options = parser.parse_args()
    shapes = TINY if options.tiny else SHAPES
    ragged = TINY[0] if options.tiny else RAGGED
    device = options.device

    if device == "cuda":
        print(f"# {torch.cuda.get_device_name()}", end=", ")
    print(f"# torch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}")
    print("what,cell,type,B,T,H,low ms,median ms,high ms", flush=True)

    def report(what: str, cell: str, kind: str, shape: tuple[int, int, int], times) -> None:
        rows, steps, units = shape
        numbers = ",".join(f"{ms:.4f}" for ms in times)
        print(f"{what},{cell},{kind},{rows},{steps},{units},{numbers}", flush=True)

    def attempt(what: str, cell: str, kind: str, shape, make) -> None:
        try:
            report(what, cell, kind, shape, quartiles(make(), device, options.budget))
        except RuntimeError as error:
            print(f"# {what} {cell} {kind} {shape}: {str(error).splitlines()[0]}", flush=True)

    for (kind, (dtype, tf32)), cell in itertools.product(TYPES.items(), CELLS):
        allow_tf32(tf32)
        for shape in shapes:
            for what, run in networks(cell, shape, dtype, device, ragged=False):
                attempt(what, cell, kind, shape, lambda run=run: run)
        for what, run in networks(cell, ragged, dtype, device, ragged=True):
            attempt(f"{what} ragged", cell, kind, ragged, lambda run=run: run)
    for (kind, (dtype, tf32)), cell in itertools.product(TYPES.items(), CELLS):
        allow_tf32(tf32)
        for shape in shapes:
            attempt(
                "100 products in a graph",
                cell,
                kind,
                shape,
                lambda cell=cell, shape=shape, dtype=dtype: products(cell, shape, dtype, device),
            )


if __name__ == "__main__":
    main()
