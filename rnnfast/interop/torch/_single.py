"""One layer in one direction, or a cell, straight to the core: where microseconds matter.

The core reads torch's tensors, and makes them, through the table of functions that torch offers for
this (DLPack's exchange table, which older releases lack). It looks at them, too: what has options
or does not fit is not taken, and goes through the engine of all layers, `_kernels`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ... import _core
from ..._core import Extent
from . import _kernels
from ._call import KINDS, NO_RATES, PLAIN_WEIGHTS, Call, Operands

_TAKEN = frozenset((kind, names) for kind in KINDS for names in (PLAIN_WEIGHTS[:2], PLAIN_WEIGHTS))


def _exchange() -> _core.Exchange | None:
    try:
        return _core.Exchange(Tensor, torch.nn.Parameter)
    except TypeError:
        return None


EXCHANGE = _exchange()


class SingleTape(NamedTuple):
    """A forward pass, for its backward pass."""

    tape: _core.Tape

    def gradients(
        self, needed: Sequence[bool], operands: Operands, d_outputs: Sequence[Tensor | None]
    ) -> list[Tensor | None]:
        """Return the gradients of x, h0, c0 and the weights, None where they are not needed."""
        x, h0, c0, weights, *_ = operands
        all_seven = flat_operands(x, h0, c0, weights)
        wanted = (*needed, False, False)[:7]
        found = backward(Extent.sequences, self.tape, all_seven, wanted, tuple(d_outputs))
        if found is NotImplemented:
            raise ValueError("a gradient does not fit the result it is of")
        return list(found[: len(needed)])


def flat_operands(
    x: Tensor, h0: Tensor | None, c0: Tensor | None, weights: Sequence[Tensor]
) -> tuple[Tensor | None, ...]:
    """Return what the core takes: x, h0, c0 and four weights, None where there are only two."""
    if len(weights) == 4:
        return (x, h0, c0, *weights)
    return (x, h0, c0, *weights, None, None)


def forward_saving(extent: Extent, call: Call, operands: tuple[Tensor | None, ...]) -> Any:
    """Return (results, tape) for flat operands.

    NotImplemented if this is not of the simplest kind, or does not fit.
    """
    if (
        EXCHANGE is None
        or (call.kind, call.weight_names) not in _TAKEN
        or call.rates is not NO_RATES
        or call.bidirectional
        or call.checkpoint
        or len(operands) != 7
    ):
        return NotImplemented
    _kernels.follow_threads()
    cell = call.core_cell()
    found = EXCHANGE.forward_saving(extent, cell.core, operands, cell.precision)
    if found is not NotImplemented:
        _kernels.count()
    return found


def backward(
    extent: Extent,
    tape: _core.Tape,
    operands: tuple[Tensor | None, ...],
    needed: tuple[bool, ...],
    above: tuple[Tensor | None, ...],
) -> Any:
    """Return a gradient, or None, for each of `needed`, which the flat operands come first in.

    NotImplemented where what arrives from above cannot be read.
    """
    assert EXCHANGE is not None
    _kernels.follow_threads()
    found = EXCHANGE.backward(extent, tape, operands, needed, above)
    if found is not NotImplemented:
        _kernels.count()
    return found


def states_of(has_c: bool, state: Any) -> tuple[Any, Any] | None:
    """Return h0 and c0 of what a module is given; None where it is something else."""
    if state is None:
        return None, None
    if not has_c:
        return state, None
    if type(state) is not tuple or len(state) != 2 or state[0] is None or state[1] is None:
        return None
    return state
