"""PyTorch on sequences of different lengths: `PackedSequence` in and out of the same modules.

The call packs padded inputs and pads the outputs, as whoever holds padded arrays must, and as ours
does with `lengths`.
"""

from __future__ import annotations

from typing import Any

from rnnfast.testing.cells import Array

from .torch import Torch

__all__ = ["TorchPacked"]


class TorchPacked(Torch):
    """`torch.nn.LSTM` and its kin under `pack_padded_sequence`.

    Parameters
    ----------
    threads : int
        Threads that it uses, asserted.
    lengths : ndarray of int, shape (B,)
        Steps of each sequence, in any order.
    """

    name = "torch-packed"

    def __init__(self, threads: int, lengths: Array) -> None:
        super().__init__(threads)
        self._lengths = self._torch.from_numpy(lengths)

    def _callable(self, module: Any) -> Any:
        rnn = self._torch.nn.utils.rnn

        def run(x: Any) -> tuple[Any, Any]:
            packed = rnn.pack_padded_sequence(x, self._lengths, enforce_sorted=False)
            y, final = module(packed)
            padded, _ = rnn.pad_packed_sequence(y, total_length=x.shape[0])
            return padded, final

        return run
