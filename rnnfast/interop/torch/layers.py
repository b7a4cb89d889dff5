"""`RNN`, `LSTM` and `GRU`: torch's modules, with another forward."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.modules.rnn import RNNBase
from torch.nn.utils.rnn import PackedSequence

from ..._core import Extent
from . import _autograd, _packed, _sequences
from ._call import NO_RATES, PLAIN_WEIGHTS, Call, Operands
from ._dispatch import recurrence, states_in
from ._fallback import reason_for_torch, say_run_by_torch
from ._leaf import LeafModule
from ._modes import holds_torchs_operators_alone, in_some_mode

_KINDS = {"LSTM": "lstm", "GRU": "gru", "RNN_TANH": "rnn_tanh", "RNN_RELU": "rnn_relu"}


class _Layers(LeafModule, RNNBase):  # type: ignore[misc]  # torch is not looked into
    """What the three add to torch's `RNNBase`.

    They are no subclasses of torch's three, which the compiler refuses to look into; what torch has
    in these is borrowed from `_theirs`.

    Beside torch's arguments, keyword only:

    Parameters
    ----------
    input_dropout, recurrent_dropout : float, default 0.0
        In training, the probability that a number of what each layer takes, or of h where it meets
        the recurrent weights, is zeroed, with one mask for all steps (Gal and Ghahramani 2016).
    weight_dropout : float, default 0.0
        The same for the recurrent weights themselves (DropConnect; Merity et al. 2017).
    zoneout : float or (float, float), default 0.0
        The probability that a number of h, or c, keeps the value of the step before; its mean in
        evaluation (Krueger et al. 2016).
    layer_norm : bool, default False
        Layer normalization of both products and the cell state (Ba et al. 2016), LSTM and GRU;
        parameters ``weight_norm_l0`` and so on.
    peephole : bool, default False
        Weights of the cell state in the gates of an LSTM, ``weight_peephole_l0`` and so on.
    checkpoint : bool, default False
        Compute the steps once more in the backward pass, in memory that grows with sqrt(T).
    """

    _theirs: type[RNNBase]

    # Of a module that was torch's, too.
    _rates: tuple[float, ...] = (0.0,) * 5
    layer_norm = False
    peephole = False
    checkpoint = False

    def __init__(
        self,
        *args: Any,
        input_dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        weight_dropout: float = 0.0,
        zoneout: float | tuple[float, float] = 0.0,
        layer_norm: bool = False,
        peephole: bool = False,
        checkpoint: bool = False,
        **kwargs: Any,
    ) -> None:
        # Made as one of torch's, for its checks and its ways with arguments.
        own, theirs = type(self), self._theirs
        self.__class__ = theirs
        theirs.__init__(self, *args, **kwargs)
        self.__class__ = own
        of_h, of_c = zoneout if isinstance(zoneout, tuple) else (zoneout, zoneout)
        self._rates = (input_dropout, recurrent_dropout, weight_dropout, of_h, of_c)
        if not all(0 <= rate < 1 for rate in self._rates):
            raise ValueError(f"dropout and zoneout rates must be in [0, 1), got {self._rates}")
        self.checkpoint = checkpoint
        self.peephole, self.layer_norm = peephole, layer_norm
        if peephole and self.mode != "LSTM":
            raise ValueError(f"peephole is an option of LSTM, not of {type(self).__name__}")
        if layer_norm and self.mode not in ("LSTM", "GRU"):
            raise ValueError(f"layer_norm is an option of LSTM and GRU, not of {self.mode}")
        if layer_norm and (peephole or self.proj_size):
            raise ValueError("layer_norm goes with neither peephole nor proj_size")
        if peephole or layer_norm:
            self._add_weights()

    def _add_weights(self) -> None:
        like = {"device": self._flat_weights[0].device, "dtype": self._flat_weights[0].dtype}
        kind, vectors = (
            ("peephole", 3) if self.peephole else ("norm", 10 if self.mode == "LSTM" else 6)
        )
        for names in self._all_weights:
            name = names[0].replace("_ih_", f"_{kind}_")
            weight = torch.empty(vectors * self.hidden_size, **like)
            setattr(self, name, torch.nn.Parameter(weight))
            names.append(name)
        self._flat_weights_names = [name for names in self._all_weights for name in names]
        self._init_flat_weights()
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew, as torch does; gains become 1 and the bias of the norm of c 0."""
        super().reset_parameters()
        if self.layer_norm:
            for names in self._all_weights:
                gains = getattr(self, names[-1])
                torch.nn.init.ones_(gains)
                if self.mode == "LSTM":
                    torch.nn.init.zeros_(gains.detach()[-self.hidden_size :])

    def forward(self, input: Any, hx: Any = None, *, resets: Tensor | None = None) -> Any:
        """Run all layers over a batch of sequences, as torch's module does.

        Parameters
        ----------
        input : Tensor or PackedSequence
            (T, B, I), (B, T, I) with `batch_first`, or (T, I).
        hx : Tensor or (Tensor, Tensor), optional
            Initial states.
        resets : Tensor of bool, optional
            (T, B), or (B, T) with `batch_first`: where True, the state before that step is zero.

        Returns
        -------
        tuple
            As from torch.
        """
        weights, call = self._weights(), self._call()
        if resets is None and type(input) is Tensor and not in_some_mode():
            found = self._run_single(call, input, hx, weights)
            if found is not None:
                return found[0], found[1:] if len(found) == 3 else found[1]
        if holds_torchs_operators_alone():
            return self._in_torchs_operators(input, hx, resets)
        if not self._are_complete(weights):
            return self._theirs.forward(self, input, hx)  # which finds the words
        data = input.data if isinstance(input, PackedSequence) else input
        reason = self._reason(data, weights)
        if reason is None and data is not input:
            reason = _sequences.reason_for_torch(input)
        if reason is not None or not self._fits(input, data, hx):
            return self._by_torch(input, hx, reason, resets)
        states = () if hx is None else hx if call.has_c else (hx,)
        if isinstance(input, PackedSequence):
            if resets is not None:
                raise ValueError("resets must be None with a PackedSequence")
            if hx is not None:
                hx = self.permute_hidden(hx, input.sorted_indices)
                states = hx if call.has_c else (hx,)
            places = _sequences.places_of(input)
            x = _sequences.padded(input, places)
            y, *after = self._run(call, x, states, weights, places.lengths, None)
            hidden = tuple(after) if call.has_c else after[0]
            packed = _sequences.packed_like(y, places, input)
            return packed, self.permute_hidden(hidden, input.unsorted_indices)
        if input.dim() == 2:
            x, states = input.unsqueeze(1), tuple(state.unsqueeze(1) for state in states)
            resets = None if resets is None else resets.unsqueeze(1)
            y, *after = (t.squeeze(1) for t in self._run(call, x, states, weights, None, resets))
        elif self.batch_first:
            resets = None if resets is None else resets.transpose(0, 1)
            y, *after = self._run(call, input.transpose(0, 1), states, weights, None, resets)
            y = y.transpose(0, 1)
        else:
            y, *after = self._run(call, input, states, weights, None, resets)
        return y, tuple(after) if call.has_c else after[0]

    def _run_single(
        self, call: Call, x: Tensor, state: Any, weights: list[Tensor]
    ) -> tuple[Tensor, ...] | None:
        """One layer in one direction: the shortest way, or None."""
        extent = Extent.batch_first if self.batch_first else Extent.sequences
        found: tuple[Tensor, ...] | None
        if torch.is_grad_enabled():
            found = _autograd.forward_single(extent, call, x, state, weights)
        else:
            found = _packed.forward_single(self, extent, call, x, state, weights)
        return found

    def extra_repr(self) -> str:
        """Show torch's options, and those beyond."""
        names = ("input_dropout", "recurrent_dropout", "weight_dropout")
        shown = [f"{name}={rate}" for name, rate in zip(names, self._rates, strict=False) if rate]
        if any(self._rates[3:]):
            shown.append(f"zoneout={self._rates[3:]}")
        flags = ("layer_norm", "peephole", "checkpoint")
        shown += [f"{name}=True" for name in flags if getattr(self, name)]
        return ", ".join([super().extra_repr(), *shown])

    def _weights(self) -> list[Tensor]:
        """Return what torch's forward reads: `_flat_weights`.

        They are made anew, as by torch's `_update_flat_weights`, where something else now goes by
        the name of one of them; not because they were assigned.
        """
        there = self._parameters
        for name, ref in zip(self._flat_weights_names, self._flat_weight_refs, strict=True):
            weight = there.get(name)
            if weight is None:
                weight = getattr(self, name, None)
            if weight is not None and ref is not None and ref() is not weight:
                self._init_flat_weights()
                break
        weights: list[Tensor] = self._flat_weights
        return weights

    def _are_complete(self, weights: list[Tensor]) -> bool:
        """Return whether every weight is there, as somebody may have assigned anything."""
        return len(weights) == len(self._flat_weights_names) and all(
            isinstance(weight, Tensor) for weight in weights
        )

    def _reason(self, x: Tensor, weights: list[Tensor]) -> str | None:
        if self.training and self.num_layers > 1 and self.dropout == 1:
            return "dropout=1"
        return reason_for_torch(x, weights[0])

    def _by_torch(self, input: Any, hx: Any, reason: str | None, resets: Tensor | None) -> Any:
        """Torch's own forward, which also finds the words for what does not fit."""
        if reason is not None:
            if resets is not None or not self._call().torch_has_all:
                raise NotImplementedError(f"options beyond torch's do not run with {reason}")
            say_run_by_torch(type(self).__name__, reason)
        return self._theirs.forward(self, input, hx)

    def _in_torchs_operators(self, input: Any, hx: Any, resets: Tensor | None) -> Any:
        """Torch's own forward, for a program that goes where rnnfast is not."""
        if resets is not None or not self._call().torch_has_all:
            raise NotImplementedError(
                f"TorchScript and ONNX have torch's operators alone, and {self} is called with "
                "resets or has options beyond torch's; torch.export takes it"
            )
        return self._theirs.forward(self, input, hx)

    def _fits(self, input: Any, data: Tensor, hx: Any) -> bool:
        """Return whether torch would take these arguments."""
        packed = data is not input
        if data.dim() != 2 if packed else data.dim() not in (2, 3):
            return False
        dtype = self._flat_weights[0].dtype
        if data.shape[-1] != self.input_size or not data.numel():
            return False
        if data.dtype != dtype and not torch.is_autocast_enabled(data.device.type):
            return False
        if hx is None:
            return True
        parts = self.num_layers * (2 if self.bidirectional else 1)
        if packed:
            leading: tuple[int, ...] = (parts, int(input.batch_sizes[0]))
        elif data.dim() == 2:
            leading = (parts,)
        else:
            leading = (parts, data.shape[0] if self.batch_first else data.shape[1])
        widths = (self.proj_size or self.hidden_size, self.hidden_size)
        states = states_in(hx, self.mode == "LSTM")
        return states is not None and all(
            s.shape == (*leading, width)
            and s.device == data.device
            and (s.dtype == dtype or torch.is_autocast_enabled(data.device.type))
            for s, width in zip(states, widths, strict=False)
        )

    def _call(self) -> Call:
        names: tuple[str, ...] = PLAIN_WEIGHTS if self.bias else PLAIN_WEIGHTS[:2]
        if self.proj_size:
            names += ("w_hr",)
        if self.peephole:
            names += ("peephole",)
        if self.layer_norm:
            names += ("layer_norm",)
        rates = (self.dropout, *self._rates) if self.dropout or any(self._rates) else NO_RATES
        return Call(_KINDS[self.mode], names, self.bidirectional, rates, self.checkpoint)

    def _run(
        self,
        call: Call,
        x: Tensor,
        states: tuple[Tensor, ...],
        weights: list[Tensor],
        lengths: Tensor | None,
        resets: Tensor | None,
    ) -> tuple[Tensor, ...]:
        draws = self.training and any(call.rates)
        seed = torch.randint(2**63 - 1, (), device=x.device) if draws else None
        h0, c0, *_ = (*states, None, None)
        return recurrence(self, call, Operands(x, h0, c0, weights, lengths, resets, seed))


class RNN(_Layers):
    """`torch.nn.RNN` on rnnfast; see the options of `_Layers`."""

    _theirs = torch.nn.RNN


class LSTM(_Layers):
    """`torch.nn.LSTM` on rnnfast; see the options of `_Layers`."""

    _theirs = torch.nn.LSTM
    get_expected_cell_size = torch.nn.LSTM.get_expected_cell_size
    check_forward_args = torch.nn.LSTM.check_forward_args
    permute_hidden = torch.nn.LSTM.permute_hidden


class GRU(_Layers):
    """`torch.nn.GRU` on rnnfast; see the options of `_Layers`."""

    _theirs = torch.nn.GRU
