"""The kernels on tensors, which are read and written where they are.

A tensor and an array share their memory; only a tensor that the kernels cannot read as it lies,
one without unit stride on its last axis, is copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ... import _core
from ..._check import gradients, inputs
from ...engine.network import Network, Recording
from ._call import Call, Operands

_core.share_openmp_threads()  # torch's: of the thread that imports, as a rule the one that trains
_calls = 0


class LayersTape(NamedTuple):
    """A forward pass, for its backward pass."""

    call: Call
    recording: Recording

    def gradients(
        self, needed: Sequence[bool], operands: Operands, d_outputs: Sequence[Tensor | None]
    ) -> list[Tensor | None]:
        """Return the gradients of x, h0, c0 and the weights, None where they are not needed.

        The recording has the operands.
        """
        begin()
        dy, dh_n, dc_n, *_ = (*map(optional_array, d_outputs), None)
        above = gradients.upstream(dy, dh_n, dc_n, self.recording.network.given)
        arrays = found_gradients(self.call, self.recording, needed, *above)
        return [None if array is None else torch.from_numpy(array) for array in arrays]


def kernel_calls() -> int:
    """Return how many passes, forward or backward, the kernels have run for torch."""
    return _calls


def forward(call: Call, operands: Operands) -> tuple[Tensor, ...]:
    """Return y, h_n and, where there is one, c_n."""
    network = _network(call, operands)
    return tuple(map(torch.from_numpy, network.forward()))


def forward_saving(call: Call, operands: Operands) -> tuple[tuple[Tensor, ...], LayersTape]:
    """As `forward`, with what the backward pass needs."""
    network = _network(call, operands)
    save = network.forward_saving_checkpoints if call.checkpoint else network.forward_saving
    outputs, recording = save()
    return tuple(map(torch.from_numpy, outputs)), LayersTape(call, recording)


def array(tensor: Tensor) -> Any:
    """Return a tensor's memory as an array; that of a copy where NumPy has no such type."""
    if tensor.requires_grad:
        tensor = tensor.detach()
    if tensor.dtype is torch.bfloat16:
        tensor = tensor.float()
    return (tensor.resolve_neg() if tensor.is_neg() else tensor).numpy()


def optional_array(tensor: Tensor | None) -> Any:
    """Return a tensor's memory as an array; None for None."""
    return None if tensor is None else array(tensor)


def found_gradients(
    call: Call, recording: Recording, needed: Sequence[bool], *above: Any
) -> list[Any]:
    """Return gradients as arrays, in the order of `needed`: of x, h0, c0 and the weights."""
    of_x, of_h0, of_c0, *of_weights = needed
    names = call.weight_names
    width = len(names)
    wanted = {name for name, n in (("x", of_x), ("h0", of_h0), ("c0", of_c0)) if n} | {
        name for i, name in enumerate(names) if any(of_weights[i::width])
    }
    found = recording.backward(0, frozenset(wanted), *above)
    of_parts = (
        found[names[i % width]][i // width] if need else None for i, need in enumerate(of_weights)
    )
    return [found.get("x"), found.get("h0"), found.get("c0"), *of_parts]


def by_name(call: Call, arrays: Sequence[Any]) -> inputs.RawWeights:
    """Return the weights of all parts, by their names."""
    width = len(call.weight_names)
    return inputs.RawWeights(**{name: arrays[i::width] for i, name in enumerate(call.weight_names)})


def begin() -> None:
    """Make ready for a pass, and count it."""
    follow_threads()
    count()


def count() -> None:
    """Count a pass."""
    global _calls
    _calls += 1


def follow_threads() -> None:
    """Use as many threads as torch does, unless rnnfast was told otherwise."""
    _core.follow_host(torch.get_num_threads())


def _network(call: Call, operands: Operands) -> Network:
    begin()
    x, h0, c0, weights, lengths, resets, seed = operands
    return Network(
        call.core_cell(),
        array(x),
        by_name(call, [array(weight) for weight in weights]),
        optional_array(h0),
        optional_array(c0),
        lengths=optional_array(lengths),
        resets=optional_array(resets),
        reverse=False,
        bidirectional=call.bidirectional,
        noise=call.noise(seed),
    )
