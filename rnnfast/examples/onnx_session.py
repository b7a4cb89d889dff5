"""An ONNX model, with and without our kernels: python -m rnnfast.examples.onnx_session.

A model of recurrent layers, as an exporter would write it, is run by ONNX Runtime as it is, and
with `rnnfast.interop.onnx.InferenceSession` in its place. Results and times are shown beside each
other. Then the weights of its first layer are read from the file and run as a stream, step by step,
without ONNX Runtime.

It needs onnx and onnxruntime.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnnfast.examples.command_line import Option, add_options, number

CELLS = {"lstm": 4, "gru": 3, "rnn": 1}
"""The operators, and how many gates each has."""

_ROUNDS = 15


def save_model(path: Path, cell: str, inputs: int, units: int, layers: int, seed: int = 0) -> None:
    """Write a model of layers: X (T, B, I) to Y (T, B, H), with random weights.

    Parameters
    ----------
    path : Path
        Where to.
    cell : {"lstm", "gru", "rnn"}
        The kind of layer.
    inputs, units : int
        I and H.
    layers : int
        How many.
    seed : int, default 0
        Of the weights.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(seed)
    nodes, weights = [], [numpy_helper.from_array(np.array([1]), "direction")]
    below, width = "X", inputs
    for layer in range(layers):
        rows = CELLS[cell] * units
        shapes: dict[str, tuple[int, ...]] = {
            "W": (rows, width),
            "R": (rows, units),
            "B": (2 * rows,),
        }
        for name, shape in shapes.items():
            array = rng.uniform(-1, 1, (1, *shape)).astype(np.float32) * units**-0.5
            weights.append(numpy_helper.from_array(array, f"{name}{layer}"))
        names = [below, *(f"{name}{layer}" for name in shapes)]
        called = f"layer{layer}"
        nodes.append(
            helper.make_node(cell.upper(), names, [f"all{layer}"], called, hidden_size=units)
        )
        # Y of a node is (T, 1, B, H).
        below, width = f"Y{layer}" if layer + 1 < layers else "Y", units
        nodes.append(helper.make_node("Squeeze", [f"all{layer}", "direction"], [below]))
    of = TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "layers",
        [helper.make_tensor_value_info("X", of, ["T", "B", inputs])],
        [helper.make_tensor_value_info("Y", of, ["T", "B", units])],
        weights,
    )
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)


def compare(path: Path, x: Any, threads: int) -> tuple[float, float, float]:
    """Run a model both ways.

    Parameters
    ----------
    path : Path
        The model.
    x : float32 array (T, B, I)
        What it is fed.
    threads : int
        Of each session.

    Returns
    -------
    difference : float
        The largest between two results.
    theirs, ours : float
        Median seconds of a call.
    """
    import onnxruntime

    from rnnfast.interop.onnx import InferenceSession, report

    def options() -> Any:
        chosen = onnxruntime.SessionOptions()
        chosen.intra_op_num_threads = threads
        return chosen

    theirs = onnxruntime.InferenceSession(path, options(), providers=["CPUExecutionProvider"])
    ours = InferenceSession(path, options(), providers=["CPUExecutionProvider"])
    print(report(ours))
    feeds = {"X": x}
    difference = np.abs(theirs.run(None, feeds)[0] - ours.run(None, feeds)[0]).max()
    return (
        float(difference),
        _seconds(lambda: theirs.run(None, feeds)),
        _seconds(lambda: ours.run(None, feeds)),
    )


def stream(path: Path, x: Any) -> float:
    """Run the first layer of a model on a stream of steps.

    Parameters
    ----------
    path : Path
        The model.
    x : float32 array (T, B, I)
        The steps.

    Returns
    -------
    float
        The largest difference to the whole sequence at once.
    """
    from rnnfast.interop.onnx import load

    cell = load(path)["layer0"].prepack()
    state = None
    for x_t in x:
        state = cell.step(x_t, state)
    h = state[0] if isinstance(state, tuple) else state
    return float(np.abs(h - cell(x)[0][-1]).max())


def _seconds(call: Callable[[], object]) -> float:
    """Return the median seconds of some calls, after others: pools spin after a call."""
    times = []
    for _ in range(2 * _ROUNDS):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times[_ROUNDS:])


def main(argv: Sequence[str] | None = None) -> None:
    """Make a model, run it both ways, and stream through its first layer."""
    parser = argparse.ArgumentParser(
        prog="onnx_session", description="An ONNX model, with and without us."
    )
    parser.add_argument("--cell", choices=CELLS, default="lstm", help="(default: %(default)s)")
    options: list[Option] = [
        ("--inputs", number(int, 1), 64, "I"),
        ("--units", number(int, 1), 256, "H"),
        ("--layers", number(int, 1), 2, "recurrent layers"),
        ("--steps", number(int, 1), 100, "T"),
        ("--batch-size", number(int, 1), 1, "B"),
        ("--threads", number(int, 1), 1, "threads of a session"),
    ]
    add_options(parser, options)
    chosen = parser.parse_args(argv)
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError as error:
        parser.exit(1, f"this program needs {error.name}: pip install onnx onnxruntime\n")
    shape = chosen.steps, chosen.batch_size, chosen.inputs
    x = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        save_model(path, chosen.cell, chosen.inputs, chosen.units, chosen.layers)
        difference, theirs, ours = compare(path, x, chosen.threads)
        print(f"largest difference      {difference:.1e}")
        print(f"ONNX Runtime by itself  {1e3 * theirs:.3f} ms")
        print(f"with our kernels        {1e3 * ours:.3f} ms, {theirs / ours:.2f} times as fast")
        print(f"streamed step by step   differs by {stream(path, x):.1e}")


if __name__ == "__main__":
    main()
