"""`PackedSequence`, which lies step after step, and the kernels' padded sequences with lengths."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence


def padded(sequence: PackedSequence) -> tuple[Tensor, Tensor]:
    """Return the data as (T, B, I) and the lengths (B,), longest first."""
    x, lengths = torch._VF._pad_packed_sequence(
        sequence.data, sequence.batch_sizes, False, 0.0, len(sequence.batch_sizes)
    )
    return x, lengths


def packed_like(y: Tensor, lengths: Tensor, sequence: PackedSequence) -> PackedSequence:
    """Return results (T, B, H) in the form of what they belong to."""
    data, batch_sizes = torch._VF._pack_padded_sequence(y, lengths, False)
    return PackedSequence(data, batch_sizes, sequence.sorted_indices, sequence.unsorted_indices)
