"""One layer in one direction without options, straight to the core: where microseconds matter.

The core reads torch's tensors, and makes them, through the table of functions that torch offers for
this (DLPack's exchange table, which older releases lack). It looks at them, too: what does not fit
is not taken, and goes through the engine of all layers, `_kernels`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ... import _core
from . import _kernels
from ._call import NO_RATES, PLAIN_WEIGHTS, Call, Operands

_TAKEN = (PLAIN_WEIGHTS[:2], PLAIN_WEIGHTS)


def _exchange() -> _core.Exchange | None:
    try:
        return _core.Exchange(Tensor, torch.nn.Parameter)
    except TypeError:
        return None


EXCHANGE = _exchange()


class SingleTape(NamedTuple):
    """A forward pass, for its backward pass."""

    exchange: _core.Exchange
    tape: _core.Tape

    def gradients(
        self, needed: Sequence[bool], operands: Operands, d_outputs: Sequence[Tensor | None]
    ) -> list[Tensor | None]:
        """Return the gradients of x, h0, c0 and the weights, None where they are not needed."""
        _kernels.begin()
        wanted = (*needed, False, False)[:7]
        above = (*d_outputs, None)[:3]
        found = self.exchange.backward(
            self.tape, operands.x, _padded_to_four(operands.weights), above, wanted
        )
        return list(found[: len(needed)])


def forward_saving(
    call: Call, x: Tensor, h0: Tensor | None, c0: Tensor | None, weights: Sequence[Tensor]
) -> tuple[tuple[Tensor, ...], SingleTape] | None:
    """Return the results and a tape; None if this is not of the simplest kind, or does not fit."""
    if (
        EXCHANGE is None
        or len(weights) != len(call.weight_names)
        or call.weight_names not in _TAKEN
    ):
        return None
    if call.rates is not NO_RATES or call.bidirectional or call.checkpoint:
        return None
    _kernels.follow_threads()
    found = EXCHANGE.forward_saving(call.core_cell().core, x, _padded_to_four(weights), h0, c0)
    if found is NotImplemented:
        return None
    _kernels.count()
    *outputs, tape = found
    return tuple(outputs), SingleTape(EXCHANGE, tape)


def _padded_to_four(weights: Sequence[Tensor]) -> tuple[Any, ...]:
    return (*weights, None, None)[:4]


def states_of(has_c: bool, state: Any) -> tuple[Any, Any] | None:
    """Return h0 and c0 of what a module is given; None where it is something else."""
    if state is None:
        return None, None
    if not has_c:
        return state, None
    if type(state) is not tuple or len(state) != 2 or state[0] is None or state[1] is None:
        return None
    return state
