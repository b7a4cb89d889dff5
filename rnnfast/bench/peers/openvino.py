"""OpenVINO: a model of one RNN, LSTM or GRU operator, compiled for the CPU.

As its pages on latency recommend: one stream, the hint LATENCY, inputs that are bound to memory
once; its precision is held to float32, which it would otherwise leave where the processor has
bfloat16.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from rnnfast.testing.cells import Arguments, Array

from ..cases import Case
from .onnx_model import OUTPUTS, given_states, has_operator, recurrent_model
from .peer import Job, Peer, Unable, import_host

__all__ = ["OpenVino"]


class OpenVino(Peer):
    """An `openvino.CompiledModel` on the device CPU.

    Parameters
    ----------
    threads : int
        Threads that it uses, asserted.
    """

    name = "openvino"

    def __init__(self, threads: int) -> None:
        self._openvino = import_host("openvino")
        self.version = self._openvino.__version__.split("-")[0]
        self._threads = threads
        self._core = self._openvino.Core()

    def prepare(self, case: Case, inputs: Arguments) -> Job:
        """Compile the model, and bind its inputs and outputs."""
        if case.mode == "training":
            raise Unable("openvino computes no gradients")
        cell = case.cell
        if not has_operator(cell):
            raise Unable(f"openvino has no {cell}")
        wanted = cell.outputs[1:] if case.mode == "step" else cell.outputs
        model = self._compiled(recurrent_model(cell, inputs, wanted), inputs)
        request = model.create_infer_request()
        tensor = self._openvino.Tensor
        request.set_tensor("x", tensor(inputs["x"], shared_memory=True))
        for state in given_states(cell, inputs):
            request.set_tensor(state, tensor(np.array(inputs[state][None]), shared_memory=False))

        def results(_: None) -> dict[str, Array]:
            return {
                name: np.array(request.get_tensor(OUTPUTS[name]).data.squeeze(-3))
                for name in wanted
            }

        return Job(request.infer, results)

    def _compiled(self, serialized: bytes, inputs: Arguments) -> Any:
        model = self._core.read_model(io.BytesIO(serialized))
        shapes = {"x": list(inputs["x"].shape)}
        for parameter in model.inputs[1:]:
            shapes[parameter.any_name] = [1, *inputs[parameter.any_name].shape]
        model.reshape(shapes)
        compiled = self._core.compile_model(
            model,
            "CPU",
            {
                "PERFORMANCE_HINT": "LATENCY",
                "NUM_STREAMS": "1",
                "INFERENCE_NUM_THREADS": self._threads,
                "INFERENCE_PRECISION_HINT": "f32",
            },
        )
        if compiled.get_property("INFERENCE_NUM_THREADS") != self._threads:
            raise Unable(f"{self._threads} threads are wanted, openvino takes no other number")
        return compiled
