"""Layers on layers: weights, and states, of all layers and directions of one call.

Each of `w_ih`, `w_hh`, `b_ih`, `b_hh` and `peephole` is one array, or a sequence of one for each
layer and direction in torch's order: layer by layer, forward before reverse. With L layers of D
directions, states are (L*D, B, H), a layer gives (T, B, D*H), and the next one takes that for its
x.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy.typing as npt

from . import inputs
from .arrays import Array, Booleans, DType, Integers, contiguous, real_like, require_shape
from .cells import Cell

# What becomes `inputs.Weights`, field by field: an array or a sequence of them, or None. The last
# fields may be left out.
Given: TypeAlias = tuple[Any, ...]
Form: TypeAlias = type[list[Any]] | type[tuple[Any, ...]]
Layers: TypeAlias = tuple[tuple[inputs.Weights, ...], ...]


class Stack(NamedTuple):
    """Everything that a forward pass reads, and the sizes that follow.

    `layers` holds the weights by layer and direction; `form` is list or tuple if they were given
    as sequences, else None, and states are (B, H).
    """

    x: Array
    layers: Layers
    h0: Array | None
    c0: Array | None
    lengths: Integers | None
    resets: Booleans | None
    form: Form | None
    hidden_size: int
    directions: int
    states_shape: tuple[int, ...]
    output_shape: tuple[int, int, int]

    @property
    def steps(self) -> int:
        """The steps that the longest sequence takes."""
        if self.lengths is None:
            return int(self.x.shape[0])
        return int(self.lengths.max(initial=0))


def stack(
    cell: Cell,
    x: npt.ArrayLike,
    weights: Given,
    h0: npt.ArrayLike | None,
    c0: npt.ArrayLike | None,
    *,
    lengths: npt.ArrayLike | None,
    resets: npt.ArrayLike | None,
    bidirectional: bool,
) -> Stack:
    """Return the arguments of a functional call as the kernels take them."""
    form = _form(weights[0], 2)
    given = _sequences(weights, form, bidirectional)
    sequence = inputs.sequence(x)
    layers = _layers(
        cell, given, form, bidirectional, sequence.shape[2], model_name="x", dtype=sequence.dtype
    )
    return of_call(cell, sequence, layers, form, h0, c0, lengths, resets)


def packable(cell: Cell, weights: Given, bidirectional: bool) -> tuple[Layers, Form | None]:
    """Return weights that come without a sequence, so that the first `w_ih` sets I and the dtype.

    They are read-only copies.
    """
    form = _form(weights[0], 2)
    given = _sequences(weights, form, bidirectional)
    place = "" if form is None else "[0]"
    first = inputs.weights(cell, given[0], place)
    layers = _layers(
        cell, given, form, bidirectional, first.input_size, f"w_ih{place}", first.dtype
    )
    return tuple(tuple(part.owned() for part in layer) for layer in layers), form


def of_call(
    cell: Cell,
    x: Array,
    layers: Layers,
    form: Form | None,
    h0: npt.ArrayLike | None,
    c0: npt.ArrayLike | None,
    lengths: npt.ArrayLike | None,
    resets: npt.ArrayLike | None,
) -> Stack:
    """Return the arguments of a call, of which `x` and `layers` have been checked."""
    steps, batch, _ = x.shape
    directions = len(layers[0])
    hidden_size = layers[0][0].hidden_size
    rows = (batch, hidden_size)
    states_shape = rows if form is None else (len(layers) * directions, *rows)
    inputs.require_states(cell, c0)
    return Stack(
        x,
        layers,
        state("h0", h0, states_shape, directions, x.dtype),
        state("c0", c0, states_shape, directions, x.dtype),
        *inputs.of_time(x, lengths, resets),
        form,
        hidden_size,
        directions,
        states_shape,
        (steps, batch, directions * hidden_size),
    )


def _layers(
    cell: Cell,
    given: list[Given],
    form: Form | None,
    bidirectional: bool,
    input_size: int,
    model_name: str,
    dtype: DType,
) -> Layers:
    """Return weights by layer and direction; `dtype` is that of the argument `model_name`."""
    directions = 2 if bidirectional else 1
    parts: list[inputs.Weights] = []
    for i, arrays in enumerate(given):
        upper = i >= directions
        part = inputs.layer_weights(
            cell,
            arrays,
            input_size=directions * parts[0].hidden_size if upper else input_size,
            columns=("2*H" if bidirectional else "H") if upper else "I",
            model_name=model_name,
            dtype=dtype,
            place="" if form is None else f"[{i}]",
        )
        if parts:
            _require_equal_units(part, parts[0], i)
        parts.append(part)
    return tuple(
        [tuple(parts[first : first + directions]) for first in range(0, len(parts), directions)]
    )


def _form(value: object, ndim: int) -> Form | None:
    """Return what kind of sequence of arrays a value is; nested numbers are one array."""
    if isinstance(value, (list, tuple)) and any(getattr(w, "ndim", 0) >= ndim for w in value):
        return list if isinstance(value, list) else tuple
    return None


def _sequences(
    weights: Given,
    form: Form | None,
    bidirectional: bool,
) -> list[Given]:
    """Return the weights of each layer and direction."""
    names = inputs.Weights._fields[: len(weights)]
    if form is None:
        if bidirectional:
            raise ValueError(
                "bidirectional=True needs sequences of weights, forward then reverse: "
                "w_ih=[forward, reverse] and so on"
            )
        for name, value in zip(names, weights, strict=True):
            if isinstance(value, (list, tuple)) and _form(value, 1) is not None:
                raise ValueError(f"{name} must be one array like w_ih, got a sequence of arrays")
        return [weights]
    count = len(weights[0])
    if bidirectional and count % 2:
        raise ValueError(
            f"w_ih must hold two arrays a layer for bidirectional=True, got {count} in all"
        )
    columns = []
    for name, value in zip(names, weights, strict=True):
        if value is None and not name.startswith("w"):
            columns.append([None] * count)
        elif not isinstance(value, (list, tuple)) or len(value) != count:
            got = f"{len(value)}" if isinstance(value, (list, tuple)) else type(value).__name__
            raise ValueError(f"{name} must be a sequence of {count} arrays like w_ih, got {got}")
        else:
            columns.append(list(value))
    return list(zip(*columns, strict=True))


def _require_equal_units(weights: inputs.Weights, first: inputs.Weights, i: int) -> None:
    if weights.hidden_size != first.hidden_size:
        raise ValueError(
            f"w_hh[{i}] must have H = {first.hidden_size} columns like w_hh[0], "
            f"got {weights.w_hh.shape}"
        )


def state(
    name: str,
    value: npt.ArrayLike | None,
    shape: tuple[int, ...],
    directions: int,
    dtype: DType,
) -> Array | None:
    """Return a state of all layers and directions, or the gradient of one."""
    if value is None:
        return None
    array = real_like(name, value, "x", dtype)
    if array.shape != shape:
        stacked = "(2*L, B, H)" if directions == 2 else "(L, B, H)"
        require_shape(name, array, "(B, H)" if len(shape) == 2 else stacked, shape)
    return contiguous(array)
