"""Modules that torch has quantized dynamically, with their whole numbers as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..._check.quantized import QuantizedWeight
from ...functional import prepack
from ...functional.prepacked import Prepacked


def prepack_quantized(module: torch.nn.Module) -> Prepacked[Any, Any]:
    """Pack a dynamically quantized LSTM or GRU of torch, without quantizing it again.

    Parameters
    ----------
    module : torch.ao.nn.quantized.dynamic.LSTM or GRU
        What ``torch.ao.quantization.quantize_dynamic`` makes of `torch.nn.LSTM` and `torch.nn.GRU`,
        with weights of `torch.qint8`.

    Returns
    -------
    Prepacked
        A cell of `precision="int8"`, or layers of them, on NumPy arrays with time first. Weights
        are those of the module; torch quantizes what a batch holds at a step by one scale, rnnfast
        each sequence by its own, so that results differ by what that rounds.

    Raises
    ------
    TypeError
        If `module` is no such module.
    ValueError
        If its weights are float16.

    Examples
    --------
    >>> model = torch.ao.quantization.quantize_dynamic(model, {torch.nn.LSTM})
    >>> cell = prepack_quantized(model.encoder)
    >>> y, h_n, c_n = cell(x)
    """
    import torch.ao.nn.quantized.dynamic as dynamic

    if not isinstance(module, (dynamic.LSTM, dynamic.GRU)):
        raise TypeError(
            "module must be a torch.ao.nn.quantized.dynamic.LSTM or GRU, got "
            f"{type(module).__name__}; of modules with float weights, prepack makes int8 by itself"
        )
    if module.dtype != torch.qint8:
        raise ValueError(f"module must have weights of torch.qint8, got {module.dtype}")
    matrices, vectors = module.get_weight(), module.get_bias()
    layers = [
        f"l{layer}{direction}"
        for layer in range(module.num_layers)
        for direction in ("", "_reverse")[: 2 if module.bidirectional else 1]
    ]
    return prepack(
        "lstm" if isinstance(module, dynamic.LSTM) else "gru",
        [_weight(matrices[f"weight_ih_{layer}"]) for layer in layers],
        [_weight(matrices[f"weight_hh_{layer}"]) for layer in layers],
        [_bias(vectors[f"bias_ih_{layer}"]) for layer in layers],
        [_bias(vectors[f"bias_hh_{layer}"]) for layer in layers],
        bidirectional=bool(module.bidirectional),
    )


def _weight(tensor: Any) -> QuantizedWeight:
    values = tensor.int_repr().numpy()
    if tensor.qscheme() in (torch.per_channel_affine, torch.per_channel_symmetric):
        scales, zeros = tensor.q_per_channel_scales(), tensor.q_per_channel_zero_points()
        return QuantizedWeight(values, scales.numpy(), zeros.numpy())
    return QuantizedWeight(values, tensor.q_scale(), tensor.q_zero_point())


def _bias(tensor: torch.Tensor) -> Any:
    return tensor.detach().numpy().astype(np.float32, copy=False)
