"""What `jax.vmap` makes of a pass: one pass of more rows, where the weights are those of all.

    x (N, T, B, I)  ->  (T, N*B, I), or (N*B, T, I) where each has a single row
    dw (N, ...)      =  sums over the rows of each of N parts of the batch

A tape of such a pass is one for all. Where weights differ, passes run one after the other; so do
backward passes from one tape of several gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jax.interpreters import batching

from . import _by_equations, _primitives
from ._pass import OF_ROWS, RESULTS, WEIGHTS, Names, Pass

Array: TypeAlias = jax.Array
Dims: TypeAlias = Sequence[int | None]
Batched: TypeAlias = tuple[list[Array], list[int | None]]


class _Fold:
    """A pass of `count` parts, each of which is a `call` of its own."""

    def __init__(self, call: Pass, names: Names, arrays: Sequence[Array], dims: Dims) -> None:
        given = dict(zip(names, zip(arrays, dims, strict=False), strict=False))
        self.count = next(a.shape[d] for a, d in given.values() if d is not None)
        x, dim = given["x"]
        shape = [size for axis, size in enumerate(x.shape) if axis != dim]
        self._by_time = call.axes == "time_first"
        self.rows = shape[1 if self._by_time else 0]
        # A sequence by itself lies as one of a batch that comes first: nothing is copied.
        self.call = call._replace(axes="batch_first") if self.rows == 1 else call
        self._keeps_time = self.call.axes == "time_first"

    def __call__(self, name: str, array: Array, dim: int | None) -> Array:
        """Return what all parts have of an array, as an array of the one pass."""
        if name in WEIGHTS:
            return array
        if dim is None:
            array = jnp.broadcast_to(array, (self.count, *array.shape))
        else:
            array = jnp.moveaxis(array, dim, 0)
        if name in OF_ROWS:
            return array.reshape(-1, *array.shape[2:])
        if self._keeps_time:
            array = jnp.moveaxis(array, 0, 1)
            return array.reshape(array.shape[0], -1, *array.shape[3:])
        if self._by_time:
            array = jnp.swapaxes(array, 1, 2)
        return array.reshape(-1, *array.shape[2:])

    def parts(self, name: str, array: Array) -> tuple[Array, int]:
        """Return the parts of an array of the one pass, and by which axis."""
        if name in WEIGHTS:
            return array, 0
        if name in OF_ROWS or not self._keeps_time:
            array = array.reshape(self.count, -1, *array.shape[1:])
            turned = self._by_time and name not in OF_ROWS
            return (jnp.swapaxes(array, 1, 2) if turned else array), 0
        return array.reshape(array.shape[0], self.count, -1, *array.shape[2:]), 1


def _has_own_weights(names: Names, dims: Dims) -> bool:
    return any(dim is not None and name in WEIGHTS for name, dim in zip(names, dims, strict=False))


def _has_own_data(names: Names, dims: Dims) -> bool:
    return any(
        dim is not None and name not in WEIGHTS for name, dim in zip(names, dims, strict=False)
    )


def _one_by_one(
    function: Callable[..., list[Array]], arrays: Sequence[Array], dims: Dims
) -> Batched:
    """Take one part after the other."""
    own = [jnp.moveaxis(a, d, 0) for a, d in zip(arrays, dims, strict=True) if d is not None]

    def of_one(parts: list[Array]) -> list[Array]:
        rest = iter(parts)
        return function(
            *(a if d is None else next(rest) for a, d in zip(arrays, dims, strict=True))
        )

    found = jax.lax.map(of_one, own)
    return found, [0] * len(found)


def _forward(
    arrays: Sequence[Array], dims: Dims, *, call: Pass, names: Names, planned: Any
) -> Batched:
    if _has_own_weights(names, dims):
        bind = partial(_primitives.forward_p.bind, call=call, names=names, planned=planned)
        return _one_by_one(bind, arrays, dims)
    fold = _Fold(call, names, arrays, dims)
    results = _primitives.forward(fold.call, _folded(fold, names, arrays, dims))
    return _parts(fold, RESULTS, results)


def _saving(
    arrays: Sequence[Array], dims: Dims, *, call: Pass, names: Names, planned: Any
) -> Batched:
    if _has_own_weights(names, dims):
        bind = partial(_primitives.saving_p.bind, call=call, names=names, planned=planned)
        return _one_by_one(bind, arrays, dims)
    fold = _Fold(call, names, arrays, dims)
    results, tape = _primitives.saving(fold.call, _folded(fold, names, arrays, dims))
    found, axes = _parts(fold, RESULTS, results)
    return [*found, tape], [*axes, None]


def _backward(
    arrays: Sequence[Array],
    dims: Dims,
    *,
    call: Pass,
    names: Names,
    above: tuple[bool, ...],
    wanted: Names,
    groups: int | None,
) -> Batched:
    of_operands = dims[1 : 1 + len(names)]
    if dims[0] is not None or not _has_own_data(names, of_operands):
        bind = partial(
            _primitives.backward_p.bind,
            call=call,
            names=names,
            above=above,
            wanted=wanted,
            groups=groups,
        )
        return _one_by_one(bind, arrays, dims)
    tape, *others = arrays
    fold = _Fold(call, names, others, of_operands)
    operands = _folded(fold, names, others, of_operands)
    there = [name for name, is_there in zip(RESULTS, above, strict=False) if is_there]
    first = len(names)
    given = [
        fold(name, array, dim)
        for name, array, dim in zip(there, others[first:], dims[1 + first :], strict=True)
    ]
    found = _primitives.backward(
        fold.call, tape, operands, given, above, wanted, fold.count * (groups or 1)
    )
    if groups is not None:
        found = [
            array.reshape(fold.count, groups, *array.shape[1:]) if name in WEIGHTS else array
            for name, array in zip(wanted, found, strict=True)
        ]
    return _parts(fold, wanted, found)


def _tangent(arrays: Sequence[Array], dims: Dims, **of: Any) -> Batched:
    """By the equations: it is seldom that a derivative is mapped before it is transposed."""
    mapped = jax.vmap(partial(_by_equations.tangent, **of), in_axes=tuple(dims))
    found = mapped(*arrays)
    return found, [0] * len(found)


def _folded(fold: _Fold, names: Names, arrays: Sequence[Array], dims: Dims) -> dict[str, Array]:
    return {
        name: fold(name, array, dim) for name, array, dim in zip(names, arrays, dims, strict=False)
    }


def _parts(fold: _Fold, names: Sequence[str], arrays: Sequence[Array]) -> Batched:
    both = [fold.parts(name, array) for name, array in zip(names, arrays, strict=False)]
    return [array for array, _ in both], [axis for _, axis in both]


def register() -> None:
    """Tell JAX."""
    batching.primitive_batchers[_primitives.forward_p] = _forward
    batching.primitive_batchers[_primitives.saving_p] = _saving
    batching.primitive_batchers[_primitives.tangent_p] = _tangent
    batching.primitive_batchers[_primitives.backward_p] = _backward
