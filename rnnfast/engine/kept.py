"""Passes on a device that leave what they keep in memory of the caller's: for hosts with graphs.

What is kept of L layers and D directions lies in one piece:

    tape of each layer and direction, y of each layer but the last

All else that a backward pass needs is made once more from the arguments: masks from their seed,
masked inputs. How many bytes these are follows from sizes alone, which may be symbols: of lengths
as well as of a call without.

    bytes(T, B) = a T B + b         of a tape of all steps, at least what the core asks for
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import Any, NamedTuple, cast

import numpy as np

from .._check import Array, cells
from .._devices import DeviceArray, DeviceType, queue
from .core_calls import Results, masks_in_time
from .empty_pass import NoTape, carry
from .network import DirectedLayer, Network, Recording, Saved
from .noise import Noise
from .step_order import time_of

_PIECE = 256  # bytes; what each part begins on
_MANY_ROWS = 4096  # of a tape whose parts have no gaps
_GAPS = 2048  # bytes between the parts of a tape, at most


class Sizes(NamedTuple):
    """Of a call. T and B may be symbols."""

    steps: Any
    batch: Any
    inputs: int
    units: int
    projection: int  # R, 0 where h is not projected
    layers: int
    directions: int

    @property
    def outputs(self) -> int:
        """The width of h."""
        return self.projection or self.units


class Keeps(NamedTuple):
    """What a pass keeps: the bytes of a tape, and the names of the core's functions."""

    tape_bytes: Callable[[Any, str, Sizes, bool], Any]
    save: str
    tape: str


class Layout(NamedTuple):
    """Bytes of each part, in their order."""

    tapes: list[Any]
    outputs: list[Any]

    @property
    def size(self) -> Any:
        """Bytes of all."""
        return sum(map(_rounded, (*self.tapes, *self.outputs)))


def layout(
    keeps: Keeps, cell: cells.Cell, type_there: DeviceType, sizes: Sizes, masks_h: bool
) -> Layout:
    """Return where a pass leaves what it keeps, of arrays of a type of the device.

    `masks_h` says whether h is masked where it meets the recurrent weights.
    """
    inputs = (sizes.inputs, *[sizes.directions * sizes.outputs] * (sizes.layers - 1))
    tapes = [
        keeps.tape_bytes(cell.core, type_there.geometry.str, sizes._replace(inputs=width), masks_h)
        for width in inputs
        for _ in range(sizes.directions)
    ]
    of_rows = sizes.directions * sizes.outputs * type_there.itemsize
    return Layout(tapes, [of_rows * sizes.steps * sizes.batch] * (sizes.layers - 1))


def _bytes_of_all_steps(core: Any, dtype: str, sizes: Sizes, masks_h: bool) -> Any:
    one = sizes._replace(steps=_MANY_ROWS, batch=1, layers=1, directions=1)
    many = _tape_bytes("tape_bytes", core, dtype, one, masks_h)
    return -(-many // _MANY_ROWS) * sizes.steps * sizes.batch + _GAPS


def _bytes_of_checkpoints(core: Any, dtype: str, sizes: Sizes, masks_h: bool) -> int:
    """Of fewer steps as well, which may be stretches of other lengths; symbols become numbers."""
    steps, batch = int(sizes.steps), int(sizes.batch)
    return _most_bytes(core, dtype, sizes._replace(steps=steps, batch=batch), masks_h)


@cache
def _most_bytes(core: Any, dtype: str, sizes: Sizes, masks_h: bool) -> int:
    how = "tape_bytes_of_checkpoints"
    return max(
        _tape_bytes(how, core, dtype, sizes._replace(steps=steps), masks_h)
        for steps in range(1, sizes.steps + 1)
    )


@lru_cache(maxsize=2**14)  # of checkpoints, an entry for each number of steps
def _tape_bytes(how: str, core: Any, dtype: str, sizes: Sizes, masks_h: bool) -> int:
    ask: Callable[..., int] = getattr(queue(0, 1), how)  # any: it does not depend on the stream
    return ask(core, np.dtype(dtype), sizes[:5], masks_h)


ALL_STEPS = Keeps(_bytes_of_all_steps, "forward_saving_in", "tape_in")
CHECKPOINTS = Keeps(
    _bytes_of_checkpoints, "forward_saving_checkpoints_in", "tape_of_checkpoints_in"
)


def _rounded(count: Any) -> Any:
    return (count + _PIECE - 1) // _PIECE * _PIECE


class KeepingNetwork(Network):
    """A network on a device, for calls that keep, in `memory`, what `layout` has room for."""

    def forward_keeping(self, memory: DeviceArray, keeps: Keeps) -> tuple[Array, ...]:
        """As `forward`."""
        tapes, outputs = self._parts(memory, keeps)
        states, x = self._states(), self.given.x
        y = self._output()
        for layer, of_layer in enumerate((*outputs, y)):
            x, _ = self._between(layer, x)
            for directed in self._directed(layer, x):
                places = self._places(directed.number, directed.direction, of_layer, states)
                self._save(directed, tapes[directed.number], places, keeps)
            x = of_layer
        return self._results(y, states)

    def recording(self, memory: DeviceArray, keeps: Keeps) -> Recording:
        """Return the recording of a call with the same arguments, from what it has kept."""
        tapes, outputs = self._parts(memory, keeps)
        saved = []
        for layer, x in enumerate((self.given.x, *outputs)):
            x, mask = self._between(layer, x)
            both = self._directed(layer, x)
            of_both = [self._tape(one, tapes[one.number], keeps) for one in both]
            saved.append(Saved(both, of_both, mask))
        return Recording(self, saved)

    def _parts(self, memory: Any, keeps: Keeps) -> tuple[list[Any], list[Any]]:
        """Return the memory of each tape, and y of each layer but the last."""
        given, noise = self.given, cast(Noise, self.noise)
        x, first = given.x, given.first
        projection = first.output_size if first.w_hr is not None else 0
        sizes = Sizes(
            *(x.shape[0], x.shape[1], x.shape[2], first.hidden_size, projection),
            *(len(given.layers), given.directions),
        )
        masks_h = bool(noise.recurrent_dropout) and noise.seed is not None
        type_there = cast(DeviceType, x.dtype)
        parts = layout(keeps, self.cell, type_there, sizes, masks_h)
        pieces = _pieces(memory, (*parts.tapes, *parts.outputs))
        tapes = [next(pieces) for _ in parts.tapes]
        return tapes, [piece.as_of(type_there, given.output_shape) for piece in pieces]

    def _save(
        self, directed: DirectedLayer, memory: DeviceArray, results: Results, keeps: Keeps
    ) -> None:
        given, time = directed.given, time_of(directed.given, directed.reverse)
        if not given.steps:
            carry(None, results.y)
            carry(given.h0, results.h_n)
            carry(given.c0, results.c_n)
            return
        save = getattr(self.place.core, keeps.save)
        masks = masks_in_time(time, directed.masks)
        of_steps = (time.spans, time(given.resets), masks, time.results(results.y))
        save(
            *(memory, self.cell.core, time(given.x), given.weights, given.h0, given.c0),
            *(*of_steps, results.h_n, results.c_n),
        )

    def _tape(self, directed: DirectedLayer, memory: DeviceArray, keeps: Keeps) -> Any:
        given = directed.given
        if not given.steps:
            return NoTape()
        time = time_of(given, directed.reverse)
        tape = getattr(self.place.core, keeps.tape)
        masks = masks_in_time(time, directed.masks)
        return tape(memory, self.cell.core, time(given.x), given.weights, time.spans, masks)


def _pieces(memory: DeviceArray, counts: tuple[int, ...]) -> Iterator[DeviceArray]:
    begin = 0
    for count in counts:
        yield memory[begin : begin + count]
        begin += _rounded(count)
