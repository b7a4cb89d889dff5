"""Weights packed for the kernels, kept while nobody changes them: inference.

A weight has changed if autograd's version counter has, if it lies elsewhere, or if some of its
numbers are others. What a pack was made from is held on to, so that nothing else can come to lie in
its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from ... import _core
from ..._check import inputs, stacks
from ...functional._network import Network
from . import _kernels
from ._call import NO_RATES, Call, Given
from ._watchers import is_watched


class _Pack(NamedTuple):
    """What was packed.

    `marks` tell whether it still is as it was, `parameters` are its names in a module of one layer,
    one direction and no options, `sources` and `arrays` keep the memory, and `sample` is of it.
    """

    marks: list[tuple[int, int]]
    names: tuple[str, ...]
    parameters: tuple[str, ...]
    sources: list[Tensor]
    arrays: list[Any]
    sample: list[tuple[float, float, float]]
    layers: stacks.Layers
    packed: tuple[_core.Packed, ...]
    has_c: bool


_packs: WeakKeyDictionary[Any, _Pack] = WeakKeyDictionary()


def forward(
    module: object,
    call: Call,
    given: Given,
) -> tuple[Tensor, ...]:
    """As `_kernels.forward`, with the weights of `module` packed once where that is possible."""
    x, h0, c0, weights, lengths, resets, seed = given
    pack = None if seed is not None or not x.numel() else _pack_of(module, call, weights)
    if pack is None:
        return _kernels.forward(call, given)
    _kernels.begin()
    optional = _kernels.optional_array
    if len(pack.packed) == 1 and lengths is None and resets is None and call.rates is NO_RATES:
        return _forward_one(pack, x, h0, c0)
    cell = call.core_cell()
    stack = stacks.of_call(
        cell,
        inputs.sequence_for(pack.layers[0][0], _kernels.array(x)),
        pack.layers,
        list,
        optional(h0),
        optional(c0),
        optional(lengths),
        optional(resets),
    )
    network = Network.of_packed(cell, stack, pack.packed, False, call.noise(None))
    return tuple(map(torch.from_numpy, network.forward()))


def again(module: Any, x: Any, state: Any) -> tuple[Tensor, ...] | None:
    """One layer in one direction once more, without gradients: the shortest way.

    Returns y, h_n and, where there is one, c_n; None where anything is otherwise than in the call
    before, or not as the core needs it.
    """
    pack = _packs.get(module)
    if pack is None or not pack.parameters or type(x) is not Tensor or is_watched():
        return None
    there = module._parameters
    if _marks([there.get(name) for name in pack.parameters]) != pack.marks:
        return None
    if _sample(pack.arrays) != pack.sample:
        return None
    if len(x.shape) != 3 or x.dtype != pack.sources[0].dtype or not (x.is_cpu and x.numel()):
        return None
    if module.batch_first:
        x = x.transpose(0, 1)
    batch = x.shape[1]
    first = pack.layers[0][0]
    if x.shape[2] != first.input_size or x.stride(2) != 1:
        return None
    h0 = c0 = None
    if state is not None:
        states = state if isinstance(state, tuple) else (state,)
        widths = (first.output_size, first.hidden_size)[: 1 + pack.has_c]
        if len(states) != len(widths) or not all(
            type(s) is Tensor and s.is_cpu and s.shape == (1, batch, width) and s.dtype == x.dtype
            for s, width in zip(states, widths, strict=True)
        ):
            return None
        h0, c0 = states if pack.has_c else (*states, None)
    _kernels.begin()
    y, *after = _forward_one(pack, x, h0, c0)
    return (y.transpose(0, 1) if module.batch_first else y, *after)


def step(module: object, call: Call, x: Tensor, state: Any, weights: Sequence[Tensor]) -> Any:
    """Return the state after one step of a cell, (B, H); NotImplemented for the longer way."""
    pack = _pack_of(module, call, weights)
    if pack is None:
        return NotImplemented
    _kernels.begin()
    array = _kernels.array
    if state is not None:
        state = (array(state[0]), array(state[1])) if call.has_c else array(state)
    after = pack.packed[0].step(array(x), state)
    if after is NotImplemented:
        return after
    return tuple(map(torch.from_numpy, after)) if call.has_c else torch.from_numpy(after)


def _pack_of(module: object, call: Call, weights: Sequence[Tensor]) -> _Pack | None:
    """Return the weights as they are now, packed; None where their changes cannot be seen."""
    marks = _marks(weights)
    if marks is None:
        return None
    pack = _packs.get(module)
    stays = pack is not None and pack.marks == marks and pack.names == call.names
    if pack is None or not stays or _sample(pack.arrays) != pack.sample:
        pack = _packs[module] = _packed_now(module, call, weights, marks)
    return pack


def _sample(arrays: Sequence[Any]) -> list[tuple[float, float, float]]:
    """Return some numbers of the weights: what is written through `.data` moves no counter."""
    return [(a.item(0), a.item(a.size // 2), a.item(a.size - 1)) for a in arrays]


def _marks(weights: Sequence[Tensor | None]) -> list[tuple[int, int]] | None:
    """Return where weights lie and how often they were changed; None where that cannot be seen."""
    try:
        return [(w.data_ptr(), w._version) for w in weights if w is not None]
    except RuntimeError:  # made in inference mode, where there are no versions
        return None


def _packed_now(
    module: Any, call: Call, weights: Sequence[Tensor], marks: list[tuple[int, int]]
) -> _Pack:
    sources = [weight.detach() for weight in weights]
    arrays = [_kernels.array(weight) for weight in weights]
    cell = call.core_cell()
    layers, _ = stacks.alone(cell, _kernels.by_name(call, arrays), call.bidirectional)
    packed = tuple(_core.Packed(cell.core, part) for layer in layers for part in layer)
    plain = len(packed) == 1 and call.rates is NO_RATES
    parameters = tuple(getattr(module, "_flat_weights_names", ())) if plain else ()
    sample = _sample(arrays)
    return _Pack(marks, call.names, parameters, sources, arrays, sample, layers, packed, call.has_c)


def _forward_one(
    pack: _Pack, x: Tensor, h0: Tensor | None, c0: Tensor | None
) -> tuple[Tensor, ...]:
    """One layer in one direction: what a served model does step by step."""
    first = pack.layers[0][0]
    steps, batch, _ = x.shape
    hidden_size = first.hidden_size
    x = x if x.stride(2) == 1 else x.contiguous()
    y = np.empty((steps, batch, first.output_size), first.dtype)
    h_n = np.empty((1, batch, first.output_size), first.dtype)
    c_n = np.empty((1, batch, hidden_size), first.dtype) if pack.has_c else None
    pack.packed[0].forward(
        _kernels.array(x),
        None if h0 is None else _kernels.array(h0.contiguous()),
        None if c0 is None else _kernels.array(c0.contiguous()),
        None,
        None,
        None,
        y,
        h_n,
        c_n,
    )
    outputs = (y, h_n) if c_n is None else (y, h_n, c_n)
    return tuple(map(torch.from_numpy, outputs))
