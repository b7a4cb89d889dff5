"""Passes where their tensors are: on the processor or on a GPU."""

from __future__ import annotations

from typing import Any, TypeAlias, cast

import numpy as np
import torch
from torch import Tensor

from ...engine.noise import Noise
from ...engine.place import HOST, Place
from . import _device, _kernels
from ._call import Call, Operands
from ._modes import without_transforms
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
    if not _device.takes(x):
        return call.noise(seed)
    with without_transforms():
        return _device.noise(call, seed)


def place_of(x: Tensor) -> Place:
    """Return where masks are drawn."""
    return cast(Place, _device.place_of(x)) if _device.takes(x) else HOST


def type_of(x: Tensor) -> Any:
    """Return the type of a tensor's numbers as `noise` takes it."""
    return _device.type_of(x) if _device.takes(x) else np.dtype(str(x.dtype)[len("torch.") :])


def mask_tensor(mask: Any, x: Tensor) -> Tensor:
    """Return a mask that was drawn as a tensor like `x`."""
    if isinstance(mask, np.ndarray):
        return torch.from_numpy(np.array(mask))
    with without_transforms():
        return _device.tensor(mask).to(x.dtype)
