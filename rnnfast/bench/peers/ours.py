"""rnnfast itself."""

from __future__ import annotations

from functools import partial
from typing import Any

from rnnfast import _config, _threads
from rnnfast.testing.cells import Arguments, Array, Cell

from ..cases import Case
from .peer import Job, Peer, Unable

__all__ = ["Ours"]


class Ours(Peer):
    """The functional API: `*_vjp` for training, `prepack` for inference and steps.

    Parameters
    ----------
    threads : int
        Threads that it uses, asserted.
    """

    name = "rnnfast"

    def __init__(self, threads: int) -> None:
        config = _config.show_config(mode="dicts")
        self.version = config["version"]
        self.target = config["target"]
        self.threads = threads
        _threads.set_num_threads(threads)
        if _threads.get_num_threads() != threads:
            available = config["available_threads"]
            raise Unable(f"{threads} threads are wanted, this process may use {available}")

    def prepare(self, case: Case, inputs: Arguments) -> Job:
        """Take the case's way through the API.

        Parameters
        ----------
        case : Case
            What will be timed.
        inputs : mapping of str to ndarray
            What `Case.inputs` gives, or arrays like them: the biases may be absent.

        Returns
        -------
        Job
        """
        return _PREPARE[case.mode](case.cell, inputs)


def training(cell: Cell, inputs: Arguments, **options: Any) -> Job:
    """Take training through the API.

    Parameters
    ----------
    cell : Cell
        What is trained.
    inputs : mapping of str to ndarray
        Its arguments and ``dy``.
    **options
        Of the call.

    Returns
    -------
    Job
    """
    arguments = {name: inputs[name] for name in cell.arguments if name in inputs}
    dy = inputs["dy"]

    def call() -> tuple[Any, Any]:
        out, pullback = cell.vjp(arguments, **options)
        return out, pullback(dy)

    def results(returned: tuple[Any, Any]) -> dict[str, Array]:
        out, grads = returned
        named = {f"d{name}": g for name, g in grads._asdict().items() if g is not None}
        return {**out._asdict(), **named}

    return Job(call, results)


def _inference(cell: Cell, inputs: Arguments) -> Job:
    states = {name: inputs[name] for name in cell.states if name in inputs}
    call = partial(cell.prepack(inputs), inputs["x"], **states)
    return Job(call, lambda out: out._asdict())


def _step(cell: Cell, inputs: Arguments) -> Job:
    states = tuple(inputs[name] for name in cell.states)
    state = states if len(states) > 1 else states[0]
    call = partial(cell.prepack(inputs).step, inputs["x"][0], state)

    def results(returned: Any) -> dict[str, Array]:
        after = returned if len(states) > 1 else (returned,)
        return dict(zip(cell.outputs[1:], after, strict=True))

    return Job(call, results)


_PREPARE = {"training": training, "inference": _inference, "step": _step}
