"""An array on a device, with as much of an ndarray as the rest of the package asks for.

Where its numbers lie is told by an ndarray over the device's addresses, `geometry`: its shape and
strides, and those of any view, are NumPy's business, and the kernels read it as they read others.
Nobody reads or writes through it on the host. What its numbers are, `types` says.
"""

from __future__ import annotations

import math
from types import EllipsisType, SimpleNamespace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .extension import loaded, queue
from .libraries import LEGACY_STREAM, Library
from .types import DeviceType, type_on

Key: TypeAlias = int | slice | EllipsisType | None
Place: TypeAlias = tuple[int, int]  # device and stream

CUDA = 2  # of DLPack's devices


class DeviceArray:
    """An array on a device; its library, and the stream on which its numbers are ready.

    It speaks DLPack and the CUDA array interface.
    """

    __slots__ = ("device", "dtype", "geometry", "library", "owner", "stream")
    __array_ufunc__ = None

    def __init__(
        self,
        geometry: npt.NDArray[Any],
        dtype: DeviceType,
        stream: int,
        library: Library,
        owner: object,
    ) -> None:
        self.geometry = geometry
        self.dtype, self.device = dtype, dtype.device
        self.stream = stream
        self.library = library
        self.owner = owner  # of the memory

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each axis."""
        return self.geometry.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.geometry.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.geometry.size

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""
        return self.geometry.itemsize

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes from one element to the next along each axis."""
        return self.geometry.strides

    @property
    def flags(self) -> Any:
        """As of an ndarray."""
        return self.geometry.flags

    def view(self) -> DeviceArray:
        """Return another array over the same memory."""
        return self._over(self.geometry.view())

    def swapaxes(self, first: int, second: int) -> DeviceArray:
        """Return a view with two axes swapped."""
        return self._over(self.geometry.swapaxes(first, second))

    def broadcast_to(self, shape: tuple[int, ...]) -> DeviceArray:
        """Return a view in which axes of size 1 are repeated."""
        return self._over(np.broadcast_to(self.geometry, shape))

    def __getitem__(self, key: Key | tuple[Key, ...]) -> DeviceArray:
        """Return a view: of slices, of whole axes, with new ones."""
        return self._over(self.geometry[key])

    def __setitem__(self, key: Key | tuple[Key, ...], value: DeviceArray | float) -> None:
        """Write a number to a view, or another array of its shape."""
        to = self.geometry[key]
        if isinstance(value, DeviceArray):
            if value is not self:
                self.queue.copy(np.broadcast_to(value.geometry, to.shape), to)
        else:
            self.queue.fill(to, value)

    def copy(self) -> DeviceArray:
        """Return a new array in C order."""
        fresh = self.fresh(self.shape)
        self.queue.copy(self.geometry, fresh.geometry)
        return fresh

    def __mul__(self, mask: DeviceArray) -> DeviceArray:
        """Return the product with a mask, of the scalar type; its axes fit the last ones."""
        fresh = self.fresh(self.shape)
        self._apply(mask, fresh)
        return fresh

    def __imul__(self, mask: DeviceArray) -> DeviceArray:
        """Multiply by a mask, likewise."""
        self._apply(mask, self)
        return self

    def __iadd__(self, other: DeviceArray) -> DeviceArray:
        """Add an array of the same shape."""
        self.queue.add(self.geometry, other.geometry, self.geometry)
        return self

    def as_of(self, dtype: DeviceType, shape: tuple[int, ...]) -> DeviceArray:
        """Return the first bytes of an array of bytes as numbers, in C order."""
        count = math.prod(shape) * dtype.itemsize
        numbers = self.geometry[:count].view(dtype.geometry).reshape(shape)
        return DeviceArray(numbers, dtype, self.stream, self.library, self.owner)

    def fresh(self, shape: tuple[int, ...]) -> DeviceArray:
        """Return an array of this type, on this stream, whose numbers are not set."""
        return empty(shape, self.dtype, (self.device, self.stream), self.library)

    def __dlpack_device__(self) -> tuple[int, int]:
        """Return DLPack's number of the kind of device, and that of the device."""
        return CUDA, self.device

    def __dlpack__(
        self,
        *,
        stream: int | None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> object:
        """Return a capsule over the same memory; `stream` is made to wait until it is ready."""
        if copy or dl_device not in (None, self.__dlpack_device__()):
            raise BufferError(f"this array is on cuda:{self.device} and is given without a copy")
        if stream == 0:
            raise ValueError("stream must be None, -1, 1, 2 or a stream's address, got 0")
        if stream not in (-1, self.stream):
            self.queue.hold_up(LEGACY_STREAM if stream is None else stream)
        versioned = max_version is not None and max_version[0] >= 1
        return loaded().exported(self.geometry, self.device, self, versioned)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """As version 3 describes it."""
        return {
            "shape": self.shape,
            "typestr": self.dtype.typestr,
            "data": (address_of(self.geometry), not self.flags.writeable),
            "strides": self.strides,
            "stream": self.stream,
            "version": 3,
        }

    def __array__(self, *_: object, **__: object) -> npt.NDArray[Any]:
        """Refuse to be taken for an array of the host."""
        raise TypeError(
            f"this array is on cuda:{self.device}, its numbers are not the host's; copy it by a "
            "library of the device's, for example torch.from_dlpack(array).cpu()"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Refuse to be pickled: numbers of a device are nobody else's."""
        raise TypeError(f"an array on cuda:{self.device} cannot be pickled, copy it to the host")

    def __repr__(self) -> str:
        """Show what it is, but for its numbers."""
        return f"DeviceArray(shape={self.shape}, dtype={self.dtype}, device=cuda:{self.device})"

    @property
    def queue(self) -> Any:
        """What makes calls on its stream."""
        return queue(self.device, self.stream)

    def _over(self, geometry: npt.NDArray[Any]) -> DeviceArray:
        return DeviceArray(geometry, self.dtype, self.stream, self.library, self.owner)

    def _apply(self, mask: DeviceArray, to: DeviceArray) -> None:
        factors = np.broadcast_to(mask.geometry, self.shape)
        self.queue.apply_mask(self.geometry, factors, to.geometry)


def empty(
    shape: tuple[int, ...], dtype: DeviceType | np.dtype[Any], place: Place, library: Library
) -> DeviceArray:
    """Return an array whose numbers are not set; refused memory is a MemoryError."""
    type_there = type_on(dtype.name, place[0])
    count = math.prod(shape) * dtype.itemsize
    if library.memory is not None:
        address, owner = library.memory(count, place[0])
    else:
        owner = queue(*place).empty(count)
        address = owner.address
    return DeviceArray(
        over(address, shape, None, type_there.geometry), type_there, place[1], library, owner
    )


def over(
    address: int, shape: tuple[int, ...], strides: tuple[int, ...] | None, dtype: np.dtype[Any]
) -> npt.NDArray[Any]:
    """Return the geometry of an array; strides in bytes, None in C order."""
    if 0 in shape:
        return np.empty(shape, dtype)
    interface = {
        "data": (address, False),
        "shape": shape,
        "strides": strides,
        "typestr": dtype.str,
        "version": 3,
    }
    return np.asarray(SimpleNamespace(__array_interface__=interface))


def address_of(geometry: npt.NDArray[Any]) -> int:
    """Return the address of the first element."""
    return int(geometry.__array_interface__["data"][0])
