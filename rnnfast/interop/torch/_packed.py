"""Weights packed for the kernels, kept while nobody changes them: inference.

Weights have changed if autograd's version counters have, if they lie elsewhere, or if any of their
bytes is another: every call reads them all, unless their module is frozen (`freeze.py`). What a
pack was made from is held on to, so that nothing else can come to lie in its place. Where the core
cannot read tensors (`_single`), nothing is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from weakref import WeakSet, ref

import torch
from torch import Tensor

from ... import _core
from ..._check import inputs, stacks
from ..._core import Extent
from ...engine.network import Network
from . import _kernels
from ._call import NO_RATES, Call, Operands
from ._single import EXCHANGE, states_of


class _Pack(NamedTuple):
    """What was packed.

    `exchange` reads tensors, `snapshot` tells whether they are as they were, `sources` keep their
    memory. One layer in one direction without options is `single`.
    """

    owner: ref[Any]
    exchange: _core.Exchange
    snapshot: _core.Versions | _core.Contents
    call: Call
    single: bool
    sources: list[Tensor]
    layers: stacks.Layers
    packed: tuple[_core.Packed, ...]


_packs: dict[int, _Pack] = {}  # by the number of a module, which is gone when the module is
_frozen: WeakSet[Any] = WeakSet()


def freeze(module: object) -> None:
    """Pack the weights of a module once more, and then believe that nobody writes to them."""
    _frozen.add(module)
    _packs.pop(id(module), None)


def unfreeze(module: object) -> None:
    """Look at the weights of a module in every call again."""
    _frozen.discard(module)
    _packs.pop(id(module), None)


def forward(module: object, call: Call, operands: Operands) -> tuple[Tensor, ...]:
    """As `_kernels.forward`, with the weights of `module` packed once where that is possible."""
    x, h0, c0, weights, lengths, resets, seed = operands
    pack = None if seed is not None or not x.numel() else _pack_of(module, call, weights)
    if pack is None:
        return _kernels.forward(call, operands)
    _kernels.begin()
    optional = _kernels.optional_array
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


def forward_single(
    module: object, extent: Extent, call: Call, x: Tensor, state: Any, weights: Sequence[Tensor]
) -> Any:
    """One layer in one direction, or a cell, once more, without gradients.

    Returns what `_autograd.forward_single` does; None where anything is otherwise than in the call
    before, or not as the core needs it.
    """
    pack = _packs.get(id(module))
    if pack is None or not pack.single or pack.call != call:
        return None
    states = states_of(call.has_c, state)
    if states is None or not pack.snapshot.hold(tuple(weights)):
        return None
    _kernels.follow_threads()
    found = pack.exchange.forward(extent, pack.packed[0], x, *states)
    if found is NotImplemented:
        return None
    _kernels.count()
    return found


def _pack_of(module: Any, call: Call, weights: Sequence[Tensor]) -> _Pack | None:
    """Return the weights as they are now, packed; None where their changes cannot be seen."""
    pack = _packs.get(id(module))
    if pack is not None and pack.call == call and pack.snapshot.hold(tuple(weights)):
        return pack
    if EXCHANGE is None:
        return None
    look = EXCHANGE.versions if module in _frozen else EXCHANGE.contents
    try:
        snapshot = look(tuple(weights))
    except ValueError:  # as of a transposed one
        return None
    pack = _packs[id(module)] = _packed_now(module, call, weights, EXCHANGE, snapshot)
    return pack


def _packed_now(
    module: Any,
    call: Call,
    weights: Sequence[Tensor],
    exchange: _core.Exchange,
    snapshot: _core.Versions | _core.Contents,
) -> _Pack:
    sources = [weight.detach() for weight in weights]
    arrays = [_kernels.array(weight) for weight in weights]
    cell = call.core_cell()
    layers, _ = stacks.alone(cell, _kernels.by_name(call, arrays), call.bidirectional)
    packed = tuple(
        _core.pack(cell.core, part, call.precision) for layer in layers for part in layer
    )
    single = len(packed) == 1 and call.rates is NO_RATES
    number = id(module)
    owner = ref(module, lambda _: _packs.pop(number, None))
    return _Pack(owner, exchange, snapshot, call, single, sources, layers, packed)
