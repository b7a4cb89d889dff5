"""Layers as they are served: packed, with what there is to know of the arrays that streams take.

I inputs; h of each layer has R numbers (H of them, unless it is projected), and c has H.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from .. import _core
from .._check import Array, DType, arrays, cells, empty, inputs, quantized, sparse
from .._check import precision as precisions
from ..engine.noise import noise
from ..weights import StackWeights

State: TypeAlias = Array | tuple[Array, Array]
"""h, or (h, c) of an LSTM."""

_NOT_OF_THE_CELL = frozenset(
    {"cell", "w_ih", "w_hh", "b_ih", "b_hh", "reverse", "bidirectional", "zoneout", "sparse"}
)


class Outputs(NamedTuple):
    """Where the core writes, if that is known, and what the caller has given for it."""

    written: Array | None
    given: npt.NDArray[Any] | None

    def filled(self, result: Array) -> Any:
        """Return what the caller gets for a result of the core."""
        if self.given is None:
            return result
        if not np.shares_memory(self.given, result):
            self.given[...] = result
        return self.given


class ServedStack:
    """Packed layers, each in one direction, forward."""

    __slots__ = ("cell", "core", "precision", "weights")

    def __init__(self, weights: StackWeights, precision: str | None) -> None:
        is_sparse = weights.options.get("sparse", False)
        given_in = quantized.precision_of(precision, weights.scales, is_sparse)
        wanted = precisions.chosen(given_in, weights.dtype)
        precisions.require_held(wanted, (layer for (layer, *_) in weights.layers))
        for option in ("reverse", "bidirectional"):
            if weights.options.get(option, False):
                raise ValueError(
                    f"weights must have {option}=False, got True: a stream has no end to begin "
                    "from; rnnfast.prepack runs whole sequences"
                )
        given = weights.arguments()
        if given.get("sparse"):
            sparse.require_plain(given_in, weights.dtype)
        of_cell = {name: value for name, value in given.items() if name not in _NOT_OF_THE_CELL}
        self.weights = weights
        self.precision = wanted
        self.cell = cells.choose_of_any(weights.cell, **of_cell)
        zoneout = noise(self.cell, 0.0, 0.0, 0.0, 0.0, given.get("zoneout", 0.0), None).zoneout
        kept_h, kept_c, *_ = (*zoneout, 0.0, 0.0)
        core = self.cell.core
        layers = [
            (core, layer, scales, kept_h, kept_c)
            for (layer,), scales in zip(weights.layers, weights.scales, strict=True)
        ]
        self.core = _core.serve(layers, "sparse" if given.get("sparse") else self.precision)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the weights: packed ones depend on the processor."""
        return ServedStack, (self.weights, self.precision)

    @property
    def dtype(self) -> DType:
        """The dtype of all arrays."""
        return self.weights.dtype

    @property
    def input_size(self) -> int:
        """I."""
        return self.weights.input_size

    @property
    def output_size(self) -> int:
        """The width of h, and so of a result."""
        return self.weights.layers[-1][0].output_size

    def take(self, name: str, x: npt.ArrayLike, **leading: int | None) -> Array:
        """Return inputs (I,), or with leading axes of names and, where they are known, sizes."""
        array = arrays.real_like(name, x, "the model", self.dtype)
        fits = array.ndim == len(leading) + 1
        sizes = [
            (array.shape[axis] if fits else 1) if size is None else size
            for axis, size in enumerate(leading.values())
        ]
        symbols = f"({', '.join([*leading, 'I'])})" if leading else "(I,)"
        arrays.require_shape(name, array, symbols, (*sizes, self.input_size))
        return arrays.contiguous(array)

    def outputs(self, out: object, x: npt.ArrayLike, symbols: str, *leading: int) -> Outputs:
        """Return where results go, if `out` is a place for them; `x` is as the caller has it."""
        if out is None:
            return Outputs(None, None)
        if not isinstance(out, np.ndarray):
            raise TypeError(f"out must be an ndarray or None, got {type(out).__name__}")
        if out.dtype.newbyteorder("=") != self.dtype:
            raise TypeError(f"out must be {self.dtype} like the model, got {out.dtype}")
        shape = (*leading, self.output_size)
        arrays.require_shape("out", out, symbols, shape)
        if not out.flags.writeable:
            raise ValueError("out must be writeable, got a read-only array")
        if isinstance(x, np.ndarray) and np.shares_memory(x, out):
            raise ValueError("out must not overlap x, got parts of the same memory")
        plain = out.view(np.ndarray)
        if plain.flags.c_contiguous and plain.flags.aligned and plain.dtype.isnative:
            return Outputs(plain.view(self.dtype), out)  # under NumPy's own dtype object
        return Outputs(empty("out", shape, self.dtype), out)

    def read_state(self, read: Callable[[int, Array, Array | None], None]) -> State:
        """Return a copy of a state, of which `read(layer, h, c)` reads a layer."""
        first, layers = self.weights.layers[0][0], len(self.weights.layers)
        h: Array = empty("state", (layers, first.output_size), self.dtype)
        c: Array = empty("state", (layers, first.hidden_size), self.dtype)
        for layer in range(layers):
            read(layer, h[layer], c[layer] if self.cell.has_c else None)
        if not self.weights.stacked:
            h, c = h[0], c[0]
        return (h, c) if self.cell.has_c else h

    def write_state(self, state: object, write: Callable[[int, Array, Array | None], None]) -> None:
        """Have `write(layer, h, c)` write a state layer by layer, once all of it fits."""
        layers = len(self.weights.layers)
        axis = layers if self.weights.stacked else None
        found = inputs.stream_state(self.cell, self.weights.layers[0][0], state, axis)
        for layer in range(layers):
            self.core.require_state(layer, found[0] if axis is None else found[0][layer])
        for layer in range(layers):
            of_layer = [one if axis is None else one[layer] for one in found]
            write(layer, of_layer[0], of_layer[1] if self.cell.has_c else None)
