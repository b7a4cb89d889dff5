"""Passes where their tensors are: on the processor or on a GPU."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from ...engine.noise import Noise
from . import _device, _kernels
from ._call import Call, Operands
from ._single import SingleTape

Tape: TypeAlias = _kernels.LayersTape | SingleTape | _device.DeviceTape


def forward(call: Call, operands: Operands) -> tuple[Tensor, ...]:
    """Return y, h_n and, where there is one, c_n."""
    if _device.takes(operands.x):
        return _device.forward(call, operands)
    return _kernels.forward(call, operands)


def forward_saving(call: Call, operands: Operands) -> tuple[tuple[Tensor, ...], Tape]:
    """As `forward`, with what the backward pass needs."""
    if _device.takes(operands.x):
        return _device.forward_saving(call, operands)
    return _kernels.forward_saving(call, operands)


def noise(call: Call, x: Tensor, seed: Tensor | None) -> Noise:
    """Return what is drawn at random."""
    return _device.noise(call, x, seed) if _device.takes(x) else call.noise(seed)


def mask_tensor(mask: Any) -> Tensor:
    """Return a mask that `noise` has given as a tensor."""
    if isinstance(mask, np.ndarray):
        return torch.from_numpy(mask if mask.flags.writeable else mask.copy())
    return _device.tensor(mask)
