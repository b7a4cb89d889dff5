"""`RNNCell`, `LSTMCell` and `GRUCell`: torch's modules, with another forward."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.modules.rnn import RNNCellBase

from ..._core import Extent
from . import _autograd, _packed
from ._call import KINDS, PLAIN_WEIGHTS, Call, Operands
from ._dispatch import recurrence, states_in
from ._fallback import reason_for_torch, say_run_by_torch
from ._leaf import LeafModule
from ._modes import holds_torchs_operators_alone, in_some_mode

_NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
_CALLS = {
    (cell, bias): Call(cell, PLAIN_WEIGHTS if bias else PLAIN_WEIGHTS[:2])
    for cell in KINDS
    for bias in (True, False)
}


class _Cells(LeafModule, RNNCellBase):  # type: ignore[misc]  # torch is not looked into
    """What the three have in common: a step is a sequence of one."""

    @property
    def _kind(self) -> str:
        """Which cell, as `Call.kind` has it."""
        raise NotImplementedError

    def forward(self, input: Tensor, hx: Any = None) -> Any:
        """Run one step, as torch's module does.

        Parameters
        ----------
        input : Tensor
            (B, I) or (I,).
        hx : Tensor or (Tensor, Tensor), optional
            The state before the step, zero by default.

        Returns
        -------
        Tensor or (Tensor, Tensor)
            The state after it.
        """
        weights, call = self._weights(), self._call()
        if not in_some_mode():
            if torch.is_grad_enabled():
                after = _autograd.forward_single(Extent.step, call, input, hx, weights)
            else:
                after = _packed.forward_single(self, Extent.step, call, input, hx, weights)
            if after is not None:
                return after
        if holds_torchs_operators_alone():
            return super().forward(input, hx)
        reason = reason_for_torch(input, weights[0])
        if reason is not None or not self._fits(input, hx, weights[0].dtype):
            if reason is not None:
                say_run_by_torch(type(self).__name__, reason)
            return super().forward(input, hx)  # which also finds the words for what does not fit
        states = () if hx is None else hx if call.has_c else (hx,)
        batched = input.dim() == 2
        x = input[None] if batched else input[None, None]
        h0, c0, *_ = (*(s[None] if batched else s[None, None] for s in states), None, None)
        _, *after = recurrence(self, call, Operands(x, h0, c0, weights))
        after = [state[0] if batched else state[0, 0] for state in after]
        return tuple(after) if call.has_c else after[0]

    def _weights(self) -> list[Tensor]:
        """Return the weights, also of parametrized modules."""
        there = self._parameters
        return [
            weight if (weight := there.get(name)) is not None else getattr(self, name)
            for name in (_NAMES if self.bias else _NAMES[:2])
        ]

    def _call(self) -> Call:
        # Anything else as a cell is for torch to refuse.
        return _CALLS.get((self._kind, self.bias)) or Call(self._kind, PLAIN_WEIGHTS)

    def _fits(self, input: Tensor, hx: Any, dtype: torch.dtype) -> bool:
        """Return whether torch would take these arguments."""
        if input.dim() not in (1, 2) or input.shape[-1] != self.input_size:
            return False
        shape = (*input.shape[:-1], self.hidden_size)
        states = () if hx is None else states_in(hx, self._kind == "lstm")
        if states is None or not input.numel() or not self.hidden_size:
            return False
        cast = torch.is_autocast_enabled(input.device.type)
        return all(s.shape == shape and s.device == input.device for s in states) and (
            cast or all(t.dtype == dtype for t in (input, *states))
        )


class RNNCell(_Cells, torch.nn.RNNCell):  # type: ignore[misc]  # torch is not looked into
    """`torch.nn.RNNCell` on rnnfast."""

    _theirs = torch.nn.RNNCell

    @property
    def _kind(self) -> str:
        return f"rnn_{self.nonlinearity}"  # another name is for torch to refuse

    def _fits(self, input: Tensor, hx: Any, dtype: torch.dtype) -> bool:
        return self.nonlinearity in ("tanh", "relu") and super()._fits(input, hx, dtype)


class LSTMCell(_Cells, torch.nn.LSTMCell):  # type: ignore[misc]  # torch is not looked into
    """`torch.nn.LSTMCell` on rnnfast."""

    _theirs = torch.nn.LSTMCell
    _kind = "lstm"


class GRUCell(_Cells, torch.nn.GRUCell):  # type: ignore[misc]  # torch is not looked into
    """`torch.nn.GRUCell` on rnnfast."""

    _theirs = torch.nn.GRUCell
    _kind = "gru"
