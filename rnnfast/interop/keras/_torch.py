"""The torch backend: an autograd function over views of torch's memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from ..._check import cells
from ...engine.network import Network
from .._layer import network, pull
from ..torch._kernels import array, begin, kernel_calls, optional_array

__all__ = ["kernel_calls", "reason_for_host", "recurrence"]


class _Recurrence(torch.autograd.Function):  # type: ignore[misc]  # torch is not looked into
    """The results of a forward pass, which saves what the backward pass needs."""

    @staticmethod
    def forward(ctx: Any, layer: Network, *tensors: Tensor | None) -> tuple[Tensor, ...]:
        outputs, ctx.recording = layer.forward_saving()
        ctx.save_for_backward(*tensors)  # so that torch notices what is changed in place
        ctx.set_materialize_grads(False)
        return tuple(map(torch.from_numpy, outputs))

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, *d_outputs: Tensor | None) -> tuple[Tensor | None, ...]:
        _ = ctx.saved_tensors
        begin()
        above = [optional_array(gradient) for gradient in d_outputs]
        found = pull(ctx.recording, ctx.needs_input_grad[1:], above)
        return (None, *(None if one is None else torch.from_numpy(one) for one in found))


def recurrence(
    cell: cells.Cell,
    x: Tensor,
    weights: tuple[Tensor | None, ...],
    h0: Tensor,
    c0: Tensor | None,
    *,
    lengths: Tensor | None = None,
    recurrent_mask: Tensor | None = None,
    kept_h: Tensor | None = None,
    kept_c: Tensor | None = None,
    batch_first: bool = False,
    reverse: bool = False,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return y, h_n and c_n."""
    tensors = (x, h0, c0, *weights)
    begin()
    layer = network(
        cell,
        array(x),
        [optional_array(weight) for weight in weights],
        optional_array(h0),
        optional_array(c0),
        lengths=optional_array(lengths),
        recurrent_mask=optional_array(recurrent_mask),
        kept_h=optional_array(kept_h),
        kept_c=optional_array(kept_c),
        batch_first=batch_first,
        reverse=reverse,
    )
    if torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors):
        y, h_n, *c_n = _Recurrence.apply(layer, *tensors)
    else:
        y, h_n, *c_n = map(torch.from_numpy, layer.forward())
    return y, h_n, c_n[0] if c_n else None


def reason_for_host(x: Any) -> str | None:
    """Return why the kernels cannot run on a tensor; None if they can, "" for a shape alone."""
    if torch.compiler.is_compiling() or torch.jit.is_tracing():
        return "under torch.compile and its kin"
    if x.device.type == "meta":
        return ""
    return None if x.device.type == "cpu" else f"tensors on {x.device.type}"
