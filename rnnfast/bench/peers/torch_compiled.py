"""PyTorch, compiled: the same modules through `torch.compile` with its backend Inductor.

The weights are frozen where there are no gradients of them (`torch._inductor.config.freezing`),
as its settings for inference have it: they become constants of the compiled code, packed once.

Recurrent modules have to be allowed (`torch._dynamo.config.allow_rnn`): otherwise they break the
graph, and what runs is the eager module. Once allowed, inference of an LSTM stays the one call of
oneDNN that it is in eager mode; everything else becomes straight code, a copy of the step for each
of the T steps. Inductor takes one to three seconds over every copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rnnfast.testing.cells import Arguments

from ..cases import Case
from .peer import Job, Unable, import_host
from .torch import Torch

__all__ = ["TorchCompiled"]

_LONGEST = 25  # steps of straight code: a minute for training


class TorchCompiled(Torch):
    """`torch.compile` of `torch.nn.LSTM`, `GRU`, `RNN` and their cells.

    Of what was compiled one case is kept, the last that was prepared.

    Parameters
    ----------
    threads : int
        Threads that it uses, asserted.
    """

    name = "torch-compiled"

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self._dynamo = import_host("torch._dynamo.config")
        self._inductor = import_host("torch._inductor.config")
        try:
            import_host("torch._inductor.cpp_builder").get_cpp_compiler()
        except RuntimeError as error:
            raise Unable(f"torch-compiled: {error}") from error

    def prepare(self, case: Case, inputs: Arguments) -> Job:
        """Load the weights into a module, and compile it for the sizes of the case."""
        one_call = case.mode == "inference" and case.cell_name == "lstm"
        if case.shape.T > _LONGEST and not one_call:
            raise Unable(
                f"torch-compiled makes a copy of the step for each of T={case.shape.T} steps, "
                f"which takes minutes: {_LONGEST} are tried"
            )
        job = super().prepare(case, inputs)
        # What is left of earlier cases counts as recompilation, which is limited.
        self._torch.compiler.reset()
        with self._settings():
            job.call()
        return job

    def _callable(self, module: Any) -> Any:
        return self._torch.compile(module, fullgraph=True, dynamic=False)

    @contextmanager
    def _settings(self) -> Iterator[None]:
        """Hold the settings while something is compiled, and no longer: eager torch is here too."""
        inductor = {"freezing": True, "compile_threads": 1}  # no workers that outlive the call
        with self._dynamo.patch(allow_rnn=True), self._inductor.patch(inductor):
            yield
