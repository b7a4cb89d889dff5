"""PyTorch, eager: the modules of `torch.nn` on the CPU, where they call oneDNN if they can.

Inference runs under `torch.inference_mode`, a single step through the `*Cell` modules, which have
less to do around it. Training takes the gradients of x, the weights and the biases from autograd.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rnnfast.testing.cells import Arguments, Array, Cell

from ..cases import Case
from .peer import Job, Peer, Unable, import_host

__all__ = ["Torch"]

_MODULES = {"rnn_tanh": "RNN", "rnn_relu": "RNN", "lstm": "LSTM", "gru": "GRU"}
_WEIGHTS = {
    "w_ih": "weight_ih",
    "w_hh": "weight_hh",
    "b_ih": "bias_ih",
    "b_hh": "bias_hh",
}


class Torch(Peer):
    """`torch.nn.LSTM`, `GRU`, `RNN` and their cells.

    Parameters
    ----------
    threads : int
        Threads that it uses, asserted.
    """

    name = "torch"

    def __init__(self, threads: int) -> None:
        self._torch = import_host("torch")
        self.version = self._torch.__version__
        self._threads = threads
        self._torch.set_num_threads(threads)
        if self._torch.get_num_threads() != threads:
            raise Unable(f"{threads} threads are wanted, torch takes no other number")

    def prepare(self, case: Case, inputs: Arguments) -> Job:
        """Load the weights into a module."""
        if case.cell_name not in _MODULES:
            raise Unable(f"{self.name} has no {case.cell_name}")
        prepare = {"training": self._training, "inference": self._inference, "step": self._step}
        return prepare[case.mode](case.cell, inputs)

    def on_its_threads(self, call: Callable[[], Any]) -> Callable[[], Any]:
        """Return a call that sets the number first: it is the process's."""

        def run() -> Any:
            self._torch.set_num_threads(self._threads)
            return call()

        return run

    def _training(self, cell: Cell, inputs: Arguments) -> Job:
        module = self._module(cell, inputs, "", "_l0")
        x = self._tensor(inputs["x"]).requires_grad_()
        dy = self._tensor(inputs["dy"])
        leaves = {"dx": x, **{f"d{name}": leaf for name, leaf in _parameters(module, "_l0")}}
        forward, differentiate = self._callable(module), self._torch.autograd.grad

        def call() -> tuple[Any, Any, Any]:
            y, final = forward(x)
            return y, final, differentiate(y, tuple(leaves.values()), dy)

        def results(returned: tuple[Any, Any, Any]) -> dict[str, Array]:
            y, final, grads = returned
            arrays = {name: self._array(grad) for name, grad in zip(leaves, grads, strict=True)}
            return {"y": self._array(y), **self._finals(cell, final), **arrays}

        return Job(call, results)

    def _inference(self, cell: Cell, inputs: Arguments) -> Job:
        forward = self._callable(self._module(cell, inputs, "", "_l0").eval())
        x = self._tensor(inputs["x"])

        @self._torch.inference_mode()  # type: ignore[untyped-decorator]
        def call() -> Any:
            return forward(x)

        def results(returned: Any) -> dict[str, Array]:
            y, final = returned
            return {"y": self._array(y), **self._finals(cell, final)}

        return Job(call, results)

    def _step(self, cell: Cell, inputs: Arguments) -> Job:
        forward = self._callable(self._module(cell, inputs, "Cell", "").eval())
        x = self._tensor(inputs["x"][0])
        states = tuple(self._tensor(inputs[name]) for name in cell.states)
        state = states if len(states) > 1 else states[0]

        @self._torch.inference_mode()  # type: ignore[untyped-decorator]
        def call() -> Any:
            return forward(x, state)

        return Job(call, lambda after: self._finals(cell, after))

    def _module(self, cell: Cell, inputs: Arguments, kind: str, layer: str) -> Any:
        hidden_size, input_size = inputs["w_hh"].shape[1], inputs["w_ih"].shape[1]
        options = {name: cell.options[name] for name in ("nonlinearity",) if name in cell.options}
        make = getattr(self._torch.nn, _MODULES[cell.name] + kind)
        module = make(input_size, hidden_size, **options)
        with self._torch.no_grad():
            for name, parameter in _parameters(module, layer):
                parameter.copy_(self._torch.from_numpy(inputs[name]))
        return module

    def _callable(self, module: Any) -> Any:
        """Return what is called in place of the module."""
        return module

    def _tensor(self, array: Array) -> Any:
        return self._torch.from_numpy(array)

    def _array(self, tensor: Any) -> Array:
        array: Array = tensor.detach().numpy()
        return array

    def _finals(self, cell: Cell, final: Any) -> dict[str, Array]:
        """Name the final states, which a module gives with an axis of layers before (B, H)."""
        states = final if len(cell.states) > 1 else (final,)
        arrays = (self._array(state) for state in states)
        return {
            name: array.reshape(array.shape[-2:])
            for name, array in zip(cell.outputs[1:], arrays, strict=True)
        }


def _parameters(module: Any, layer: str) -> list[tuple[str, Any]]:
    return [(ours, getattr(module, theirs + layer)) for ours, theirs in _WEIGHTS.items()]
