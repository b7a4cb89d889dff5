"""The arguments of a pullback: what arrives from above, and where its results are added."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from .arrays import Array, DType, real_like, require_shape, unit_last_stride
from .inputs import in_order
from .stacks import Stack, state


def upstream(
    dy: npt.ArrayLike | None,
    dh_n: npt.ArrayLike | None,
    dc_n: npt.ArrayLike | None,
    given: Stack,
) -> tuple[Array | None, Array | None, Array | None]:
    """Return dL/dy, dL/dh_n and dL/dc_n as the kernels take them; None is zero."""
    of_output = None if dy is None else _of_output(dy, given)
    symbol, of_both = given.first.output_symbol, (given.directions, given.x.dtype)
    return (
        of_output,
        state("dh_n", dh_n, given.h_shape, symbol, *of_both),
        state("dc_n", dc_n, given.c_shape, "H", *of_both),
    )


class Buffer(NamedTuple):
    """An array that a gradient is added to: the caller's own, and ours over the same memory."""

    given: Array
    own: Array


Buffers: TypeAlias = Buffer | list["Buffer | None"]
"""That of an argument, or one for each layer and direction."""


def buffers(
    out: object,
    form: type[tuple[Any, ...]],
    given: Stack,
    wanted: frozenset[str],
    per_sample: bool,
) -> dict[str, Buffers]:
    """Return the buffers in `out` by the names of their arguments; each fits its gradient."""
    if type(given.x) is not np.ndarray:
        raise NotImplementedError(
            "out must be None where x is on a device; add the gradients that are returned"
        )
    if not isinstance(out, form):
        raise TypeError(f"out must be {form.__name__}, got {type(out).__name__}")
    shapes = _gradient_shapes(given, per_sample)
    found: dict[str, Buffers] = {}
    for name, buffer in out._asdict().items():  # type: ignore[attr-defined]  # a NamedTuple
        if buffer is None:
            continue
        shape = shapes.get(name) if name in wanted else None
        if not isinstance(shape, list):
            found[name] = _buffer(f"out.{name}", buffer, shape, given.x.dtype)
            continue
        if not isinstance(buffer, (list, tuple)) or len(buffer) != len(shape):
            raise TypeError(f"out.{name} must be a sequence of {len(shape)} arrays or None")
        found[name] = [
            None if one is None else _buffer(f"out.{name}[{i}]", one, of_one, given.x.dtype)
            for i, (one, of_one) in enumerate(zip(tuple(buffer), shape, strict=True))
        ]
    return found


def _gradient_shapes(given: Stack, per_sample: bool) -> dict[str, Any]:
    """Return the shapes of the gradients of all arguments, or one of each layer and direction.

    A state is there, given or zero.
    """
    samples = (given.x.shape[1],) if per_sample else ()
    all_weights = [one for layer in given.layers for one in layer]
    weights: dict[str, Any] = {}
    for name, first in all_weights[0]._asdict().items():
        if first is not None:
            shapes = [(*samples, *getattr(one, name).shape) for one in all_weights]
            weights[name] = shapes[0] if given.form is None else shapes
    x = given.x.swapaxes(0, 1) if given.batch_first else given.x
    return {"x": x.shape, **weights, "h0": given.h_shape, "c0": given.c_shape}


def _of_output(dy: npt.ArrayLike, given: Stack) -> Array:
    array = real_like("dy", dy, "x", given.x.dtype)
    symbol = given.first.output_symbol
    width = symbol if given.directions == 1 else f"2*{symbol}"
    steps, batch, size = given.output_shape
    shape = (batch, steps, size) if given.batch_first else given.output_shape
    require_shape("dy", array, in_order(f"T, B, {width}", given.batch_first), shape)
    array = unit_last_stride(array)
    return array.swapaxes(0, 1) if given.batch_first else array


def _buffer(name: str, buffer: object, shape: tuple[int, ...] | None, dtype: DType) -> Buffer:
    if shape is None:
        raise ValueError(
            f"{name} must be None, that gradient is not computed: its argument was absent or is "
            "not in wrt"
        )
    if not isinstance(buffer, np.ndarray):
        raise TypeError(f"{name} must be an array of {dtype} like x, got {type(buffer).__name__}")
    own = buffer.view(np.ndarray)
    if own.dtype not in (dtype, dtype.newbyteorder()):
        raise TypeError(f"{name} must be an array of {dtype} like x, got {own.dtype}")
    if own.shape != shape:
        raise ValueError(f"{name} must be {shape}, got {own.shape}")
    if not own.flags.writeable:
        raise ValueError(f"{name} must be writeable, got a read-only array; pass a copy of it")
    return Buffer(buffer, own)
