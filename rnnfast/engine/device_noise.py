"""Masks drawn by a seed that lies on the device: no host waits for it, and a graph reads it anew.

They are those of `noise.py`, by the same numbers, but for what a rate has between two of their
levels, less than 2^-16: where that befalls a mask the host draws, a device asks of each element
(`csrc/cuda/backend/drawn_masks.hpp`). Either way the rate is met exactly.
"""

from __future__ import annotations

from .._check import Array, DType
from .._devices import DeviceArray, computed_in
from .chance import chance
from .noise import LEVELS, Noise
from .place import Place


class DeviceNoise(Noise):
    """As `Noise`, where `seeds` is the seed."""

    seeds: DeviceArray

    @classmethod
    def of(cls, noise: Noise, seeds: DeviceArray) -> DeviceNoise:
        """Return the rates of `noise`, of a call with a seed on a device."""
        own = cls(*noise._replace(seed=0))
        own.seeds = seeds
        return own

    def _drawn(
        self,
        place: Place,
        kind: int,
        number: int,
        shape: tuple[int, ...],
        rate: float,
        chosen: float,
        other: float,
        dtype: DType,
    ) -> Array:
        drawn = chance(rate, LEVELS)
        mask: Array = place.empty("a mask", shape, computed_in(dtype))
        rest = int(drawn.rest * 2.0**64)
        place.core.draw_mask_by(self.seeds, kind, number, drawn.level, rest, chosen, other, mask)
        return mask
