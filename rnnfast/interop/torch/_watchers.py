"""Who else looks at a call than the caller: the compiler, tracers, transforms, autocast."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.autograd import forward_ad

_PLAIN = (Tensor, torch.nn.Parameter)


def is_watched() -> bool:
    """Return whether anybody does, autograd aside."""
    return (
        torch.compiler.is_compiling()
        or torch._C._functorch.peek_interpreter_stack() is not None
        or torch.is_autocast_enabled("cpu")
        or has_duals()
        or is_traced()
    )


def has_duals() -> bool:
    """Return whether forward-mode derivatives are being taken, of which there are none."""
    return bool(forward_ad._current_level >= 0)


def is_traced() -> bool:
    """Return whether operators are being recorded."""
    return torch._C._len_torch_dispatch_stack() > 0 or torch._C._get_tracing_state() is not None


def are_plain(x: Tensor, weights: Sequence[Tensor]) -> bool:
    """Return whether all are tensors of torch's own kind."""
    return type(x) in _PLAIN and all(type(weight) in _PLAIN for weight in weights)
