"""One layer in one direction on arrays, for hosts whose tensors share memory with arrays.

network(...).forward()           -> y, h_n and, where there is one, c_n
network(...).forward_saving()    -> the same as a tuple, and a recording, from which `pull`
pull(recording, ...)             -> gives gradients in the order of `FLOWING`
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._check import cells, gradients, inputs
from ..engine.drawn_masks import DrawnMasks
from ..engine.network import Network, Recording

FLOWING = ("x", "h0", "c0", *inputs.RawWeights._fields)
"""What may have a gradient, in the order in which it is asked for."""


def network(
    cell: cells.Cell,
    x: Any,
    weights: Sequence[Any],
    h0: Any,
    c0: Any,
    *,
    lengths: Any = None,
    recurrent_mask: Any = None,
    kept_h: Any = None,
    kept_c: Any = None,
    batch_first: bool = False,
    reverse: bool = False,
) -> Network:
    """Return the layer, its operands checked, ready for a pass; None stands for what is absent.

    x is (T, B, I), weights are in the core's order, h0 (B, R), c0 (B, H), lengths (B,),
    recurrent_mask (B, R), kept_h (T, B, R), kept_c (T, B, H); with `batch_first` B stands first.
    """
    kept = [kept_h, kept_c]
    if batch_first:
        kept = [None if mask is None else mask.swapaxes(0, 1) for mask in kept]
    return Network(
        cell,
        x,
        inputs.RawWeights(*weights),
        h0,
        c0,
        lengths=lengths,
        resets=None,
        reverse=reverse,
        bidirectional=False,
        noise=DrawnMasks(recurrent_mask, *kept),
        batch_first=batch_first,
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
