"""What is left to torch's own implementation, and said once for each reason."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from . import _device, _precision

_ON_CPU = (torch.float32, torch.float64, torch.bfloat16)
_said: set[str] = set()


def reason_for_torch(x: Tensor, weight: Tensor) -> str | None:
    """Return why the kernels cannot run on these tensors; None if they can."""
    if x.is_cpu and weight.is_cpu and weight.dtype in _ON_CPU and x.layout is torch.strided:
        return None
    if x.is_cuda and weight.device == x.device:
        return _reason_on_device(x, weight)
    if x.device.type != "cpu" or weight.device.type != "cpu":
        return f"tensors on {x.device.type if x.device.type != 'cpu' else weight.device.type!s}"
    if weight.dtype not in _ON_CPU:
        return f"weights of {weight.dtype}"
    return f"inputs with layout {x.layout}"


def _reason_on_device(x: Tensor, weight: Tensor) -> str | None:
    missing = _device.lacks()
    if missing is not None:
        return f"tensors on cuda ({missing})"
    if _precision.type_on_device(weight) not in _device.DTYPES:
        of_autocast = torch.is_autocast_enabled("cuda")
        whose = "autocast to" if of_autocast else "weights of"
        return f"tensors on cuda and {whose} {_precision.type_on_device(weight)}"
    return None if x.layout is torch.strided else f"inputs with layout {x.layout}"


def say_run_by_torch(kind: str, reason: str) -> None:
    """Warn, once for each reason, that torch runs a module."""
    say_once(
        "rnnfast runs float32, float64 and bfloat16 on the CPU, these and float16 on CUDA devices; "
        f"{kind} with {reason} is run by torch",
        reason,
    )


def say_once(message: str, subject: str = "") -> None:
    """Warn, once for each subject, which is the message unless another is given."""
    subject = subject or message
    if subject not in _said:
        _said.add(subject)
        warnings.warn(message, stacklevel=5)
