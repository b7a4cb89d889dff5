"""Where a call runs: on the host, or on a device, which `_devices` knows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from .. import _core, _devices
from .._check import Array, DType, empty, stacks, zeros


class HostPlace:
    """The processor, on NumPy's arrays; `_devices.DevicePlace` is the same for a device's."""

    __slots__ = ()

    core: Any = _core
    empty = staticmethod(empty)
    zeros = staticmethod(zeros)
    samples = staticmethod(_core.samples)

    def same(self, value: float, shape: tuple[int, ...], dtype: DType) -> Array:
        """Return a view of one row of `value`, as an array (..., n) of a shape."""
        return np.broadcast_to(np.full(shape[-1], value, dtype), shape)

    def put(self, mask: Array, places: npt.NDArray[np.intp], value: float) -> None:
        """Write a value to places among the numbers of a mask, in C order."""
        mask.reshape(-1)[places] = value

    def given(self, results: Any) -> Any:
        """Return results as the caller wants them."""
        return results

    def join(self, arrays: Iterable[Any]) -> None:
        """Wait for what is ready elsewhere."""


HOST = HostPlace()
Place: TypeAlias = HostPlace  # or its twin: arrays of a device pass for NumPy's


def place_of(given: stacks.Stack) -> Place:
    """Return where `x` is, and with it all else."""
    if type(given.x) is np.ndarray:
        return HOST
    arrays = (given.x, given.h0, given.c0, given.resets, *_flat(given.layers))
    return cast(Place, _devices.place_of(arrays))


def place_of_packed(given: stacks.Stack) -> Place:
    """As `place_of`, of a call that reads packed weights in place of its own."""
    if type(given.x) is np.ndarray:
        return HOST
    return cast(Place, _devices.place_of((given.x, given.h0, given.c0, given.resets)))


def place_of_weights(layers: stacks.Layers) -> Place:
    """Return where weights are."""
    if type(layers[0][0].w_ih) is np.ndarray:
        return HOST
    return cast(Place, _devices.place_of(_flat(layers)))


def _flat(layers: stacks.Layers) -> list[Any]:
    return [array for layer in layers for weights in layer for array in weights]
