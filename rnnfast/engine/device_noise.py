"""Masks drawn on a device, from a seed that lies there: nobody waits for it.

They are those of `noise.py`, drawn by the same numbers, but for what a rate has between two of
their levels, less than 2^-16: the host draws where that befalls a mask, a device draws for each
element once more (`csrc/cuda/backend/masks.hpp`). Both meet the rate exactly.
"""

from __future__ import annotations

from typing import Any

from .. import _devices
from .._check import Array, DType
from .chance import chance
from .noise import LEVELS, Noise


class DeviceNoise(Noise):
    """As `Noise`, where `on` is an array of the device, and `seeds` the seed there, or None."""

    on: _devices.DeviceArray
    seeds: _devices.DeviceArray | None

    @classmethod
    def of(
        cls, noise: Noise, on: _devices.DeviceArray, seeds: _devices.DeviceArray | None
    ) -> DeviceNoise:
        """Return the rates of `noise`, for masks that are drawn on a device."""
        own = cls(*noise._replace(seed=None if seeds is None else 0))
        own.on, own.seeds = on, seeds
        return own

    def _kept(
        self, kind: int, number: int, shape: tuple[int, ...], rate: float, dtype: DType
    ) -> Array:
        if self.seeds is not None and rate:
            return self._drawn(kind, number, shape, rate, 1.0, 0.0, dtype)
        of_units: Any = self.on.fresh(shape[-1:])
        of_units[...] = rate
        rates: Array = of_units.broadcast_to(shape)
        return rates

    def _drawn(
        self,
        kind: int,
        number: int,
        shape: tuple[int, ...],
        rate: float,
        chosen: float,
        other: float,
        dtype: DType,
    ) -> Array:
        assert self.seeds is not None
        drawn = chance(rate, LEVELS)
        mask: Any = self.on.fresh(shape)
        rest = int(drawn.rest * 2.0**64)
        self.on.queue.draw_mask(
            self.seeds.geometry, kind, number, drawn.level, rest, chosen, other, mask.geometry
        )
        found: Array = mask
        return found
