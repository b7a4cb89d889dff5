"""PyTorch, eager, in bfloat16: the same modules with weights, states and gradients of 16 bits.

It stands beside the others, unranked: half the bytes and a hundredth of the accuracy. Everything
is converted beforehand, so that no call pays for it as it would under `torch.autocast`.
"""

from __future__ import annotations

from typing import Any

from rnnfast.testing.cells import Arguments, Array, Cell

from .torch import Torch

__all__ = ["TorchBfloat16"]


class TorchBfloat16(Torch):
    """`torch.nn.LSTM`, `GRU`, `RNN` and their cells, in bfloat16.

    Parameters
    ----------
    threads : int
        Threads that it uses, asserted.
    """

    name = "torch-bf16"
    ranks = False
    epsilon = 2.0**-7

    def _module(self, cell: Cell, inputs: Arguments, kind: str, layer: str) -> Any:
        return super()._module(cell, inputs, kind, layer).to(self._torch.bfloat16)

    def _tensor(self, array: Array) -> Any:
        return super()._tensor(array).to(self._torch.bfloat16)

    def _array(self, tensor: Any) -> Array:
        return super()._array(tensor.float())
