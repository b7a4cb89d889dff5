"""Passes by the equations: what `_kernels` computes, in operations of JAX, and tangents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from . import _equations
from ._pass import OF_ROWS, RESULTS, WEIGHTS, Names, Pass, Planned, named

Array: TypeAlias = jax.Array


def forward(*arrays: Array, call: Pass, names: Names, **_: Any) -> list[Array]:
    """Return y, h_n and, where the cell has one, c_n."""
    return list(_equations.outputs(call, named(names, arrays)))


def saving(*arrays: Array, call: Pass, names: Names, planned: Planned) -> list[Array]:
    """As `forward`, with a tape that nobody reads."""
    tape = jnp.zeros((planned.tape_bytes,), np.uint8)
    return [*forward(*arrays, call=call, names=names), tape]


def tangent(_: Array, *arrays: Array, call: Pass, names: Names, moving: Names) -> list[Array]:
    """Return the tangents of the results, from those of the operands that are moving."""
    operands, tangents = named(names, arrays), arrays[len(names) :]
    function = _function_of(call, operands, moving)
    primals = tuple(operands[name] for name in moving)
    return list(jax.jvp(function, primals, tuple(tangents))[1])


def backward(
    _: Array,
    *arrays: Array,
    call: Pass,
    names: Names,
    above: tuple[bool, ...],
    wanted: Names,
    groups: int | None,
) -> list[Array]:
    """Return the gradients of the operands that are wanted, as `_kernels.backward` does."""
    operands, given = named(names, arrays), iter(arrays[len(names) :])
    shapes = call.result_shapes(operands)
    full = [
        next(given) if is_there else jnp.zeros(shape, arrays[0].dtype)
        for is_there, shape in zip(above, shapes, strict=True)
    ]
    if groups is None:
        return _gradients(call, operands, full, wanted)

    def split(name: str, array: Array) -> Array:
        axis = _row_axis(call, name)
        parts = (*array.shape[:axis], groups, -1, *array.shape[axis + 1 :])
        return jnp.moveaxis(array.reshape(parts), axis, 0)

    def joined(name: str, array: Array) -> Array:
        if name in WEIGHTS:
            return array
        axis = _row_axis(call, name)
        parts = jnp.moveaxis(array, 0, axis)
        return parts.reshape((*parts.shape[:axis], -1, *parts.shape[axis + 2 :]))

    weights = {name: array for name, array in operands.items() if name in WEIGHTS}
    data = {name: split(name, a) for name, a in operands.items() if name not in WEIGHTS}
    of_results = [split(name, a) for name, a in zip(RESULTS, full, strict=False)]
    found = jax.vmap(lambda data, full: _gradients(call, {**weights, **data}, full, wanted))(
        data, of_results
    )
    return [joined(name, array) for name, array in zip(wanted, found, strict=True)]


def _row_axis(call: Pass, name: str) -> int:
    return 0 if name in OF_ROWS or call.axes == "batch_first" else 1


def _gradients(
    call: Pass, operands: dict[str, Array], above: Sequence[Array], wanted: Names
) -> list[Array]:
    primals = [operands[name] for name in wanted]
    return list(jax.vjp(_function_of(call, operands, wanted), *primals)[1](tuple(above)))


def _function_of(
    call: Pass, operands: dict[str, Array], moving: Names
) -> Callable[..., tuple[Array, ...]]:
    """Return the results as a function of some of the operands."""
    return lambda *some: _equations.outputs(call, {**operands, **named(moving, some)})
