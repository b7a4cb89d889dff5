"""Dropout as Keras's cells have it, and zoneout, from the masks that they draw.

A cell without recurrent dropout has one mask of its inputs, which inputs can be multiplied by.
With it an LSTM or a GRU has a mask for each gate: of its inputs, and of h where it meets the
recurrent weights. The core has one h for all gates, so that it is given G of them side by side:

    x' = [x m_1 .. x m_G]        W_ih' = blocks of W_ih on a diagonal
    h' = [h .. h]                W_hh' = blocks of W_hh on a diagonal,   mask [m_1 .. m_G]

An LSTM's h' is a projection by G identities on top of each other (`w_hr`). A GRU has G copies of
all its units, which see the same and so stay alike: each gate of each copy reads its own h.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
from keras import ops

from ..._check import cells
from ._fallback import CannotRun


class Masks(NamedTuple):
    """The masks of a cell in one call: a tensor, one for each gate, or None."""

    of_inputs: Any = None
    of_h: Any = None

    @classmethod
    def of(cls, cell: Any, order: tuple[int, ...], x: Any, h: Any, training: bool) -> Masks:
        """Return those of a cell for x (B, T, I) and h (B, H), as it has drawn them.

        Those of gates are in the core's order, which `order` has.

        Raises
        ------
        CannotRun
            For rates of 1, of which Keras's cells make one thing or another.
        """
        rates = getattr(cell, "dropout", 0.0), getattr(cell, "recurrent_dropout", 0.0)
        if not training or not any(rates):
            return cls()
        if 1.0 in rates:
            raise CannotRun("a dropout rate of 1")
        drawn = (
            cell.get_dropout_mask(x[:, 0]) if rates[0] else None,
            cell.get_recurrent_dropout_mask(h) if rates[1] else None,
        )
        return cls(*([m[g] for g in order] if isinstance(m, list) else m for m in drawn))


class Widened(NamedTuple):
    """The operands of a call with its masks applied; h and y may have `copies` side by side."""

    x: Any
    weights: tuple[Any, ...]
    h0: Any
    recurrent_mask: Any
    copies: int

    @classmethod
    def of(
        cls, core: cells.Cell, masks: Masks, x: Any, weights: tuple[Any, ...], h0: Any
    ) -> Widened:
        """Return them."""
        w_ih, w_hh, *others = weights
        of_inputs, of_h = masks
        if isinstance(of_inputs, list):
            x = ops.concatenate([x * ops.expand_dims(mask, 1) for mask in of_inputs], axis=-1)
            w_ih = _on_diagonal(w_ih, core.gates)
        elif of_inputs is not None:
            x = x * ops.expand_dims(of_inputs, 1)
        if not isinstance(of_h, list):
            return cls(x, (w_ih, w_hh, *others), h0, of_h, 1)
        gates = core.gates
        wide = [_on_diagonal(w_hh, gates), *(*others, None, None)[:2]]
        if core.has_c:
            identity = ops.eye(h0.shape[-1], dtype=h0.dtype)
            wide = [w_ih, *wide, ops.concatenate([identity] * gates, axis=0)]
        else:
            wide = [_of_copies(rows, gates) for rows in (w_ih, *wide)]
        return cls(
            x,
            tuple(wide),
            ops.concatenate([h0] * gates, axis=-1),
            ops.concatenate(of_h, axis=-1),
            gates,
        )

    def narrow(self, wide: Any) -> Any:
        """Return the first of the copies on the last axis."""
        return wide if self.copies == 1 else wide[..., : wide.shape[-1] // self.copies]


def kept(cell: Any, zoneout: tuple[float, ...], x: Any, training: bool) -> dict[str, Any]:
    """Return how much of each state, (B, T, H), a step keeps of the one before; {} for nothing."""
    if not any(zoneout):
        return {}
    shape = (*ops.shape(x)[:2], cell.units)
    found = {}
    for name, rate in zip(("kept_h", "kept_c"), zoneout, strict=False):
        share = ops.full(shape, rate, dtype=x.dtype)
        if training:
            drawn = keras.random.uniform(shape, dtype=x.dtype, seed=cell.seed_generator)
            share = ops.cast(drawn < share, x.dtype)
        found[name] = share
    return found


def _on_diagonal(rows: Any, gates: int) -> Any:
    """Return the G blocks of (G*H, K) on the diagonal of (G*H, G*K)."""
    blocks = ops.reshape(rows, (gates, -1, 1, rows.shape[-1]))
    places = ops.reshape(ops.eye(gates, dtype=rows.dtype), (gates, 1, gates, 1))
    return ops.reshape(blocks * places, (rows.shape[0], -1))


def _of_copies(rows: Any, gates: int) -> Any:
    """Return the rows (G*H, ...) of each gate G times; None for None."""
    if rows is None:
        return None
    parts = ops.split(rows, gates, axis=0)
    return ops.concatenate([part for part in parts for _ in range(gates)], axis=0)
