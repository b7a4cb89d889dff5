"""Libraries whose arrays are on an emulated GPU, each with the protocols of the real one.

What is emulated lies in memory of the host, so that a test can look at its numbers; the package
itself must not, and the emulation notices addresses that are not its own.
"""

import sys
from contextlib import nullcontext
from types import ModuleType, SimpleNamespace
from typing import ClassVar

import numpy as np


class GpuArray:
    """An array in the emulated GPU's memory; `geometry` shows its numbers."""

    def __init__(self, geometry, owner, device=0):
        self.geometry, self._owner, self._device = geometry, owner, device
        self.shape = geometry.shape
        self.ndim = geometry.ndim

    @classmethod
    def of(cls, numbers, device=0, bfloat16=False):
        """A copy of an array of the host; of bfloat16, rounded, whose geometry is of uint16."""
        from rnnfast import _cuda
        from rnnfast._devices.array import over

        numbers = bits_of_bfloat16(numbers) if bfloat16 else np.asarray(numbers)
        memory = _cuda.emulation.CallersMemory(numbers.tobytes())
        return cls(over(memory.address, numbers.shape, None, numbers.dtype), memory, device)

    def seen_as(self, view):
        """The same memory, as view(geometry)."""
        return type(self)(view(self.geometry), self._owner, self._device)


class DLPackArray(GpuArray):
    """One that speaks DLPack; `streams` are those that consumers have named."""

    streams: ClassVar[list[int | None]] = []

    def __dlpack_device__(self):
        return 2, self._device

    def __dlpack__(self, *, stream=None, max_version=None):
        from rnnfast import _cuda

        self.streams.append(stream)
        versioned = max_version is not None and max_version >= (1, 0)
        return _cuda.exported(self.geometry, self._device, self, versioned)

    @classmethod
    def from_dlpack(cls, array, stream):
        """As the libraries take another's array: on the stream that they work on."""
        from rnnfast import _cuda
        from rnnfast._devices.array import over
        from rnnfast._devices.types import type_on

        kind, device = array.__dlpack_device__()
        assert kind == 2
        capsule = array.__dlpack__(stream=stream, max_version=(1, 0))
        address, shape, strides, dtype, itemsize, owner = _cuda.opened(capsule)
        in_bytes = strides and tuple(itemsize * stride for stride in strides)
        geometry = over(address, shape, in_bytes, type_on(dtype, device).geometry)
        return cls(geometry, owner, device)


class Tensor(DLPackArray):
    """torch's."""

    __module__ = "torch"
    requires_grad = False

    def __dlpack__(self, *, stream=None, max_version=None):
        if self.requires_grad:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        return super().__dlpack__(stream=stream, max_version=max_version)


class CupyArray(DLPackArray):
    """CuPy's, which has both protocols."""

    __module__ = "cupy"

    @property
    def __cuda_array_interface__(self):
        raise AssertionError("its DLPack says more")


class JaxArray(DLPackArray):
    """JAX's, of before versions."""

    __module__ = "jaxlib._jax"

    def __dlpack__(self, *, stream=None):
        return super().__dlpack__(stream=stream)


class StandardArray(DLPackArray):
    """One of a library that nobody here knows, but which keeps to the array API standard."""

    def __array_namespace__(self):
        return SimpleNamespace(from_dlpack=lambda array: StandardArray.from_dlpack(array, 2))


class InterfaceArray(GpuArray):
    """One with the CUDA array interface alone, as Numba's."""

    stream = None
    mask = None

    @property
    def __cuda_array_interface__(self):
        data = self.geometry.__array_interface__["data"]
        return {
            "shape": self.shape,
            "typestr": self.geometry.dtype.str,
            "data": data,
            "strides": self.geometry.strides,
            "stream": self.stream,
            "mask": self.mask,
            "version": 3,
        }


def memory(count):
    """A block of the emulated GPU's, of a library that has an allocator."""
    from rnnfast import _cuda

    return _cuda.emulation.CallersMemory.reserved(count)


def empty_tensor(count, *, dtype, device):
    """As torch.empty, with its own error where there is no memory."""
    assert dtype == "uint8" and device.startswith("cuda:")
    try:
        block = memory(count)
    except MemoryError:
        raise sys.modules["torch"].cuda.OutOfMemoryError("CUDA out of memory.") from None
    return SimpleNamespace(data_ptr=lambda: block.address, block=block)


def install(monkeypatch):
    """Have the libraries in `sys.modules`; return what says which streams they work on."""
    streams = SimpleNamespace(torch=0, cupy=0)
    torch, cupy, jax = ModuleType("torch"), ModuleType("cupy"), ModuleType("jax")
    torch.cuda = SimpleNamespace(
        current_stream=lambda device: SimpleNamespace(cuda_stream=streams.torch)
    )
    torch.uint8 = "uint8"
    torch.empty = empty_tensor
    torch.cuda.OutOfMemoryError = type("OutOfMemoryError", (RuntimeError,), {})
    torch.from_dlpack = lambda array: Tensor.from_dlpack(array, streams.torch or 1)
    cupy.cuda = SimpleNamespace(
        get_current_stream=lambda device: SimpleNamespace(ptr=streams.cupy),
        Device=lambda device: nullcontext(),
        alloc=lambda count: SimpleNamespace(ptr=(block := memory(count)).address, block=block),
    )
    cupy.from_dlpack = lambda array: CupyArray.from_dlpack(array, streams.cupy or 1)
    jax.dlpack = SimpleNamespace(from_dlpack=lambda array: JaxArray.from_dlpack(array, 77))
    for module in (torch, cupy, jax):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return streams


def bits_of_bfloat16(numbers):
    """The upper halves of finite numbers of float32, rounded to nearest even."""
    bits = np.asarray(numbers, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def widened(bits):
    """The same numbers as float32."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def numbers(result):
    """What results, gradients or traces hold, on the host: arrays, or anything made of them.

    Of bfloat16 they are float32.
    """
    if isinstance(result, GpuArray) or hasattr(result, "geometry"):
        held = np.array(result.geometry)
        return widened(held) if held.dtype == np.uint16 else held
    if isinstance(result, (list, tuple)):
        return [numbers(one) for one in result]
    return result
