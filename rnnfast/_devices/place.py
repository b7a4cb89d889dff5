"""Where a call runs: a stream of a device, with the functions of `_core` and of NumPy it needs.

`engine.place` has its twin for the host.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from .array import DeviceArray, Place, empty
from .extension import queue
from .libraries import Library
from .types import DeviceType


class DevicePlace:
    """A stream of a device.

    Parameters
    ----------
    place : (int, int)
        The device and the stream.
    library : Library
        Whose arrays the results become.
    """

    __slots__ = ("_library", "_place", "_queue", "core")

    def __init__(self, place: Place, library: Library) -> None:
        self._place, self._library = place, library
        self._queue = queue(*place)
        self.core = _Core(self)

    def empty(
        self, name: str, shape: tuple[int, ...], dtype: DeviceType | np.dtype[Any]
    ) -> DeviceArray:
        """Return an array whose numbers are not set; refused memory is a MemoryError."""
        try:
            return empty(shape, dtype, self._place, self._library)
        except (MemoryError, OverflowError):
            device = self._place[0]
            raise MemoryError(f"no memory on cuda:{device} for {name} {shape} of {dtype}") from None

    def zeros(
        self, name: str, shape: tuple[int, ...], dtype: DeviceType | np.dtype[Any]
    ) -> DeviceArray:
        """Return an array of zeros."""
        array = self.empty(name, shape, dtype)
        array[...] = 0
        return array

    def same(self, value: float, shape: tuple[int, ...], dtype: np.dtype[Any]) -> DeviceArray:
        """Return a view of one row of `value`, as an array (..., n) of a shape."""
        row = self.empty("a mask", (1,) * (len(shape) - 1) + shape[-1:], dtype)
        row[...] = value
        return row.broadcast_to(shape)

    def put(self, mask: DeviceArray, places: npt.NDArray[np.intp], value: float) -> None:
        """Write a value to places of the host's among the numbers of a mask, in C order."""
        self._queue.put(mask.geometry, places, value)

    def given(self, results: Any) -> Any:
        """Return results as the caller wants them: arrays of its library, as what they came in.

        The host waits for them where the caller may use its arguments' memory for something else.
        """
        if self._library.stream is None:
            self._queue.wait()
        return self._own(results)

    def _own(self, result: Any) -> Any:
        if isinstance(result, dict):
            return {name: self._own(one) for name, one in result.items()}
        if isinstance(result, (list, tuple)):
            return type(result)(map(self._own, result))
        return result if result is None else self._library.own(result)

    def join(self, arrays: Iterable[Any]) -> None:
        """Have the stream wait for arrays, and for what its library works on now."""
        device, stream = self._place
        others = {one.stream for one in arrays if isinstance(one, DeviceArray)}
        if self._library.stream is not None:  # of whose memory results are made
            others.add(self._library.stream(device))
        for other in sorted(others - {stream}):
            self._queue.wait_for(other)

    def samples(self, arrays: tuple[Any, ...]) -> _Unwatched:
        """Look at nothing: a look at a device's memory would have the host wait."""
        return _Unwatched()


def place_of(arrays: Iterable[Any]) -> DevicePlace:
    """Return the place of a call of these arguments, of which the first is `x`."""
    x, *others = arrays
    place = DevicePlace((x.device, x.stream), x.library)
    place.join(others)
    return place


def sizes_of(steps: int, batch: int, weights: Any) -> tuple[int, int, int, int, int]:
    """Return T, B, I, H and R, which is 0 where h is not projected, of one layer's weights."""
    w_ih, w_hh, _, _, w_hr, *_ = weights
    inputs, outputs = w_ih.shape[1], w_hh.shape[1]
    if w_hr is None:
        return steps, batch, inputs, outputs, 0
    return steps, batch, inputs, w_hr.shape[1], outputs


class _Core:
    """`_core` for arrays on a device: its functions, on a stream.

    Tapes lie in memory of the arrays' library, or where the caller says, `..._in`.
    """

    def __init__(self, place: DevicePlace) -> None:
        self._place, self._queue = place, place._queue

    def pack(self, cell: Any, weights: Any, precision: str, scales: Any) -> _Packed:
        return _Packed(self._queue.pack(cell, _bare(tuple(weights))), precision)

    def forward(self, cell: Any, *arguments: Any) -> None:
        self._queue.forward(cell, *_bare(arguments))

    def forward_saving(self, cell: Any, *given: Any) -> _Tape:
        return self.forward_saving_in(self._memory("tape_bytes", cell, *given), cell, *given[:-1])

    def forward_saving_checkpoints(self, cell: Any, *given: Any) -> _Tape:
        memory = self._memory("tape_bytes_of_checkpoints", cell, *given)
        return self.forward_saving_checkpoints_in(memory, cell, *given[:-1])

    def _memory(self, how_many: str, cell: Any, x: DeviceArray, weights: Any, *of: Any) -> Any:
        masks = of[4]
        sizes = sizes_of(x.shape[0], x.shape[1], weights)
        masks_h = masks is not None and masks[0] is not None
        count = getattr(self._queue, how_many)(cell, x.geometry.dtype, sizes, masks_h)
        return self._place.empty("the tape", (count,), np.dtype(np.uint8))

    def forward_saving_in(self, memory: DeviceArray, cell: Any, *arguments: Any) -> _Tape:
        tape = self._queue.forward_saving(memory.geometry, cell, *_bare(arguments))
        return _Tape(tape, self._queue, memory)

    def forward_saving_checkpoints_in(
        self, memory: DeviceArray, cell: Any, *arguments: Any
    ) -> _Tape:
        tape = self._queue.forward_saving_checkpoints(memory.geometry, cell, *_bare(arguments))
        return _Tape(tape, self._queue, memory)

    def tape_in(self, memory: DeviceArray, cell: Any, *arguments: Any) -> _Tape:
        """Return what `forward_saving_in` has left; of x, weights, spans and masks."""
        tape = self._queue.tape(memory.geometry, cell, *_bare(arguments))
        return _Tape(tape, self._queue, memory)

    def tape_of_checkpoints_in(self, memory: DeviceArray, cell: Any, *arguments: Any) -> _Tape:
        """Return what `forward_saving_checkpoints_in` has left."""
        tape = self._queue.tape_of_checkpoints(memory.geometry, cell, *_bare(arguments))
        return _Tape(tape, self._queue, memory)

    def plan_layers(self, *_: Any) -> None:
        """Layers run one after the other, each on all of the device."""

    def draw_mask(self, *of: Any) -> None:
        self._queue.draw_mask(*_bare(of))

    def draw_mask_by(self, *of: Any) -> None:
        """By a seed that lies on the device."""
        self._queue.draw_mask_by(*_bare(of))

    def apply_mask(self, x: DeviceArray, mask: DeviceArray, to: DeviceArray) -> None:
        factors = np.broadcast_to(mask.geometry, x.shape)
        self._queue.apply_mask(x.geometry, factors, to.geometry)


class _Tape:
    """A tape of `_core`, whose passes run on the stream of the forward pass."""

    def __init__(self, tape: Any, queue: Any, memory: DeviceArray) -> None:
        self._tape, self._queue, self._memory = tape, queue, memory

    @property
    def nbytes(self) -> int:
        return int(self._tape.nbytes)

    def backward(self, *arguments: Any) -> None:
        self._queue.backward(self._tape, *_bare(arguments))

    def backward_per_sample(self, *arguments: Any) -> None:
        self._queue.backward_per_sample(self._tape, *_bare(arguments))

    def trace(self, *arguments: Any) -> None:
        self._queue.trace(self._tape, *_bare(arguments))


class _Packed:
    """Packed weights, for calls on any stream of their device."""

    def __init__(self, packed: Any, precision: str) -> None:
        self._packed, self.precision = packed, precision

    @property
    def nbytes(self) -> int:
        return int(self._packed.nbytes)

    def forward(self, x: DeviceArray, *arguments: Any) -> None:
        queue(x.device, x.stream).forward_packed(self._packed, *_bare((x, *arguments)))

    def step(self, x_t: object, state: object) -> Any:
        """Have no short way."""
        return NotImplemented


class _Unwatched:
    """Arrays of which nobody looks whether they change."""

    def changed(self) -> int:
        return -1


def _bare(value: Any) -> Any:
    """Return arguments as `_cuda` takes them: geometries in place of arrays."""
    if isinstance(value, DeviceArray):
        return value.geometry
    if isinstance(value, tuple):
        return tuple(map(_bare, value))
    return value
