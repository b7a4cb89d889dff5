"""Passes of one layer in one direction as primitives of JAX.

    forward    operands                      -> y, h_n, c_n
    saving     operands                      -> y, h_n, c_n, tape
    tangent    tape, operands, tangents      -> tangents of y, h_n, c_n
    backward   tape, operands, dy, dh_n...   -> the gradients that are wanted

The derivative of `forward` is `saving` and `tangent`, whose transposed is `backward`. On the CPU
they are the kernels (`_kernels`), elsewhere the equations (`_by_equations`); so are tangents that
nobody transposes, as those of `jax.jvp` are, and derivatives of derivatives. `_batching` says what
`jax.vmap` makes of them.

Operands come flat, in the order of `OPERANDS`; `names` are those that there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, TypeAlias

import jax
import numpy as np
from jax.extend.core import Primitive
from jax.interpreters import ad, mlir
from jax.sharding import PartitionSpec

from . import _by_equations, _kernels
from ._pass import DIFFERENTIABLE, OPERANDS, WEIGHTS, Names, Pass, named

Array: TypeAlias = jax.Array


def _primitive(name: str) -> Any:
    made = Primitive(f"rnnfast_{name}")
    made.multiple_results = True
    made.def_impl(lambda *arrays, **of: _compiled(made, tuple(of.items()))(*arrays))
    return made


@lru_cache(maxsize=4096)
def _compiled(primitive: Any, of: tuple[tuple[str, Any], ...]) -> Any:
    return jax.jit(partial(primitive.bind, **dict(of)))


forward_p = _primitive("forward")
saving_p = _primitive("saving")
tangent_p = _primitive("tangent")
backward_p = _primitive("backward")


def forward(call: Pass, operands: dict[str, Array]) -> list[Array]:
    """Return y, h_n and, where the cell has one, c_n."""
    names = tuple(name for name in OPERANDS if name in operands)
    planned = call.planned(operands, "inference")
    arrays = _varying_alike([operands[name] for name in names])
    return list(forward_p.bind(*arrays, call=call, names=names, planned=planned))


def saving(call: Pass, operands: dict[str, Array]) -> tuple[list[Array], Array]:
    """As `forward`; return the tape beside the results."""
    names = tuple(name for name in OPERANDS if name in operands)
    planned = call.planned(operands, "training")
    arrays = _varying_alike([operands[name] for name in names])
    *results, tape = saving_p.bind(*arrays, call=call, names=names, planned=planned)
    return results, tape


def backward(
    call: Pass,
    tape: Array,
    operands: dict[str, Array],
    given: Sequence[Array],
    above: tuple[bool, ...],
    wanted: Names,
    groups: int | None,
) -> list[Array]:
    """Return the gradients of the operands that are wanted.

    `given` are those of the results that there are, as `above` says. With `groups` those of weights
    are sums over so many equal parts of the batch, (groups, ...).
    """
    names = tuple(name for name in OPERANDS if name in operands)
    arrays = _varying_alike([tape, *(operands[name] for name in names), *given])
    found = backward_p.bind(
        *arrays, call=call, names=names, above=above, wanted=wanted, groups=groups
    )
    return list(found)


def _varying_alike(arrays: list[Array]) -> list[Array]:
    """Within `shard_map`, have all vary over the axes that any of them does.

    What all devices had alike is then summed over them in its gradient.
    """
    axes = [_axes_of(jax.typeof(array)) for array in arrays]
    everywhere = frozenset().union(*axes)
    return [
        jax.lax.pcast(array, tuple(sorted(everywhere - own, key=str)), to="varying")
        if everywhere - own
        else array
        for array, own in zip(arrays, axes, strict=True)
    ]


# What comes out, from what goes in.


def _axes_of(aval: Any) -> frozenset[Any]:
    """Return the axes of a mesh over which an array varies within `shard_map`."""
    return frozenset(aval.mat.varying)


def _like(aval: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """Return what is another array on the same mesh, sharded by nobody but `shard_map`."""
    sharding = aval.sharding.update(spec=PartitionSpec(*[None] * len(shape)))
    return aval.update(shape=shape, dtype=np.dtype(dtype), weak_type=False, sharding=sharding)


def _results(x: Any, call: Pass, names: Names, arrays: Sequence[Any]) -> list[Any]:
    shapes = call.result_shapes(dict(zip(names, arrays, strict=True)))
    return [_like(x, shape, x.dtype) for shape in shapes]


def _forward_avals(*avals: Any, call: Pass, names: Names, **_: Any) -> list[Any]:
    return _results(avals[0], call, names, avals)


def _saving_avals(*avals: Any, call: Pass, names: Names, planned: Any) -> list[Any]:
    tape = _like(avals[0], (planned.tape_bytes,), np.uint8)
    return [*_results(avals[0], call, names, avals), tape]


def _tangent_avals(_: Any, *avals: Any, call: Pass, names: Names, **__: Any) -> list[Any]:
    return _results(avals[0], call, names, avals[: len(names)])


def _backward_avals(
    _: Any, *avals: Any, call: Pass, names: Names, wanted: Names, groups: int | None, **__: Any
) -> list[Any]:
    operands = dict(zip(names, avals, strict=False))

    def gradient(name: str) -> Any:
        operand = operands[name]
        if groups is not None and name in WEIGHTS:
            return _like(avals[0], (groups, *operand.shape), operand.dtype)
        return operand.update(weak_type=False)  # where it lies, its gradient does

    return [gradient(name) for name in wanted]


forward_p.def_abstract_eval(_forward_avals)
saving_p.def_abstract_eval(_saving_avals)
tangent_p.def_abstract_eval(_tangent_avals)
backward_p.def_abstract_eval(_backward_avals)


# Derivatives.


def _differentiated(
    primals: Sequence[Array], tangents: Sequence[Any], call: Pass, names: Names
) -> tuple[list[Array], Array, list[Any]]:
    """Return results, tape and the tangents of the results."""
    given = dict(zip(names, tangents, strict=True))
    moving = tuple(
        name for name in names if name in DIFFERENTIABLE and not isinstance(given[name], ad.Zero)
    )
    results, tape = saving(call, dict(zip(names, primals, strict=True)))
    if not moving:
        return results, tape, [ad.Zero(jax.typeof(one)) for one in results]
    moved = [given[name] for name in moving]
    dots = tangent_p.bind(
        *_varying_alike([tape, *primals, *moved]), call=call, names=names, moving=moving
    )
    return results, tape, dots


def _forward_jvp(
    primals: Sequence[Array], tangents: Sequence[Any], *, call: Pass, names: Names, planned: Any
) -> tuple[list[Array], list[Any]]:
    del planned  # for inference
    results, _, dots = _differentiated(primals, tangents, call, names)
    return results, dots


def _saving_jvp(
    primals: Sequence[Array], tangents: Sequence[Any], *, call: Pass, names: Names, planned: Any
) -> tuple[list[Array], list[Any]]:
    del planned
    results, tape, dots = _differentiated(primals, tangents, call, names)
    of_tape = ad.Zero(jax.typeof(tape).update(dtype=jax.dtypes.float0))
    return [*results, tape], [*dots, of_tape]


def _tangent_transpose(
    above: Sequence[Any], tape: Array, *arrays: Any, call: Pass, names: Names, moving: Names
) -> list[Any]:
    operands = named(names, arrays)
    there = tuple(not isinstance(one, ad.Zero) for one in above)
    given = [one for one, is_there in zip(above, there, strict=True) if is_there]
    gradients = backward(call, tape, operands, given, there, moving, None)
    return [None] * (1 + len(names)) + gradients


def _jvp_of(function: Callable[..., list[Array]]) -> Callable[..., Any]:
    """Return the rule of a primitive whose derivatives are those of its equations."""

    def jvp(primals: Sequence[Array], tangents: Sequence[Any], **of: Any) -> Any:
        tangents = [
            ad.instantiate_zeros(one) if isinstance(one, ad.Zero) else one for one in tangents
        ]
        return jax.jvp(partial(function, **of), tuple(primals), tuple(tangents))

    return jvp


def _lower(primitive: Any, equations: Callable[..., Any], kernels: Callable[..., Any]) -> None:
    mlir.register_lowering(primitive, mlir.lower_fun(equations, multiple_results=True))
    mlir.register_lowering(
        primitive, mlir.lower_fun(kernels, multiple_results=True), platform="cpu"
    )


_lower(forward_p, _by_equations.forward, _kernels.forward)
_lower(saving_p, _by_equations.saving, _kernels.forward_saving)
_lower(tangent_p, _by_equations.tangent, _by_equations.tangent)
_lower(backward_p, _by_equations.backward, _kernels.backward)

ad.primitive_jvps[forward_p] = _forward_jvp
ad.primitive_jvps[saving_p] = _saving_jvp
ad.primitive_jvps[tangent_p] = _jvp_of(_by_equations.tangent)
ad.primitive_transposes[tangent_p] = _tangent_transpose
ad.primitive_jvps[backward_p] = _jvp_of(_by_equations.backward)
