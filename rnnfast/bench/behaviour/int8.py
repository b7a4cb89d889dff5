"""Inference in bytes beside float32 and ONNX Runtime, and what it costs a character model."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import exp
from typing import Any, NamedTuple

import numpy as np

from rnnfast import QuantizedWeight, num_threads, prepack

from ...functional.prepacked import Prepacked
from ..peers import Ours, Unable
from ..peers.peer import import_host
from ..timing import Call
from .ratios import BoundedRatio, medians

__all__ = [
    "AGREEMENT",
    "SEQUENCES",
    "Sequence",
    "beside_float32",
    "beside_onnxruntime",
    "character_model",
    "model_of",
]

_SIZES = (256, 384, 512)  # of H and of I
_OF_FLOAT32 = 2.5
_OF_ONNXRUNTIME = 1.3
_BYTES = 0.26
_PERPLEXITY = 1.01
# ONNX Runtime has one scale for what it multiplies, we one for each row; of one row they differ by
# where h is rounded.
AGREEMENT = 2.0**-5


class Sequence(NamedTuple):
    """One sequence through an LSTM of as many inputs as units."""

    steps: int
    units: int
    directions: int

    def __str__(self) -> str:
        """Return the sizes."""
        both = ", both directions" if self.directions == 2 else ""
        return f"LSTM T{self.steps} B1 H{self.units}{both}"

    def x(self) -> Any:
        """Return the input."""
        shape = (self.steps, 1, self.units)
        return np.random.default_rng(0).standard_normal(shape).astype(np.float32)

    def weights(self) -> list[dict[str, Any]]:
        """Return those of each direction, gates i f g o: whole numbers, and biases."""
        rng = np.random.default_rng(1)
        rows = 4 * self.units
        scale = self.units**-0.5 / 127
        return [
            {
                **{
                    name: QuantizedWeight(
                        rng.integers(-127, 127, (rows, self.units), np.int8, endpoint=True), scale
                    )
                    for name in ("w_ih", "w_hh")
                },
                "b_ih": rng.uniform(-0.1, 0.1, rows).astype(np.float32),
            }
            for _ in range(self.directions)
        ]


SEQUENCES = tuple(Sequence(t, h, d) for d in (1, 2) for h in _SIZES for t in (13, 100))


def beside_float32(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare packed cells in bytes with those in float32, by time and by memory.

    Parameters
    ----------
    ours : Ours
        rnnfast.
    rounds : int
        Turns of each.

    Returns
    -------
    list of BoundedRatio
    """
    found = []
    for case in SEQUENCES:
        x = case.x()
        packed = {name: _packed(case, precision=name) for name in ("int8", "float32")}
        calls: dict[str, Call] = {name: partial(cell, x) for name, cell in packed.items()}
        with num_threads(ours.threads):
            times = medians(calls, rounds)
        ratio = times["float32"] / times["int8"]
        about = f"time in float32 / int8, {case} ({times['int8'] * 1e6:.0f} us)"
        found.append(BoundedRatio(about, ratio, "at least", _OF_FLOAT32))
        if case.directions == 1 and case.steps == 13:
            ratio = _bytes(packed["int8"]) / _bytes(packed["float32"])
            about = f"packed bytes, int8 / float32, {case}"
            found.append(BoundedRatio(about, ratio, "at most", _BYTES))
    return found


def beside_onnxruntime(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare with ONNX Runtime's DynamicQuantizeLSTM, with the same whole numbers.

    Parameters
    ----------
    ours : Ours
        rnnfast; ONNX Runtime has as many threads.
    rounds : int
        Turns of each.

    Returns
    -------
    list of BoundedRatio
        None if onnxruntime or onnx is not installed.
    """
    try:
        runtime = import_host("onnxruntime")
        import_host("onnx")
    except Unable:
        return []
    found = []
    for case in SEQUENCES:
        x = case.x()
        session = _session(runtime, case, ours.threads)
        own = _packed(case)
        theirs = session.run(None, {"x": x})[0].swapaxes(1, 2).reshape(case.steps, 1, -1)
        error = np.abs(own(x).y - theirs).max()
        if error > AGREEMENT:
            raise AssertionError(f"onnxruntime differs by {error} at {case}")
        calls: dict[str, Call] = {
            "ours": partial(own, x),
            "theirs": partial(session.run, None, {"x": x}),
        }
        with num_threads(ours.threads):
            times = medians(calls, rounds)
        about = f"onnxruntime's time / ours, int8, {case} ({times['ours'] * 1e6:.0f} us)"
        ratio = times["theirs"] / times["ours"]
        found.append(BoundedRatio(about, ratio, "at least", _OF_ONNXRUNTIME))
    return found


def character_model(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Train a character model, and compare its perplexity in bytes with that in float32.

    Parameters
    ----------
    ours : Ours
        rnnfast.
    rounds : int
        Not used: it is the same each time.

    Returns
    -------
    list of BoundedRatio
    """
    from ... import losses, optimizers, utils
    from ...examples import char_lm, text

    corpus = char_lm.prepare(text.python_documentation()[:400_000], 64)
    x, y = text.windows(corpus.training, 64)
    x_val, y_val = text.equal_windows(corpus.validation, 512)
    utils.set_random_seed(0)
    model = char_lm.build("lstm", len(corpus.alphabet), 64, 256, depth=1, dropout=0.0)
    model.compile(
        optimizers.Adam(2e-3, global_clipnorm=1.0),
        losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    model.fit(x, y, batch_size=32, epochs=3, verbose=0)
    exact = exp(float(np.asarray(model.evaluate(x_val, y_val, verbose=0))))
    ratio = _perplexity_in_bytes(model, x_val, y_val) / exact
    about = f"perplexity of a character model in int8 / in float32 ({exact:.2f})"
    return [BoundedRatio(about, ratio, "at most", _PERPLEXITY)]


def _perplexity_in_bytes(model: Any, x: Any, y: Any) -> float:
    """Return the perplexity of embedding, LSTM and projection, the LSTM in bytes."""
    (table,), (w_ih, w_hh, bias), (kernel, dense_bias) = (
        layer.get_weights() for layer in model.layers if layer.get_weights()
    )
    cell = prepack("lstm", w_ih.T, w_hh.T, bias, precision="int8")  # gates i f g o, as Keras's
    hidden = cell(table[x], batch_first=True).y
    logits = hidden.reshape(-1, len(kernel)) @ kernel + dense_bias
    logits -= logits.max(axis=1, keepdims=True)
    chosen = np.take_along_axis(logits, np.asarray(y).reshape(-1, 1), 1)[:, 0]
    return exp(float((np.log(np.exp(logits).sum(axis=1)) - chosen).mean()))


def _packed(case: Sequence, **options: Any) -> Prepacked[Any, Any]:
    weights: Mapping[str, Any] = {
        name: [one[name] for one in case.weights()] for name in ("w_ih", "w_hh", "b_ih")
    }
    return prepack("lstm", **weights, bidirectional=case.directions == 2, **options)


def _bytes(cell: Prepacked[Any, Any]) -> int:
    return sum(one.nbytes for one in cell._packed)


def model_of(case: Sequence) -> bytes:
    """Return a serialized model of one DynamicQuantizeLSTM, with the same whole numbers.

    Parameters
    ----------
    case : Sequence
        Its sizes.

    Returns
    -------
    bytes
        It takes x and gives y.
    """
    from onnx import TensorProto, helper, numpy_helper

    order = (0, 3, 1, 2)  # of ONNX's gates i o f c among ours
    units = case.units
    arrays: dict[str, Any] = {}
    for name, ours in (("W", "w_ih"), ("R", "w_hh")):
        each = [one[ours] for one in case.weights()]
        values = [np.concatenate([np.split(one.values, 4)[i] for i in order]).T for one in each]
        arrays[name] = np.stack(values)
        arrays[f"{name}_scale"] = np.stack([one.scale for one in each])  # all alike
        arrays[f"{name}_zero_point"] = np.zeros((case.directions, 4 * units), np.int8)
    biases = [
        np.concatenate([np.split(one["b_ih"], 4)[i] for i in order]) for one in case.weights()
    ]
    arrays["B"] = np.concatenate([np.stack(biases), np.zeros_like(np.stack(biases))], axis=1)
    inputs = ["x", "W", "R", "B", "", "", "", ""]
    inputs += ["W_scale", "W_zero_point", "R_scale", "R_zero_point"]
    node = helper.make_node(
        "DynamicQuantizeLSTM",
        inputs,
        ["y"],
        domain="com.microsoft",
        hidden_size=units,
        direction="bidirectional" if case.directions == 2 else "forward",
    )
    graph = helper.make_graph(
        [node],
        "node",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, case.x().shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.ascontiguousarray(a), name) for name, a in arrays.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    serialized: bytes = model.SerializeToString()
    return serialized


def _session(runtime: Any, case: Sequence, threads: int) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    return runtime.InferenceSession(model_of(case), options, ["CPUExecutionProvider"])
