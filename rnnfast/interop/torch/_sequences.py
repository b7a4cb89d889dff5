"""`PackedSequence`, which lies step after step, and the kernels' padded sequences with lengths.

Both ways are one gather or scatter of rows: torch's own go step by step, and the compiler does not
look into them. Which rows, the host says, since it is the host that has the lengths.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence


class Places(NamedTuple):
    """Where the rows of a packed sequence are among those of (T, B)."""

    steps: int
    batch: int
    rows: Tensor  # (N,): t B + b; where the data is
    lengths: Tensor  # (B,), longest first


def places_of(sequence: PackedSequence) -> Places:
    """Return where the rows of a packed sequence belong."""
    batch_sizes = sequence.batch_sizes
    steps, count = len(batch_sizes), len(sequence.data)
    batch = int(batch_sizes[0])
    step = torch.repeat_interleave(torch.arange(steps), batch_sizes, output_size=count)
    first = batch_sizes.cumsum(0) - batch_sizes
    rows = step * batch + torch.arange(count) - first[step]
    lengths = (batch_sizes > torch.arange(batch)[:, None]).sum(1)
    rows = rows.to(sequence.data.device, non_blocking=True)
    return Places(steps, batch, rows, lengths)


def reason_for_torch(sequence: PackedSequence) -> str | None:
    """Return why the kernels cannot run on a packed sequence; None if they can."""
    if is_captured(sequence.data):
        return "a packed sequence while CUDA records a graph, which would read the host's rows"
    return None


def is_captured(data: Tensor) -> bool:
    """Return whether what is launched now, for a tensor, goes into a graph."""
    return bool(data.is_cuda and torch.cuda.is_current_stream_capturing())


def padded(sequence: PackedSequence, places: Places) -> Tensor:
    """Return the data as (T, B, I), zero past the ends."""
    data = sequence.data
    x = data.new_zeros(places.steps * places.batch, data.shape[1]).index_copy_(0, places.rows, data)
    return x.view(places.steps, places.batch, -1)


def packed_like(y: Tensor, places: Places, sequence: PackedSequence) -> PackedSequence:
    """Return results (T, B, H) in the form of what they belong to."""
    data = y.flatten(0, 1).index_select(0, places.rows)
    return PackedSequence(
        data, sequence.batch_sizes, sequence.sorted_indices, sequence.unsorted_indices
    )
