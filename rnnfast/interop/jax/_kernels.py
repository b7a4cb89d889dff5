"""Passes of one layer in one direction as operations of XLA.

    forward           operands                     -> y, h_n, c_n
    forward_saving    operands                     -> y, h_n, c_n, tape
    backward          tape, operands, dy, dh_n...  -> the gradients that are wanted

The extension answers to XLA itself (csrc/doors/xla/): Python takes part while a program is traced,
when the plan is made, and no longer when it runs. A tape is an array of bytes whose size the plan
tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from ... import _core
from ..._check import cells

OPERANDS: tuple[str, ...] = tuple(_core.hosts.operands)
"""All operands that a pass may have, in the order in which it takes them."""

_STATES = ("h0", "c0")
_TARGETS = {name: f"rnnfast_{name}" for name in ("forward", "forward_saving", "backward")}

Arrays = Mapping[str, jax.Array]


class Pass(NamedTuple):
    """What of a pass is known before its data, and stands in the program.

    Parameters
    ----------
    cell : Cell
        What it computes.
    axes : {"time_first", "batch_first"}
        Whether sequences are (T, B, ...) or (B, T, ...).
    direction : {"forward", "reverse"}
        Which step is taken first.
    truncate : int
        Steps after which the gradient is cut, 0 for never.
    """

    cell: cells.Cell
    axes: str = "time_first"
    direction: str = "forward"
    truncate: int = 0

    def sizes(self, operands: Arrays) -> tuple[int, int, int, int, int]:
        """Return T, B, I, H and R, which is 0 without a projection."""
        steps, batch, inputs = operands["x"].shape
        if self.axes == "batch_first":
            steps, batch = batch, steps
        projection = operands.get("w_hr")
        if projection is None:
            return steps, batch, inputs, operands["w_hh"].shape[1], 0
        outputs, units = projection.shape
        return steps, batch, inputs, units, outputs


def kernel_calls() -> int:
    """Return how many passes the kernels have run for JAX in this process, forward and backward."""
    return int(_core.hosts.xla_passes())


def forward(call: Pass, operands: Arrays) -> tuple[jax.Array, ...]:
    """Return y, h_n and, where the cell has one, c_n."""
    words, _ = _planned(call, operands, "inference")
    results = _results(call, operands)
    return _run("forward", results, _in_order(operands), call=words)


def forward_saving(call: Pass, operands: Arrays) -> tuple[tuple[jax.Array, ...], jax.Array]:
    """As `forward`, with the tape."""
    words, tape_bytes = _planned(call, operands, "training")
    tape = jax.ShapeDtypeStruct((tape_bytes,), np.uint8)
    *results, saved = _run(
        "forward_saving", (*_results(call, operands), tape), _in_order(operands), call=words
    )
    return tuple(results), saved


def backward(
    tape: jax.Array,
    operands: Arrays,
    above: Iterable[jax.Array | None],
    wanted: Iterable[str],
    like: Mapping[str, jax.ShapeDtypeStruct],
) -> dict[str, jax.Array]:
    """Return the gradients of the operands that are wanted, which are `like` those.

    `above` are those of y, h_n and c_n, None for zero.
    """
    read = [array for name, array in _named(operands) if name not in _STATES and name != "lengths"]
    above = tuple(above)
    given = [array for array in above if array is not None]
    names = [name for name in OPERANDS if name in set(wanted)]
    gradients = _run(
        "backward",
        tuple(like[name] for name in names),
        (tape, *read, *given),
        above=_bits(array is not None for array in above),
        wanted=_bits(name in names for name in OPERANDS),
        of_sequences=np.int64(0),
    )
    return dict(zip(names, gradients, strict=True))


def _planned(call: Pass, operands: Arrays, purpose: str) -> tuple[Any, int]:
    words, tape_bytes = _core.hosts.plan_call(
        call.cell.core,
        np.dtype(operands["x"].dtype),
        call.sizes(operands),
        call.axes,
        call.direction,
        call.truncate,
        [name for name, _ in _named(operands)],
        purpose,
    )
    return np.asarray(words, np.int64), tape_bytes or 0


def _results(call: Pass, operands: Arrays) -> tuple[jax.ShapeDtypeStruct, ...]:
    x = operands["x"]
    _, batch, _, units, projection = call.sizes(operands)
    outputs = projection or units
    shapes = [(*x.shape[:2], outputs), (batch, outputs)]
    if call.cell.has_c:
        shapes.append((batch, units))
    return tuple(jax.ShapeDtypeStruct(shape, x.dtype) for shape in shapes)


def _named(operands: Arrays) -> list[tuple[str, jax.Array]]:
    return [(name, operands[name]) for name in OPERANDS if name in operands]


def _in_order(operands: Arrays) -> tuple[jax.Array, ...]:
    return tuple(array for _, array in _named(operands))


def _bits(those: Iterable[bool]) -> Any:
    return np.int64(sum(1 << place for place, there in enumerate(those) if there))


def _run(
    name: str,
    results: tuple[jax.ShapeDtypeStruct, ...],
    arrays: tuple[jax.Array, ...],
    **attributes: Any,
) -> tuple[jax.Array, ...]:
    run = jax.ffi.ffi_call(_TARGETS[name], results, vmap_method="sequential")
    return tuple(run(*arrays, **attributes))


def _register() -> None:
    for name, handler in _core.hosts.xla_handlers().items():
        jax.ffi.register_ffi_target(_TARGETS[name], handler, platform="cpu")


_register()
