"""Weights packed for the kernels, kept while nobody changes them: inference.

A weight has changed if autograd's version counter has, or if it lies elsewhere. What a pack was
made from is held on to, so that nothing else can come to lie in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from ... import _core
from ..._check import inputs, stacks
from ...functional._network import Network
from . import _kernels
from ._call import Call


class _Pack(NamedTuple):
    marks: list[tuple[int, int]]
    names: tuple[str, ...]
    sources: list[Tensor]
    layers: stacks.Layers
    packed: tuple[_core.Packed, ...]


_packs: WeakKeyDictionary[Any, _Pack] = WeakKeyDictionary()


def forward(
    module: object,
    call: Call,
    x: Tensor,
    h0: Tensor | None,
    c0: Tensor | None,
    weights: Sequence[Tensor],
    lengths: Tensor | None,
    resets: Tensor | None,
    seed: Tensor | None,
) -> tuple[Tensor, ...]:
    """As `_kernels.forward`, with the weights of `module` packed once where that is possible."""
    if seed is not None or any(w.is_inference() for w in weights) or not x.numel():
        return _kernels.forward(call, x, h0, c0, weights, lengths, resets, seed)
    pack = _packs.get(module)
    marks = [(w.data_ptr(), w._version) for w in weights]
    if pack is None or pack.marks != marks or pack.names != call.names:
        pack = _packs[module] = _pack(call, weights, marks)
    _kernels.begin()
    alone = len(pack.packed) == 1 and lengths is None and resets is None
    if alone and not any(call.rates[4:]):
        return _forward_one(pack, x, h0, c0)
    cell, array = call.core_cell(), _kernels.array
    given = stacks.of_call(
        cell,
        inputs.sequence_for(pack.layers[0][0], array(x)),
        pack.layers,
        list,
        None if h0 is None else array(h0),
        None if c0 is None else array(c0),
        None if lengths is None else array(lengths),
        None if resets is None else array(resets),
    )
    network = Network.of_packed(cell, given, pack.packed, False, call.noise(None))
    return tuple(map(torch.from_numpy, network.forward()))


def _pack(call: Call, weights: Sequence[Tensor], marks: list[tuple[int, int]]) -> _Pack:
    width = len(call.names)
    sources = [w.detach() for w in weights]
    arrays = [_kernels.array(w) for w in weights]
    given = inputs.Given(**{name: arrays[i::width] for i, name in enumerate(call.names)})
    cell = call.core_cell()
    layers, _ = stacks.alone(cell, given, call.bidirectional)
    packed = tuple(_core.Packed(cell.core, part) for layer in layers for part in layer)
    return _Pack(marks, call.names, sources, layers, packed)


def _forward_one(
    pack: _Pack, x: Tensor, h0: Tensor | None, c0: Tensor | None
) -> tuple[Tensor, ...]:
    """One layer in one direction: what a served model does step by step."""
    first = pack.layers[0][0]
    steps, batch, _ = x.shape
    y = torch.empty(steps, batch, first.output_size, dtype=x.dtype)
    h_n = torch.empty(1, batch, first.output_size, dtype=x.dtype)
    c_n = torch.empty(1, batch, first.hidden_size, dtype=x.dtype) if _has_c(pack) else None
    pack.packed[0].forward(
        (x if x.stride(2) == 1 else x.contiguous()).detach().resolve_neg().numpy(),
        None if h0 is None else _kernels.array(h0.contiguous()),
        None if c0 is None else _kernels.array(c0.contiguous()),
        None,
        None,
        None,
        y.numpy(),
        h_n.numpy(),
        None if c_n is None else c_n.numpy(),
    )
    return (y, h_n) if c_n is None else (y, h_n, c_n)


def _has_c(pack: _Pack) -> bool:
    first = pack.layers[0][0]
    return bool(first.w_ih.shape[0] == 4 * first.hidden_size)
