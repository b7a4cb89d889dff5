"""Tensors of torch in the memory of an emulated GPU: they say that they are the CPU's.

What asks whether a tensor is on a GPU is told that all are. A tensor of the CPU's that is handed to
a call is copied there first; what a call makes lies there.
"""

import ctypes

import numpy as np
import torch

from rnnfast._devices import over
from rnnfast.interop.torch import _autograd, _device, _packed

STREAM = 7


class EmulatedTensors:
    """The emulated GPU's memory, of which nothing is given back while this lives."""

    def __init__(self, gpu, monkeypatch):
        self._gpu, self._blocks = gpu, []
        read = _device.array
        monkeypatch.setattr(_device, "takes", lambda tensor: True)
        monkeypatch.setattr(_device, "_stream", lambda device: STREAM)
        monkeypatch.setattr(_device, "_memory", self.memory)
        monkeypatch.setattr(_device, "array", lambda tensor: read(self.there(tensor)))
        # They look at a tensor's device themselves.
        monkeypatch.setattr(_autograd, "forward_single", lambda *_: None)
        monkeypatch.setattr(_packed, "forward_single", lambda *_: None)

    def memory(self, count, device):
        """As torch's allocator: the address, and what keeps it."""
        block = self._block(self._gpu.CallersMemory.reserved(count), count)
        return block.data_ptr(), block

    def there(self, tensor):
        """The tensor, if it is there, or a copy that is."""
        begins = tensor.data_ptr()
        if any(begin <= begins < begin + count for begin, count, _ in self._blocks):
            return tensor
        dense = tensor if tensor.is_contiguous() else tensor.detach().contiguous()
        numbers = ctypes.string_at(dense.data_ptr(), dense.numel() * dense.itemsize)
        block = self._block(self._gpu.CallersMemory(numbers), len(numbers))
        empty = torch.empty(0, dtype=tensor.dtype)
        return empty.set_(block.untyped_storage(), 0, tensor.shape, dense.stride())

    def capture(self):
        """What is launched from now on is recorded."""
        return self._gpu.Capture(0, STREAM)

    def _block(self, memory, count):
        geometry = over(memory.address, (count,), None, np.dtype(np.uint8))
        block = torch.from_numpy(geometry)
        self._blocks.append((memory.address, count, (memory, block)))
        return block
