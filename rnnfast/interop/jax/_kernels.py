"""Passes of one layer in one direction by the kernels, as calls of XLA.

    forward           operands                     -> y, h_n, c_n
    forward_saving    operands                     -> y, h_n, c_n, tape
    backward          tape, operands, dy, dh_n...  -> the gradients that are wanted

The extension answers to XLA itself (csrc/doors/xla/): Python takes part while a program is traced,
when the plan is made, and no longer when it runs. A tape is an array of bytes whose size the plan
tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import jax
import numpy as np

from ... import _core
from ._pass import OPERANDS, WEIGHTS, Names, Pass, Planned, named

Array: TypeAlias = jax.Array

_TARGETS = {name: f"rnnfast_{name}" for name in ("forward", "forward_saving", "backward")}
_NOT_READ_AGAIN = ("h0", "c0", "lengths")
_AXES = ("time_first", "batch_first")


def kernel_calls() -> int:
    """Return how many passes the kernels have run for JAX in this process, forward and backward."""
    return int(_core.hosts.xla_passes())


def forward(*arrays: Array, call: Pass, names: Names, planned: Planned) -> list[Array]:
    """Return y, h_n and, where the cell has one, c_n."""
    return _run("forward", _results(call, names, arrays), arrays, call=_words(planned))


def forward_saving(*arrays: Array, call: Pass, names: Names, planned: Planned) -> list[Array]:
    """As `forward`, with the tape."""
    results = _results(call, names, arrays)
    tape = jax.ShapeDtypeStruct((planned.tape_bytes,), np.uint8)
    return _run("forward_saving", [*results, tape], arrays, call=_words(planned))


def backward(
    tape: Array,
    *arrays: Array,
    call: Pass,
    names: Names,
    above: tuple[bool, ...],
    wanted: Names,
    groups: int | None,
) -> list[Array]:
    """Return the gradients of the operands that are wanted.

    `above` says of which results there are gradients, which follow the operands. With `groups`
    those of weights are sums over the sequences of so many equal parts of the batch, (groups, ...).
    """
    operands, given = named(names, arrays), arrays[len(names) :]
    read = [array for name, array in operands.items() if name not in _NOT_READ_AGAIN]
    _, batch, *_ = call.sizes(operands)

    def result(name: str) -> jax.ShapeDtypeStruct:
        of_each = (batch,) if groups is not None and name in WEIGHTS else ()
        return jax.ShapeDtypeStruct((*of_each, *operands[name].shape), operands[name].dtype)

    found = _run(
        "backward",
        [result(name) for name in wanted],
        (tape, *read, *given),
        axes=np.int64(_AXES.index(call.axes)),
        above=_bits(above),
        wanted=_bits(name in wanted for name in OPERANDS),
        of_sequences=np.int64(groups is not None),
    )
    if groups is None:
        return found
    return [
        array.reshape(groups, batch // groups, *array.shape[1:]).sum(1)
        if name in WEIGHTS
        else array
        for name, array in zip(wanted, found, strict=True)
    ]


def _results(call: Pass, names: Names, arrays: Sequence[Array]) -> list[jax.ShapeDtypeStruct]:
    shapes = call.result_shapes(named(names, arrays))
    return [jax.ShapeDtypeStruct(shape, arrays[0].dtype) for shape in shapes]


def _words(planned: Planned) -> Any:
    return np.asarray(planned.words, np.int64)


def _bits(those: Iterable[bool]) -> Any:
    return np.int64(sum(1 << place for place, there in enumerate(those) if there))


def _run(
    name: str, results: list[jax.ShapeDtypeStruct], arrays: Sequence[Array], **attributes: Any
) -> list[Array]:
    run = jax.ffi.ffi_call(_TARGETS[name], results, vmap_method="sequential")
    return list(run(*arrays, **attributes))


def _register() -> None:
    for name, handler in _core.hosts.xla_handlers().items():
        jax.ffi.register_ffi_target(_TARGETS[name], handler, platform="cpu")


_register()
