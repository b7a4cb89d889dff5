"""Masks that a caller has drawn, where `Noise` draws ours: for hosts with generators of their own.

recurrent (B, R)                    h meets W_hh as m h, at all steps
kept_h (T, B, R), kept_c (T, B, H)  s = d s_prev + (1 - d) s~
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .._check import Array, DType
from .._check.arrays import contiguous, real_like, require_shape, unit_last_stride
from .noise import StateMasks
from .place import Place


class DrawnMasks(NamedTuple):
    """The masks of one layer in one direction; None is no mask."""

    recurrent: Any = None
    kept_h: Any = None
    kept_c: Any = None

    @property
    def dropout(self) -> float:
        """Return 0: nothing is drawn beside them."""
        return 0.0

    @property
    def seed(self) -> int:
        """Return any: none is missing."""
        return 0

    @property
    def acts(self) -> bool:
        """Whether anything is masked."""
        return any(mask is not None for mask in self)

    def require_held_rates(self, dtype: DType) -> None:
        """Do nothing: there are no rates."""

    def of_inputs(self, place: Place, layer: int, shape: tuple[int, ...], dtype: DType) -> None:
        """Return None: inputs come masked."""

    def of_weights(self, place: Place, number: int, shape: tuple[int, ...], dtype: DType) -> None:
        """Return None: weights come masked."""

    def of_states(
        self,
        place: Place,
        number: int,
        rows: tuple[int, ...],
        widths: tuple[int, int],
        dtype: DType,
    ) -> StateMasks | None:
        """Return the masks, checked; `rows` is (T, B), `widths` are those of h and c."""
        if not self.acts:
            return None
        recurrent = None
        if self.recurrent is not None:
            recurrent = real_like("recurrent_mask", self.recurrent, "x", dtype)
            require_shape("recurrent_mask", recurrent, "(B, R)", (rows[1], widths[0]))
            recurrent = contiguous(recurrent)
        kept_h = _kept("kept_h", self.kept_h, "(T, B, R)", (*rows, widths[0]), dtype)
        kept_c = _kept("kept_c", self.kept_c, "(T, B, H)", (*rows, widths[1]), dtype)
        return recurrent, kept_h, kept_c


def _kept(
    name: str, value: Any, symbols: str, shape: tuple[int, ...], dtype: DType
) -> Array | None:
    if value is None:
        return None
    mask = real_like(name, value, "x", dtype)
    require_shape(name, mask, symbols, shape)
    return unit_last_stride(mask)
