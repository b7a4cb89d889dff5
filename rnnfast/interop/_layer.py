"""One layer in one direction on arrays, for hosts whose tensors share memory with arrays.

forward          -> y (T, B, R), h_n (B, R) and, where there is one, c_n (B, H)
forward_saving   -> the same, and the recording whose `backward` gives gradients by name
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .._check import cells, gradients, inputs
from ..engine.drawn_masks import DrawnMasks
from ..engine.network import Network, Recording

FLOWING = ("x", "h0", "c0", *inputs.RawWeights._fields)
"""What may have a gradient, in the order of `Operands`."""


class Operands(NamedTuple):
    """The arrays of a call, None where one is absent; `weights` are in the core's order."""

    x: Any
    h0: Any
    c0: Any
    weights: Sequence[Any]
    lengths: Any = None
    resets: Any = None
    masks: DrawnMasks = DrawnMasks()


def network(cell: cells.Cell, operands: Operands) -> Network:
    """Return the layer, its operands checked, ready for a pass."""
    x, h0, c0, weights, lengths, resets, masks = operands
    return Network(
        cell,
        x,
        inputs.RawWeights(*weights),
        h0,
        c0,
        lengths=lengths,
        resets=resets,
        reverse=False,
        bidirectional=False,
        noise=masks,
    )


def pull(recording: Recording, wanted: Sequence[bool], above: Sequence[Any]) -> list[Any]:
    """Return the gradients of `FLOWING`, as many as `wanted` are, None where one is not.

    `above` are the gradients of y, h_n and, where there is one, c_n, None for zeros.
    """
    dy, dh_n, dc_n, *_ = (*above, None)
    names = FLOWING[: len(wanted)]
    found = recording.backward(
        0,
        frozenset(name for name, want in zip(names, wanted, strict=True) if want),
        *gradients.upstream(dy, dh_n, dc_n, recording.network.given),
    )
    return [found.get(name) for name in names]
