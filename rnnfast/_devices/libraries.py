"""Whose an array is: the stream that its library works on, and how results become its own.

    torch       torch.cuda.current_stream(device)       torch.from_dlpack
    cupy        cupy.cuda.get_current_stream(device)    cupy.from_dlpack
    jax         has none to be asked for                jax.dlpack.from_dlpack
    others      the `stream` of the array's             the `from_dlpack` of its namespace, or our
                interface, if it has one                own array, which has both

Memory of results is PyTorch's or CuPy's own, of the allocator that they keep for this stream: they
know best when it may be used again, and a process has no second pool beside theirs. For others it
is taken from the device in the order of the stream.

Without a stream to ask for, a call runs on the legacy default stream, and the host waits for it:
whoever owns the arguments may use their memory for something else once the call has returned.

No library is imported here: an array of it has been made, so that it is loaded.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

LEGACY_STREAM = 1  # as DLPack and the interface number it


class Library(NamedTuple):
    """What there is to know of the library that an array is of."""

    stream: Callable[[int], int] | None  # that it works on now, of a device
    own: Callable[[Any], Any]  # from our array to its own
    memory: Callable[[int, int], tuple[int, object]] | None = None
    """Of so many bytes, on a device: the address, and what keeps it. Refused: MemoryError."""


def library_of(value: object) -> Library:
    """Return the library of an array; its class may be a subclass made elsewhere."""
    for base in type(value).__mro__:
        name = base.__module__.partition(".")[0]
        if name in _KNOWN:
            return _KNOWN[name]
    namespace = getattr(value, "__array_namespace__", None)
    own = getattr(namespace(), "from_dlpack", None) if callable(namespace) else None
    return Library(None, own or _itself)


def _stream_of_torch(device: int) -> int:
    return sys.modules["torch"].cuda.current_stream(device).cuda_stream or LEGACY_STREAM


def _stream_of_cupy(device: int) -> int:
    return sys.modules["cupy"].cuda.get_current_stream(device).ptr or LEGACY_STREAM


def _memory_of_torch(count: int, device: int) -> tuple[int, object]:
    torch = sys.modules["torch"]
    try:
        block = torch.empty(count, dtype=torch.uint8, device=f"cuda:{device}")
    except torch.cuda.OutOfMemoryError as error:
        raise MemoryError(str(error)) from None
    return block.data_ptr(), block


def _memory_of_cupy(count: int, device: int) -> tuple[int, object]:
    cuda = sys.modules["cupy"].cuda
    with cuda.Device(device):
        block = cuda.alloc(count)  # its OutOfMemoryError is a MemoryError
    return block.ptr, block


def _itself(array: Any) -> Any:
    return array


_JAX = Library(None, lambda array: sys.modules["jax"].dlpack.from_dlpack(array))
_KNOWN = {
    "torch": Library(
        _stream_of_torch, lambda array: sys.modules["torch"].from_dlpack(array), _memory_of_torch
    ),
    "cupy": Library(
        _stream_of_cupy, lambda array: sys.modules["cupy"].from_dlpack(array), _memory_of_cupy
    ),
    "jax": _JAX,
    "jaxlib": _JAX,
}
