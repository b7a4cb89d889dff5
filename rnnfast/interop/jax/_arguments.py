"""What a user gives, checked as `rnnfast` checks it, and as the layers of a network take it.

The checks see shapes and types alone, so they are done while a program is traced: arrays of NumPy
that nobody writes to stand for those of JAX.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from ..._check import cells, inputs, stacks

Array: TypeAlias = jax.Array
Weights: TypeAlias = tuple[Array | None, ...]


class Arguments(NamedTuple):
    """Arrays of the type that is computed in, `dtype` being that of the results.

    `layers` are the weights of each layer and direction; states are those of all of them in turn,
    `stacked` if the caller's were.
    """

    x: Array
    layers: list[Weights]
    directions: int
    h0: list[Array | None]
    c0: list[Array | None]
    lengths: Array | None
    resets: Array | None
    stacked: bool
    dtype: Any


def arguments(
    cell: cells.Cell,
    x: Any,
    raw: inputs.RawWeights,
    h0: Any,
    c0: Any,
    *,
    lengths: Any,
    resets: Any,
    bidirectional: bool,
    batch_first: bool,
) -> Arguments:
    """Return the arguments; raise what `rnnfast` raises of shapes and types."""
    given = jax.tree.map(_array, (x, tuple(raw), h0, c0))
    dtype = _result_type(given)
    of_kernels = jnp.float32 if dtype in (jnp.bfloat16, jnp.float16) else dtype
    x, weights, h0, c0 = jax.tree.map(lambda array: _converted(array, of_kernels), given)
    raw = inputs.RawWeights(*weights)
    stands = jax.tree.map(_stand_in, (x, raw, h0, c0, resets if resets is None else _array(resets)))
    stack = stacks.stack(
        cell,
        *stands[:4],
        lengths=None,
        resets=stands[4],
        bidirectional=bidirectional,
        batch_first=batch_first,
    )
    cell.require_held_numbers(stack.x.dtype)
    stacked = stack.form is not None
    count = len(stack.layers) * stack.directions
    return Arguments(
        x,
        [
            tuple(None if one is None else one[i] if stacked else one for one in raw)
            for i in range(count)
        ],
        stack.directions,
        _each(h0, count, stacked),
        _each(c0, count, stacked),
        None if lengths is None else _lengths(lengths, *stack.x.shape[:2]),
        None if resets is None else _array(resets),
        stacked,
        dtype,
    )


def _array(value: Any) -> Array:
    return jnp.asarray(value)


def _result_type(given: Any) -> Any:
    floating = [a.dtype for a in jax.tree.leaves(given) if jnp.issubdtype(a.dtype, jnp.floating)]
    return jnp.result_type(*floating) if floating else jnp.float32


def _converted(array: Array, dtype: Any) -> Array:
    """Return an array of floating numbers in a type; others are for the checks to refuse."""
    return array.astype(dtype) if jnp.issubdtype(array.dtype, jnp.floating) else array


def _stand_in(array: Array) -> np.ndarray[Any, Any]:
    """Return memory of the same shape and type, which the system gives once it is written to."""
    return np.empty(array.shape, array.dtype)


def _lengths(value: Any, steps: int, batch: int) -> Array:
    lengths = _array(value)
    if not jnp.issubdtype(lengths.dtype, jnp.integer):
        raise TypeError(f"lengths must be integers, got {lengths.dtype}")
    if lengths.shape != (batch,):
        raise ValueError(f"lengths must be (B,) = ({batch},), got {lengths.shape}")
    if not isinstance(lengths, jax.core.Tracer):
        counts = np.asarray(lengths)
        wrong = (counts < 0) | (counts > steps)
        if wrong.any():
            raise ValueError(f"lengths must be between 0 and T = {steps}, got {counts[wrong][0]}")
    if lengths.dtype.itemsize > 4:  # what is cut must not come out as another length
        lengths = jnp.where((lengths < 0) | (lengths > steps), -1, lengths)
    return lengths.astype(jnp.int32)


def _each(state: Array | None, count: int, stacked: bool) -> list[Array | None]:
    if state is None:
        return [None] * count
    return [state[i] for i in range(count)] if stacked else [state]
