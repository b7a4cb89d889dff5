"""One layer in one direction, differentiable: what all else of this package stands on."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..._check import cells
from . import _batching, _primitives
from ._pass import WEIGHTS, Pass


def recurrence(
    cell: cells.Cell,
    x: jax.Array,
    weights: tuple[jax.Array | None, ...],
    h0: jax.Array | None = None,
    c0: jax.Array | None = None,
    *,
    lengths: jax.Array | None = None,
    resets: jax.Array | None = None,
    recurrent_mask: jax.Array | None = None,
    kept_h: jax.Array | None = None,
    kept_c: jax.Array | None = None,
    batch_first: bool = False,
    reverse: bool = False,
    truncate: int = 0,
) -> tuple[jax.Array, jax.Array, jax.Array | None]:
    """Run one layer in one direction.

    Parameters
    ----------
    cell : Cell
        What it computes.
    x : Array, shape (T, B, I)
        Of float32 or float64, as all others. (B, T, I) with `batch_first`.
    weights : tuple of Array or None
        w_ih (G*H, I), w_hh (G*H, R), b_ih and b_hh (G*H,), w_hr (R, H), peephole (U*H,),
        layer_norm; None, or left out at the end, where absent.
    h0, c0 : Array, shape (B, R) and (B, H), optional
        States before the first step, zero by default.
    lengths : Array of integers, shape (B,), optional
        Steps of each sequence, from 0 to T.
    resets : Array of bool, shape (T, B), optional
        Steps before which states are zero; axes as those of x.
    recurrent_mask : Array, shape (B, R), optional
        Factors of h where it meets w_hh. It has no gradient, as the two below.
    kept_h, kept_c : Array, shape (T, B, R) and (T, B, H), optional
        How much of its state a step keeps of the step before (zoneout); axes as those of x.
    batch_first, reverse : bool, default False
        How sequences lie, and whether the last step is taken first. Nothing is copied for it.
    truncate : int, default 0
        Steps after which the gradient is cut, 0 for never.

    Returns
    -------
    tuple of y (T, B, R), h_n (B, R) and c_n (B, H), None where the cell has none
    """
    given = dict(zip(WEIGHTS, weights, strict=False))
    given |= {"x": x, "h0": h0, "c0": c0}
    given["lengths"] = None if lengths is None else jnp.asarray(lengths, jnp.int32)
    given["resets"] = None if resets is None else jnp.asarray(resets, bool)
    given |= {"mask": recurrent_mask, "kept_h": kept_h, "kept_c": kept_c}
    operands = {name: array for name, array in given.items() if array is not None}
    call = Pass(
        cell,
        "batch_first" if batch_first else "time_first",
        "reverse" if reverse else "forward",
        truncate,
    )
    if 0 in x.shape[:2]:
        return _without_steps(call, operands)
    y, h_n, *c_n = _primitives.forward(call, operands)
    return y, h_n, c_n[0] if c_n else None


def _without_steps(
    call: Pass, operands: dict[str, jax.Array]
) -> tuple[jax.Array, jax.Array, jax.Array | None]:
    """Return the states as they were."""
    x = operands["x"]
    _, batch, _, units, projection = call.sizes(operands)
    outputs = projection or units

    def state(name: str, width: int) -> jax.Array:
        return operands.get(name, jnp.zeros((batch, width), x.dtype))

    c_n = state("c0", units) if call.cell.has_c else None
    return jnp.zeros((*x.shape[:2], outputs), x.dtype), state("h0", outputs), c_n


_batching.register()
