"""The kernels on tensors of a GPU, by the extension for it: launched, and waited for by nobody.

    results, gradients    tensors of torch's own memory
    the tape              one tensor of bytes, whose size follows from shapes alone
    the stream            torch's current one
    seeds                 read where they lie, by the kernels that draw masks

So a graph of CUDA's that holds a call can be replayed: nothing of it was decided on the host but
sizes, and the lengths of sequences.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ... import _devices
from ..._check import gradients
from ...engine import kept
from ...engine.device_noise import DeviceNoise
from ...engine.noise import Noise
from . import _kernels
from ._call import Call, Operands
from ._modes import without_transforms

DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)


class DeviceTape(NamedTuple):
    """What a forward pass has kept; where it lies does not matter to a backward pass."""

    call: Call
    memory: Tensor

    def gradients(
        self, needed: Sequence[bool], operands: Operands, d_outputs: Sequence[Tensor | None]
    ) -> list[Tensor | None]:
        """Return the gradients of x, h0, c0 and the weights, None where they are not needed."""
        network = _network(self.call, operands)
        recording = network.recording(array(self.memory), _keeps(self.call))
        dy, dh_n, dc_n, *_ = (*map(_optional_array, d_outputs), None)
        above = gradients.upstream(dy, dh_n, dc_n, network.given)
        found = _kernels.found_gradients(self.call, recording, needed, *above)
        return [None if one is None else tensor(one) for one in found]


def takes(one: Tensor) -> bool:
    """Return whether a tensor is on a GPU."""
    return bool(one.is_cuda)


def lacks() -> str | None:
    """Return what is not there for calls on a GPU, and how to get it; None if all is."""
    return _devices.lacks()


# As torch.compiler.assume_constant_result does, which imports the compiler for it (1.1 s).
lacks._dynamo_marked_constant = True  # type: ignore[attr-defined]


def forward(call: Call, operands: Operands) -> tuple[Tensor, ...]:
    """Return y, h_n and, where there is one, c_n."""
    return tuple(_network(call, operands).forward())


def forward_saving(call: Call, operands: Operands) -> tuple[tuple[Tensor, ...], DeviceTape]:
    """As `forward`, with what the backward pass needs."""
    x, _, _, weights, *_, seed = operands
    count = tape_bytes(call, x, weights, seed is not None)
    _, memory = _memory(count, type_of(x).device)
    outputs = _network(call, operands).forward_keeping(array(memory), _keeps(call))
    return tuple(outputs), DeviceTape(call, memory)


def tape_bytes(call: Call, x: Tensor, weights: Sequence[Tensor], draws: bool) -> Any:
    """Return the size of a tape, from shapes alone; T and B may be symbols."""
    steps, batch, inputs = x.shape
    outputs, projection = weights[1].shape[1], 0
    units = outputs
    if "w_hr" in call.weight_names:
        units, projection = weights[call.weight_names.index("w_hr")].shape[1], outputs
    layers = len(weights) // len(call.weight_names) // call.directions
    sizes = kept.Sizes(
        *(steps, batch, int(inputs), int(units), int(projection)), layers, call.directions
    )
    recurrent_dropout = call.rates[2]
    masks_h = draws and recurrent_dropout > 0
    return kept.layout(_keeps(call), call.core_cell(), type_of(x), sizes, masks_h).size


def noise(call: Call, seed: Tensor | None) -> Noise:
    """Return what is drawn at random, by a seed that need not be on the device."""
    if seed is not None and not takes(seed):
        return call.noise(seed)
    return call.noise(None) if seed is None else DeviceNoise.of(call.noise(None), array(seed))


def array(one: Tensor) -> _devices.DeviceArray:
    """Return a tensor's memory as an array."""
    one = one.detach().resolve_neg() if one.is_neg() else one
    type_there = type_of(one)
    strides = tuple(type_there.itemsize * stride for stride in one.stride())
    geometry = _devices.over(one.data_ptr(), tuple(one.shape), strides, type_there.geometry)
    return _devices.DeviceArray(geometry, type_there, _stream(type_there.device), _LIBRARY, one)


def tensor(one: Any) -> Tensor:
    """Return an array that was made here as a tensor over its memory."""
    block: Any = one.owner
    dtype: Any = getattr(torch, one.dtype.name)
    strides = [stride // one.itemsize for stride in one.strides]
    return torch.empty(0, dtype=dtype, device=block.device).set_(
        block.untyped_storage(), 0, one.shape, strides
    )


def type_of(one: Tensor) -> _devices.DeviceType:
    """Return the type of a tensor's numbers, there."""
    return _devices.type_on(str(one.dtype).removeprefix("torch."), one.device.index or 0)


def place_of(one: Tensor) -> _devices.DevicePlace:
    """Return where masks are drawn for a tensor, which transforms may have wrapped."""
    device = one.device.index or 0
    library = _LIBRARY._replace(memory=_memory_without_transforms)
    return _devices.DevicePlace((device, _stream(device)), library)


def _optional_array(one: Tensor | None) -> Any:
    return None if one is None else array(one)


def _keeps(call: Call) -> kept.Keeps:
    return kept.CHECKPOINTS if call.checkpoint else kept.ALL_STEPS


def _network(call: Call, operands: Operands) -> kept.KeepingNetwork:
    _kernels.count()
    x, h0, c0, weights, lengths, resets, seed = operands
    return kept.KeepingNetwork(
        call.core_cell(),
        array(x),
        _kernels.by_name(call, [array(weight) for weight in weights]),
        _optional_array(h0),
        _optional_array(c0),
        lengths=_kernels.optional_array(lengths),  # which the host launches by
        resets=_optional_array(resets),
        reverse=False,
        bidirectional=call.bidirectional,
        noise=noise(call, seed),
    )


def _stream(device: int) -> int:
    return torch.cuda.current_stream(device).cuda_stream or _devices.LEGACY_STREAM


def _memory(count: int, device: int) -> tuple[int, Tensor]:
    block = torch.empty(count, dtype=torch.uint8, device=f"cuda:{device}")
    return block.data_ptr(), block


def _memory_without_transforms(count: int, device: int) -> tuple[int, Tensor]:
    with without_transforms():
        return _memory(count, device)


_LIBRARY = _devices.Library(lambda device: _stream(device), tensor, lambda *of: _memory(*of))
