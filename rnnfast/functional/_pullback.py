"""The engine behind every pullback: from dL/d(results) to dL/d(arguments)."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import numpy.typing as npt

from .._check import gradients
from ..engine.network import Network, Saved
from .results import GRUGrads, LSTMGrads, MGUGrads, RNNGrads

GradsT = TypeVar("GradsT", RNNGrads, LSTMGrads, GRUGrads, MGUGrads)


class Pullback(Generic[GradsT]):
    """Holds one forward pass and what it read; calling it never changes it."""

    __slots__ = ("_network", "_saved", "_truncate", "_wanted")

    _form: type[GradsT]

    def __init__(
        self, network: Network, saved: list[Saved], truncate: int, wanted: frozenset[str]
    ) -> None:
        self._network = network
        self._saved = saved
        self._truncate = truncate
        self._wanted = wanted

    @property
    def nbytes(self) -> int:
        """Bytes that the forward pass saved for the backward pass, beside the arguments."""
        return sum(tape.nbytes for layer in self._saved for tape in layer.tapes)

    def __repr__(self) -> str:
        """Show the sizes of the pass and what it holds."""
        given = self._network.given
        steps, batch, input_size = given.x.shape
        layers = "" if given.form is None else f"L={len(given.layers)}, D={given.directions}, "
        return (
            f"{type(self).__name__}({layers}T={steps}, B={batch}, I={input_size}, "
            f"H={given.first.hidden_size}, dtype={given.x.dtype}, nbytes={self.nbytes})"
        )

    def _pull(
        self,
        dy: npt.ArrayLike | None,
        dh_n: npt.ArrayLike | None,
        dc_n: npt.ArrayLike | None,
        out: GradsT | None,
    ) -> GradsT:
        given = self._network.given
        above = gradients.upstream(dy, dh_n, dc_n, given)
        buffers: dict[str, gradients.Buffers] = {}
        if out is not None:
            buffers = gradients.buffers(out, self._form, given, self._wanted)
        fresh = self._network.backward(self._saved, self._truncate, self._wanted, *above)
        for name, buffer in buffers.items():
            fresh[name] = _added(fresh[name], buffer)
        return self._form(**fresh)


def _added(fresh: Any, buffers: gradients.Buffers | None) -> Any:
    """Add a gradient, or one of each layer, to the buffers that there are, and return those."""
    if buffers is None:
        return fresh
    if isinstance(buffers, list):
        return type(fresh)(_added(f, b) for f, b in zip(fresh, buffers, strict=True))
    buffers.own[...] += fresh
    return buffers.given
