"""One layer in one direction without options, straight to the core: short steps of training.

What takes longer goes through the engine of all layers, `_kernels`, where checks and bookkeeping
are no longer seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ... import _core
from ._call import NO_RATES, Call, Given
from ._kernels import array, begin, optional_array

_NOTHING = (None, None, None)  # spans, resets, masks
_WITHOUT_BIAS = ("w_ih", "w_hh")
_PLAIN = (_WITHOUT_BIAS, (*_WITHOUT_BIAS, "b_ih", "b_hh"))
_GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}


class SingleTape(NamedTuple):
    """A forward pass, for its backward pass."""

    x: Any
    weights: tuple[Any, ...]
    tape: _core.Tape

    def backward(
        self, call: Call, wanted: frozenset[str], d_outputs: Sequence[Tensor | None]
    ) -> dict[str, Any]:
        """Return the gradients of x, h0, c0 and, in lists, the weights, those that are wanted."""
        begin()
        x, (w_ih, w_hh, b_ih, b_hh, *_) = self.x, self.weights
        dtype, batch, units = x.dtype, x.shape[1], w_hh.shape[1]
        dy, dh_n, dc_n, *_ = (*map(_above, d_outputs), None)
        dx = np.empty(x.shape, dtype) if "x" in wanted else None
        of_weights = [
            np.empty(weight.shape, dtype) if weight is not None and name in wanted else None
            for name, weight in (("w_ih", w_ih), ("w_hh", w_hh), ("b_ih", b_ih), ("b_hh", b_hh))
        ]
        dh0 = np.empty((1, batch, units), dtype) if "h0" in wanted else None
        dc0 = np.empty((1, batch, units), dtype) if "c0" in wanted else None
        self.tape.backward(
            x,
            self.weights,
            None,
            None,
            0,
            dy,
            dh_n,
            dc_n,
            dx,
            (*of_weights, None, None, None),
            dh0,
            dc0,
        )
        found: dict[str, Any] = {
            name: torch.from_numpy(gradient)
            for name, gradient in (("x", dx), ("h0", dh0), ("c0", dc0))
            if gradient is not None
        }
        for name, gradient in zip(_PLAIN[1], of_weights, strict=True):
            if gradient is not None:
                found[name] = [torch.from_numpy(gradient)]
        return found


def forward_saving(call: Call, given: Given) -> tuple[tuple[Tensor, ...], SingleTape] | None:
    """Return the results and a tape; None if this is not of the simplest kind, or does not fit."""
    x, h0, c0, weights, *options = given
    if len(weights) != len(call.names) or call.rates is not NO_RATES or call.checkpoint:
        return None
    if any(option is not None for option in options):
        return None
    if call.names not in _PLAIN or x.dim() != 3 or not x.numel() or x.stride(2) != 1:
        return None
    w_ih, w_hh, *biases = map(array, weights)
    sequence, dtype = array(x), w_hh.dtype
    steps, batch, inputs = sequence.shape
    rows, units = w_hh.shape
    shape = (1, batch, units)
    fits = (
        rows == _GATES[call.cell] * units
        and w_ih.shape == (rows, inputs)
        and all(bias.shape == (rows,) for bias in biases)
        and all(a.dtype == dtype and a.flags.c_contiguous for a in (w_ih, w_hh, *biases))
        and sequence.dtype == dtype
        and all(
            s is None or (s.shape == shape and s.dtype == x.dtype and s.is_contiguous())
            for s in (h0, c0)
        )
    )
    if not fits:
        return None
    begin()
    y = np.empty((steps, batch, units), dtype)
    states = [np.empty(shape, dtype) for _ in range(2 if call.has_c else 1)]
    packed = (w_ih, w_hh, *(biases or (None, None)), None, None, None)
    tape = _core.forward_saving(
        call.core_cell().core,
        sequence,
        packed,
        optional_array(h0),
        optional_array(c0),
        *_NOTHING,
        y,
        states[0],
        states[1] if call.has_c else None,
    )
    outputs = tuple(map(torch.from_numpy, (y, *states)))
    return outputs, SingleTape(sequence, packed, tape)


def _above(gradient: Tensor | None) -> Any:
    """Return what arrives from above as the core takes it."""
    return None if gradient is None else array(gradient.contiguous())
