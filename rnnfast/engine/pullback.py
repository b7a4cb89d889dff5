"""From dL/d(results) to dL/d(arguments): what every pullback does.

The arguments are read once more. Samples of them, taken at the forward pass, tell whether they are
still what they were.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Generic, TypeVar

import numpy.typing as npt

from .._check import gradients, inputs, stacks
from .network import Recording

GradsT = TypeVar("GradsT", bound=tuple[Any, ...])


class Pullback(Generic[GradsT]):
    """Holds one forward pass and what it read; calling it never changes it.

    Parameters
    ----------
    recording : Recording
        The forward pass.
    truncate : int
        Steps after which the gradient is cut, 0 for never.
    wanted : frozenset of str
        Names of the arguments whose gradients are wanted.
    per_sample : bool
        Whether each sequence has weight gradients of its own.
    """

    __slots__ = ("_per_sample", "_read", "_recording", "_truncate", "_wanted")

    form: ClassVar[type[tuple[Any, ...]]]
    """The NamedTuple of the gradients."""

    def __init__(
        self, recording: Recording, truncate: int, wanted: frozenset[str], per_sample: bool
    ) -> None:
        self._recording = recording
        self._read = recording.network.place.samples(_read(recording.network.given))
        self._truncate = truncate
        self._wanted = wanted
        self._per_sample = per_sample

    @property
    def nbytes(self) -> int:
        """Bytes that the forward pass saved for the backward pass, beside the arguments."""
        return self._recording.nbytes

    def __repr__(self) -> str:
        """Show the sizes of the pass and what it holds."""
        given = self._recording.network.given
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
        given = self._recording.network.given
        above = gradients.upstream(dy, dh_n, dc_n, given)
        buffers: dict[str, gradients.Buffers] = {}
        if out is not None:
            buffers = gradients.buffers(out, self.form, given, self._wanted, self._per_sample)
        changed = self._read.changed()
        if changed >= 0:
            raise ValueError(
                f"{_name(given, changed)} must stay as it is until the pullback has been called, "
                "but was changed in place since the forward pass; call the pullback first, or give "
                "the forward pass a copy"
            )
        fresh: dict[str, Any] = self._recording.network.place.given(
            self._recording.backward(
                self._truncate, self._wanted, *above, per_sample=self._per_sample
            )
        )
        for name, buffer in buffers.items():
            fresh[name] = _added(fresh[name], buffer)
        make: Callable[..., Any] = self.form
        found: GradsT = make(**fresh)
        return found


def _read(given: stacks.Stack) -> tuple[Any, ...]:
    """Return the arrays of the caller that a backward pass reads, None where one is absent."""
    x, layers, _, _, _, resets, *_ = given
    if given.alone:
        return x, resets, *layers[0][0]
    return x, resets, *(array for layer in layers for weights in layer for array in weights)


def _name(given: stacks.Stack, number: int) -> str:
    """Return what the arguments call an array that `_read` gives."""
    if number < 2:
        return ("x", "resets")[number]
    names = inputs.LayerWeights._fields
    layer, field = divmod(number - 2, len(names))
    return names[field] if given.form is None else f"{names[field]}[{layer}]"


def _added(fresh: Any, buffers: gradients.Buffers | None) -> Any:
    """Add a gradient, or one of each layer, to the buffers that there are, and return those."""
    if buffers is None:
        return fresh
    if isinstance(buffers, list):
        return type(fresh)(_added(f, b) for f, b in zip(fresh, buffers, strict=True))
    buffers.own[...] += fresh
    return buffers.given
