"""onnxruntime: a model of one RNN, LSTM or GRU operator on the CPU provider.

As its pages on threading and on I/O binding recommend for speed: the weights are constants of the
model, which the session packs when it is made; inputs and outputs are bound to memory once, so
that a call copies nothing; spinning stays allowed, which is its default.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnfast.testing.cells import Arguments, Array, Cell

from ..cases import Case
from .onnx_model import OUTPUTS, given_states, has_operator, recurrent_model
from .peer import Job, Peer, Unable, import_host

__all__ = ["OnnxRuntime"]


class OnnxRuntime(Peer):
    """An `onnxruntime.InferenceSession`.

    Parameters
    ----------
    threads : int
        Threads that it uses, asserted.
    """

    name = "onnxruntime"

    def __init__(self, threads: int) -> None:
        self._runtime = import_host("onnxruntime")
        self.version = self._runtime.__version__
        self._threads = threads

    def prepare(self, case: Case, inputs: Arguments) -> Job:
        """Make a session of the model, and bind its inputs and outputs."""
        return self.prepare_callers(case, inputs, 1)[0]

    def prepare_callers(self, case: Case, inputs: Arguments, callers: int) -> list[Job]:
        """Make one session for all, and bind memory of its own for each."""
        if case.mode == "training":
            raise Unable("onnxruntime computes no gradients")
        cell = case.cell
        if not has_operator(cell):
            raise Unable(f"onnxruntime has no {cell}")
        wanted = cell.outputs[1:] if case.mode == "step" else cell.outputs
        session = self._session(recurrent_model(cell, inputs, wanted))
        return [self._bound(session, cell, inputs, wanted) for _ in range(callers)]

    def _bound(self, session: Any, cell: Cell, inputs: Arguments, wanted: tuple[str, ...]) -> Job:
        value = self._runtime.OrtValue.ortvalue_from_numpy
        binding = session.io_binding()
        steps, rows, input_size = inputs["x"].shape
        binding.bind_ortvalue_input("x", value(inputs["x"]))
        for state in given_states(cell, inputs):
            binding.bind_ortvalue_input(state, value(inputs[state][None]))
        bound = {}
        for name in wanted:
            shape = cell.shape(name, steps, rows, input_size, inputs["w_hh"].shape[1])
            bound[name] = value(np.empty((*shape[:-2], 1, *shape[-2:]), np.float32))
            binding.bind_ortvalue_output(OUTPUTS[name], bound[name])

        def call() -> None:
            session.run_with_iobinding(binding)

        def results(_: None) -> dict[str, Array]:
            return {name: output.numpy().squeeze(-3) for name, output in bound.items()}

        return Job(call, results)

    def _session(self, model: bytes) -> Any:
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "1")
        session = self._runtime.InferenceSession(model, options, ["CPUExecutionProvider"])
        if session.get_session_options().intra_op_num_threads != self._threads:
            raise Unable(f"{self._threads} threads are wanted, onnxruntime takes no other number")
        return session
