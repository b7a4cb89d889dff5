"""What of torch takes part in a call: the compiler, tracers, transforms, autocast."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor
from torch._functorch.pyfunctorch import temporarily_clear_interpreter_stack
from torch.autograd import forward_ad

_PLAIN = frozenset({Tensor, torch.nn.Parameter})


def in_some_mode() -> bool:
    """Return whether any of these does; autograd is none."""
    return (
        torch.compiler.is_compiling()
        or in_transforms()
        or torch.is_autocast_enabled("cpu")
        or in_forward_mode()
        or is_recorded()
    )


def in_transforms() -> bool:
    """Return whether function transforms are being taken."""
    return torch._C._functorch.peek_interpreter_stack() is not None


def without_transforms() -> AbstractContextManager[None]:
    """Have tensors be what they are, not wrapped by transforms that are being taken."""
    outside: AbstractContextManager[None] = temporarily_clear_interpreter_stack()
    return outside


def in_forward_mode() -> bool:
    """Return whether forward-mode derivatives are being taken, of which there are none."""
    return bool(forward_ad._current_level >= 0)


def is_recorded() -> bool:
    """Return whether operators are being recorded."""
    return torch._C._len_torch_dispatch_stack() > 0 or torch._C._get_tracing_state() is not None


def are_plain(x: Tensor, weights: Sequence[Tensor]) -> bool:
    """Return whether all are tensors of torch's own kind."""
    return _PLAIN.issuperset(map(type, (x, *weights)))


def holds_torchs_operators_alone() -> bool:
    """Return whether a call becomes part of a program without ours: of TorchScript, or ONNX."""
    return bool(torch.jit.is_tracing() or torch.onnx.is_in_onnx_export())
