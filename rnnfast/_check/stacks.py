"""Layers on layers: weights, and states, of all layers and directions of one call.

Each of `w_ih`, `w_hh`, `b_ih`, `b_hh`, `w_hr`, `peephole` and `layer_norm` is one array, or a
sequence of one for each layer and direction in torch's order: layer by layer, forward before
reverse. With L layers of D directions, states are (L*D, B, H), a layer gives (T, B, D*H), and the
next one takes that for its x; with a projection h has R numbers in place of H.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy.typing as npt

from . import inputs
from .arrays import Array, Booleans, DType, Integers, contiguous, real_like, require_shape
from .cells import Cell

Form: TypeAlias = type[list[Any]] | type[tuple[Any, ...]]
Layers: TypeAlias = tuple[tuple[inputs.LayerWeights, ...], ...]


class Stack(NamedTuple):
    """Everything that a forward pass reads, and the sizes that follow.

    `layers` holds the weights by layer and direction; `form` is list or tuple if they were given
    as sequences, else None, and states are (B, H). Where x was given with `batch_first`, `x` and
    `resets` are views with time first.
    """

    x: Array
    layers: Layers
    h0: Array | None
    c0: Array | None
    lengths: Integers | None
    resets: Booleans | None
    form: Form | None
    directions: int
    batch_first: bool
    h_shape: tuple[int, ...]
    c_shape: tuple[int, ...]
    output_shape: tuple[int, int, int]

    @property
    def first(self) -> inputs.LayerWeights:
        """The weights of the first layer, in its first direction; all have the same H and R."""
        return self.layers[0][0]

    @property
    def alone(self) -> bool:
        """Whether there is one layer, in one direction."""
        return len(self.layers) == 1 and self.directions == 1

    @property
    def steps(self) -> int:
        """The steps that the longest sequence takes."""
        if self.lengths is None:
            return int(self.x.shape[0])
        return int(self.lengths.max(initial=0))


def stack(
    cell: Cell,
    x: npt.ArrayLike,
    raw: inputs.RawWeights,
    h0: npt.ArrayLike | None,
    c0: npt.ArrayLike | None,
    *,
    lengths: npt.ArrayLike | None,
    resets: npt.ArrayLike | None,
    bidirectional: bool,
    batch_first: bool,
) -> Stack:
    """Return the arguments of a functional call as the kernels take them."""
    form = _form(raw[0], 2)
    one_by_one = _sequences(raw, form, bidirectional)
    sequence = inputs.sequence(x, batch_first)
    layers = _layers(
        cell,
        one_by_one,
        form,
        bidirectional,
        sequence.shape[2],
        model_name="x",
        dtype=sequence.dtype,
    )
    return of_call(cell, sequence, layers, form, h0, c0, lengths, resets, batch_first)


def packable(cell: Cell, raw: inputs.RawWeights, bidirectional: bool) -> tuple[Layers, Form | None]:
    """As `alone`, in read-only copies."""
    layers, form = alone(cell, raw, bidirectional)
    return tuple(tuple(weights.owned() for weights in layer) for layer in layers), form


def alone(cell: Cell, raw: inputs.RawWeights, bidirectional: bool) -> tuple[Layers, Form | None]:
    """Return weights that come without a sequence: the first `w_ih` sets I and the dtype."""
    form = _form(raw[0], 2)
    one_by_one = _sequences(raw, form, bidirectional)
    place = "" if form is None else "[0]"
    first = inputs.weights(cell, one_by_one[0], place)
    layers = _layers(
        cell, one_by_one, form, bidirectional, first.input_size, f"w_ih{place}", first.dtype
    )
    return layers, form


def of_call(
    cell: Cell,
    x: Array,
    layers: Layers,
    form: Form | None,
    h0: npt.ArrayLike | None,
    c0: npt.ArrayLike | None,
    lengths: npt.ArrayLike | None,
    resets: npt.ArrayLike | None,
    batch_first: bool = False,
) -> Stack:
    """Return the arguments of a call, of which `x` and `layers` have been checked."""
    steps, batch, _ = x.shape
    directions = len(layers[0])
    first = layers[0][0]
    leading = (batch,) if form is None else (len(layers) * directions, batch)
    h_shape, c_shape = (*leading, first.output_size), (*leading, first.hidden_size)
    inputs.require_states(cell, c0)
    return Stack(
        x,
        layers,
        state("h0", h0, h_shape, first.output_symbol, directions, x.dtype),
        state("c0", c0, c_shape, "H", directions, x.dtype),
        *inputs.of_time(x, lengths, resets, batch_first),
        form,
        directions,
        batch_first,
        h_shape,
        c_shape,
        (steps, batch, directions * first.output_size),
    )


def _layers(
    cell: Cell,
    raw: list[inputs.RawWeights],
    form: Form | None,
    bidirectional: bool,
    input_size: int,
    model_name: str,
    dtype: DType,
) -> Layers:
    """Return weights by layer and direction; `dtype` is that of the argument `model_name`."""
    directions = 2 if bidirectional else 1
    found: list[inputs.LayerWeights] = []
    for i, arrays in enumerate(raw):
        upper = i >= directions
        columns = "I"
        if upper:
            columns = found[0].output_symbol if directions == 1 else f"2*{found[0].output_symbol}"
        weights = inputs.layer_weights(
            cell,
            arrays,
            input_size=directions * found[0].output_size if upper else input_size,
            columns=columns,
            model_name=model_name,
            dtype=dtype,
            place="" if form is None else f"[{i}]",
        )
        if found:
            _require_equal_sizes(weights, found[0], i)
        found.append(weights)
    return tuple(
        [tuple(found[first : first + directions]) for first in range(0, len(found), directions)]
    )


def _form(value: object, ndim: int) -> Form | None:
    """Return what kind of sequence of arrays a value is; nested numbers are one array."""
    if isinstance(value, (list, tuple)) and any(getattr(w, "ndim", 0) >= ndim for w in value):
        return list if isinstance(value, list) else tuple
    return None


def _sequences(
    weights: inputs.RawWeights,
    form: Form | None,
    bidirectional: bool,
) -> list[inputs.RawWeights]:
    """Return the weights of each layer and direction."""
    names = inputs.LayerWeights._fields
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
        if value is None and name in inputs.OPTIONAL:
            columns.append([None] * count)
        elif not isinstance(value, (list, tuple)) or len(value) != count:
            got = f"{len(value)}" if isinstance(value, (list, tuple)) else type(value).__name__
            raise ValueError(f"{name} must be a sequence of {count} arrays like w_ih, got {got}")
        else:
            columns.append(list(value))
    return [inputs.RawWeights(*arrays) for arrays in zip(*columns, strict=True)]


def _require_equal_sizes(weights: inputs.LayerWeights, first: inputs.LayerWeights, i: int) -> None:
    if (weights.w_hr is None) != (first.w_hr is None):
        kinds = ["None" if one.w_hr is None else "an array" for one in (first, weights)]
        raise ValueError(f"w_hr[{i}] must be {kinds[0]} like w_hr[0], got {kinds[1]}")
    if weights.w_hr is not None and first.w_hr is not None:
        require_shape(f"w_hr[{i}]", weights.w_hr, "(R, H)", first.w_hr.shape)
    if weights.hidden_size != first.hidden_size:
        raise ValueError(
            f"w_hh[{i}] must have H = {first.hidden_size} columns like w_hh[0], "
            f"got {weights.w_hh.shape}"
        )


def state(
    name: str,
    value: npt.ArrayLike | None,
    shape: tuple[int, ...],
    symbol: str,
    directions: int,
    dtype: DType,
) -> Array | None:
    """Return a state of all layers and directions, or the gradient of one.

    `symbol` is how its width is written.
    """
    if value is None:
        return None
    array = real_like(name, value, "x", dtype)
    if array.shape != shape:
        stacked = f"(2*L, B, {symbol})" if directions == 2 else f"(L, B, {symbol})"
        require_shape(name, array, f"(B, {symbol})" if len(shape) == 2 else stacked, shape)
    return contiguous(array)
