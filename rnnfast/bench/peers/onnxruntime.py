"""onnxruntime: a model of one RNN, LSTM or GRU operator on the CPU provider.

As its pages on threading and on I/O binding recommend for speed: the weights are constants of the
model, which the session packs when it is made; inputs and outputs are bound to memory once, so
that a call copies nothing; spinning stays allowed, which is its default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnfast.testing.cells import Arguments, Array, Cell

from ..cases import Case
from .onnx_model import OUTPUTS, bidirectional_model, given_states, has_operator, recurrent_model
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
        given = {name: inputs[name][None] for name in given_states(cell, inputs)}
        return [
            self._bound(session, {"x": inputs["x"], **given}, self._shapes(cell, inputs, wanted, 1))
            for _ in range(callers)
        ]

    def prepare_both(self, cell: Cell, forward: Arguments, reverse: Arguments) -> Job:
        """Make a session of a layer in both directions.

        Parameters
        ----------
        cell : Cell
            Of both directions.
        forward, reverse : mapping of str to ndarray
            Weights and biases of each direction; x is that of `forward`.

        Returns
        -------
        Job
            Inference from states of zero, with the results of the functions: y is (T, B, 2*H).
        """
        session = self._session(bidirectional_model(cell, forward, reverse, cell.outputs))
        shapes = self._shapes(cell, forward, cell.outputs, 2)
        return self._bound(session, {"x": forward["x"]}, shapes)

    def _shapes(
        self, cell: Cell, inputs: Arguments, wanted: tuple[str, ...], directions: int
    ) -> dict[str, tuple[int, ...]]:
        """Return the shapes of results as ONNX has them, (T, D, B, H) and (D, B, H)."""
        steps, rows, input_size = inputs["x"].shape
        ours = {
            name: cell.shape(name, steps, rows, input_size, inputs["w_hh"].shape[1])
            for name in wanted
        }
        return {name: (*of[:-2], directions, *of[-2:]) for name, of in ours.items()}

    def _bound(
        self, session: Any, given: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]
    ) -> Job:
        value = self._runtime.OrtValue.ortvalue_from_numpy
        binding = session.io_binding()
        for name, array in given.items():
            binding.bind_ortvalue_input(name, value(array))
        bound = {}
        for name, shape in shapes.items():
            bound[name] = value(np.empty(shape, np.float32))
            binding.bind_ortvalue_output(OUTPUTS[name], bound[name])

        def call() -> None:
            session.run_with_iobinding(binding)

        def results(_: None) -> dict[str, Array]:
            return {name: _as_ours(output.numpy()) for name, output in bound.items()}

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


def _as_ours(result: Array) -> Array:
    """Return (T, D, B, H) as (T, B, D*H); (D, B, H) as it is, or as (B, H) in one direction."""
    if result.shape[-3] == 1:
        return result.squeeze(-3)
    if result.ndim == 3:
        return result
    return np.concatenate(np.moveaxis(result, -3, 0), axis=-1)
