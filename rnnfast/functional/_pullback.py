"""The engine behind every pullback: from dL/d(results) to dL/d(arguments)."""

from __future__ import annotations

from typing import Generic, TypeVar

import numpy.typing as npt

from .._check import empty, gradients, inputs
from ._run import Tape
from ._time import Time
from .results import GRUGrads, LSTMGrads, RNNGrads

GradsT = TypeVar("GradsT", RNNGrads, LSTMGrads, GRUGrads)


class Pullback(Generic[GradsT]):
    """Holds one forward pass and what it read; calling it never changes it."""

    __slots__ = ("_given", "_reverse", "_shapes", "_tape", "_truncate")

    _form: type[GradsT]

    def __init__(
        self,
        given: inputs.Inputs,
        tape: Tape,
        reverse: bool,
        truncate: int,
        wanted: frozenset[str],
    ) -> None:
        self._given = given
        self._tape = tape
        self._reverse = reverse
        self._truncate = truncate
        self._shapes = {
            name: shape for name, shape in _argument_shapes(given).items() if name in wanted
        }

    @property
    def nbytes(self) -> int:
        """Bytes that the forward pass saved for the backward pass, beside the arguments."""
        return self._tape.nbytes

    def __repr__(self) -> str:
        """Show the sizes of the pass and what it holds."""
        steps, batch, input_size = self._given.x.shape
        hidden_size = self._given.weights.hidden_size
        return (
            f"{type(self).__name__}(T={steps}, B={batch}, I={input_size}, H={hidden_size}, "
            f"dtype={self._given.x.dtype}, nbytes={self.nbytes})"
        )

    def _pull(
        self,
        dy: npt.ArrayLike | None,
        dh_n: npt.ArrayLike | None,
        dc_n: npt.ArrayLike | None,
        out: GradsT | None,
    ) -> GradsT:
        x, weights = self._given.x, self._given.weights
        y_shape = (x.shape[0], x.shape[1], weights.hidden_size)
        of_y, of_h_n, of_c_n = gradients.upstream(dy, dh_n, dc_n, y_shape, x.dtype)
        if out is not None:
            gradients.require_buffers(out, self._form, self._shapes, x.dtype)
        fresh = {
            name: empty(f"the gradient of {name}", shape, x.dtype)
            for name, shape in self._shapes.items()
        }
        time = Time(self._given, self._reverse)
        self._tape.backward(
            time(x),
            weights.w_ih,
            weights.w_hh,
            time(self._given.resets),
            self._truncate,
            time(of_y),
            of_h_n,
            of_c_n,
            time.results(fresh.get("x")),
            fresh.get("w_ih"),
            fresh.get("w_hh"),
            fresh.get("b_ih"),
            fresh.get("b_hh"),
            fresh.get("h0"),
            fresh.get("c0"),
        )
        for name in fresh:
            buffer = getattr(out, name, None)
            if buffer is not None:
                buffer += fresh[name]
                fresh[name] = buffer
        return self._form(**fresh)


def _argument_shapes(given: inputs.Inputs) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all arguments that are there; a state is, given or zero."""
    states = (given.x.shape[1], given.weights.hidden_size)
    weights = {
        name: array.shape for name, array in given.weights._asdict().items() if array is not None
    }
    return {"x": given.x.shape, **weights, "h0": states, "c0": states}
