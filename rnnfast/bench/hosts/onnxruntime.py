"""ONNX Runtime beside us: sessions of a model that is one recurrent node.

    python -m rnnfast.bench.hosts.onnxruntime [--rounds 20] [--threads 2]

Before anything is timed, both sessions have given the same results. After a call a session's pool
spins, and would disturb another session: a turn begins once no thread runs, and its first calls do
not count.
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..behaviour import int8
from ..behaviour.ratios import BoundedRatio, medians, to_markdown

__all__ = ["beside_onnxruntime"]


class Case(NamedTuple):
    """A node, its sizes, and how many times as fast as ONNX Runtime it must be."""

    op_type: str
    steps: int
    rows: int
    units: int
    directions: int
    bound: float

    def __str__(self) -> str:
        """Return the operator and the sizes."""
        sizes = {"T": self.steps, "B": self.rows, "H": self.units, "D": self.directions}
        return " ".join([self.op_type, *(f"{letter}{size}" for letter, size in sizes.items())])


_CASES = (
    Case("LSTM", 100, 1, 256, 1, 1.1),
    Case("LSTM", 100, 32, 256, 1, 1.0),
    Case("GRU", 100, 1, 256, 1, 1.4),
    Case("GRU", 100, 32, 256, 1, 1.4),
    Case("RNN", 100, 1, 256, 1, 3.0),
    Case("RNN", 100, 32, 256, 1, 3.0),
    Case("LSTM", 20, 1, 512, 2, 1.0),
    Case("LSTM", 13, 1, 384, 2, 1.0),
    Case("LSTM", 1, 1, 128, 1, 1.0),
)

_GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
_IN_INT8 = 1.3  # of each DynamicQuantizeLSTM


def beside_onnxruntime(rounds: int, threads: int) -> list[BoundedRatio]:
    """Compare sessions with our operators with sessions without.

    Parameters
    ----------
    rounds : int
        Turns of each.
    threads : int
        Of a session.

    Returns
    -------
    list of BoundedRatio
    """
    found = []
    for case in _CASES:
        found.append(_ratio(str(case), *_model(case), 1e-4, case.bound, rounds, threads))
    for sequence in int8.SEQUENCES:
        found.append(
            _ratio(
                f"{sequence}, in int8",
                int8.model_of(sequence),
                {"x": sequence.x()},
                int8.AGREEMENT,
                _IN_INT8,
                rounds,
                threads,
            )
        )
    return found


def _ratio(
    what: str,
    model: bytes,
    feeds: dict[str, Any],
    agreement: float,
    bound: float,
    rounds: int,
    threads: int,
) -> BoundedRatio:
    import onnxruntime

    from ...interop.onnx import InferenceSession

    def session(kind: Any) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        return kind(model, options, providers=["CPUExecutionProvider"])

    sessions = {
        "theirs": session(onnxruntime.InferenceSession),
        "own": session(InferenceSession),
    }
    theirs, own = (one.run(None, feeds) for one in sessions.values())
    for found, wanted in zip(own, theirs, strict=True):
        np.testing.assert_allclose(found, wanted, atol=agreement)
    calls = {name: partial(one.run, None, feeds) for name, one in sessions.items()}
    times = medians(calls, rounds)
    about = f"ONNX Runtime's time / ours, {what}, {threads} threads"
    return BoundedRatio(about, times["theirs"] / times["own"], "at least", bound)


def _model(case: Case) -> tuple[bytes, dict[str, Any]]:
    """Return a serialized model of one node, as many inputs as units, and what it is fed."""
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    rows, units = _GATES[case.op_type] * case.units, case.units
    shapes = {"W": (rows, units), "R": (rows, units), "B": (2 * rows,)}
    weights = [
        numpy_helper.from_array(
            (rng.uniform(-1, 1, (case.directions, *shape)) * units**-0.5).astype(np.float32), name
        )
        for name, shape in shapes.items()
    ]
    outputs = ["Y", "Y_h", "Y_c"][: 3 if case.op_type == "LSTM" else 2]
    direction = "bidirectional" if case.directions == 2 else "forward"
    node = helper.make_node(
        case.op_type, ["X", *shapes], outputs, hidden_size=units, direction=direction
    )
    x = rng.standard_normal((case.steps, case.rows, units)).astype(np.float32)
    of = TensorProto.FLOAT
    graph = helper.make_graph(
        [node],
        "node",
        [helper.make_tensor_value_info("X", of, x.shape)],
        [helper.make_tensor_value_info(name, of, None) for name in outputs],
        weights,
    )
    opsets = [helper.make_opsetid("", 17)]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return made.SerializeToString(), {"X": x}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="rnnfast.bench.hosts.onnxruntime")
    parser.add_argument("--rounds", type=int, default=20, help="turns of each contestant")
    parser.add_argument("--threads", type=int, default=2, help="of each session")
    chosen = parser.parse_args()
    print(to_markdown(beside_onnxruntime(chosen.rounds, chosen.threads)), end="")


if __name__ == "__main__":
    main()
