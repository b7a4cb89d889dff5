"""Models of a recurrent node, and what runs them."""

from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

from rnnfast.interop.onnx import InferenceSession, kernel_calls, report

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
INPUTS = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")
OUTPUTS = ("Y", "Y_h", "Y_c")
WEIGHTS = ("W", "R", "B", "P")

onnxruntime.set_default_logger_severity(4)


def node_of(op_type: str, names: Any, outputs: Any, **attributes: Any) -> onnx.NodeProto:
    """A node with the inputs and outputs of these names, others left out."""
    inputs = [name if name in names else "" for name in INPUTS]
    while not inputs[-1]:
        inputs.pop()
    return helper.make_node(op_type, inputs, list(outputs), name="node", **attributes)


def value(name: str, array: Any, shape: Any = None) -> onnx.ValueInfoProto:
    kind = helper.np_dtype_to_tensor_dtype(np.asarray(array).dtype)
    return helper.make_tensor_value_info(name, kind, shape)


def model_of(
    op_type: str,
    given: dict[str, Any],
    *,
    opset: int = 17,
    outputs: Any = None,
    constant: Any = WEIGHTS,
    **attributes: Any,
) -> tuple[onnx.ModelProto, dict[str, Any]]:
    """A model of one node, and what it is fed; `constant` are initializers."""
    if outputs is None:
        outputs = OUTPUTS[: 3 if op_type == "LSTM" else 2]
    feeds = {name: array for name, array in given.items() if name not in constant}
    graph = helper.make_graph(
        [node_of(op_type, given, outputs, **attributes)],
        "graph",
        [value(name, array, [None] * array.ndim) for name, array in feeds.items()],
        [value(name, given["X"]) for name in outputs if name],
        [numpy_helper.from_array(given[name], name) for name in given if name not in feeds],
    )
    return model(graph, opset), feeds


def model(graph: onnx.GraphProto, opset: int = 17) -> onnx.ModelProto:
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def operands(
    op_type: str,
    *,
    seed: int = 0,
    steps: int = 5,
    rows: int = 3,
    inputs: int = 4,
    units: int = 6,
    directions: int = 1,
    there: Any = ("B",),
    layout: int = 0,
    dtype: Any = np.float32,
) -> dict[str, Any]:
    """Random arrays of a node's inputs: X, W, R, and those that are `there`."""
    rng = np.random.default_rng(seed)
    gates = GATES[op_type] * units
    state = (rows, directions, units) if layout else (directions, rows, units)
    shapes = {
        "X": (rows, steps, inputs) if layout else (steps, rows, inputs),
        "W": (directions, gates, inputs),
        "R": (directions, gates, units),
        "B": (directions, 2 * gates),
        "initial_h": state,
        "initial_c": state,
        "P": (directions, 3 * units),
    }
    # Sums of so many that differences do not grow from step to step.
    scale = {"W": inputs**-0.5, "R": units**-0.5}
    arrays = {
        name: (rng.uniform(-1, 1, shapes[name]) * scale.get(name, 1)).astype(dtype)
        for name in ("X", "W", "R", *there)
        if name != "sequence_lens"
    }
    if "sequence_lens" in there:
        arrays["sequence_lens"] = rng.integers(0, steps + 1, rows).astype(np.int32)
    return arrays


def run_by_host(model: onnx.ModelProto, feeds: dict[str, Any]) -> list[Any]:
    """What ONNX Runtime computes by itself."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, feeds)


def run_by_kernels(model: onnx.ModelProto, feeds: dict[str, Any]) -> list[Any]:
    """The same with our operators, which must run."""
    session = InferenceSession(model.SerializeToString())
    assert not report(session).left
    before = kernel_calls()
    found = session.run(None, feeds)
    assert kernel_calls() > before
    return found


def assert_alike(found: Any, wanted: Any, tolerance: float = 2e-6) -> None:
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        if other is not None:
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)
