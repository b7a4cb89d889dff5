"""Torch's recurrent modules as plain descriptions, without importing torch.

Only a program that has loaded torch can pass a module of it. Weights are read by the names that a
module's forward reads them by, so that parametrized ones (`weight_norm`) are as they act.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from rnnfast.weights import torch_state
from rnnfast.weights.found import Found
from rnnfast.weights.stack import StackWeights

_MODES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "LSTM": ("lstm", {}),
    "GRU": ("gru", {}),
    "RNN_TANH": ("rnn", {}),
    "RNN_RELU": ("rnn", {"nonlinearity": "relu"}),
}
_OF_CELLS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def is_module(value: object) -> bool:
    """Return whether this is a module of torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def find(module: Any) -> Found:
    """Find the recurrent modules in a module, or the one that it is.

    Parameters
    ----------
    module : torch.nn.Module
        Of which cells, layers and stacks are read: `RNN`, `LSTM`, `GRU`, their cells, and what is
        derived from them.

    Returns
    -------
    Found
        By the names of `named_modules`, "" for the module itself.
    """
    found = Found({}, {})
    inside: list[str] = []
    for name, part in module.named_modules():
        if any(name.startswith(f"{one}.") for one in inside):
            continue  # as parametrizations
        try:
            stack = _stack(part)
        except (AttributeError, TypeError, ValueError) as error:
            found.left[name] = str(error)
            continue
        if stack is not None:
            found.stacks[name] = stack
            inside.append(name)
        elif next(part.parameters(recurse=False), None) is not None:
            found.left[name] = type(part).__name__
    return found


def _stack(module: Any) -> StackWeights | None:
    """Return what a module computes with; None for one that is not recurrent."""
    nn = sys.modules["torch"].nn
    if isinstance(module, nn.RNNBase):
        cell, options = _MODES[module.mode]
        names = [name for of_layer in module._all_weights for name in of_layer]
        rates: tuple[float, ...] = getattr(module, "_rates", ())
        zoneout = rates[3:]  # of `rnnfast.interop.torch`
        if any(zoneout):
            options = {**options, "zoneout": zoneout if cell == "lstm" else zoneout[0]}
    elif isinstance(module, nn.RNNCellBase):
        cell, options = _of_cell(module)
        names = list(_OF_CELLS[: 4 if module.bias else 2])
    else:
        return None
    arrays = {name: getattr(module, name) for name in names}
    return torch_state.of_arrays(arrays, cell, **options)


def _of_cell(module: Any) -> tuple[str, dict[str, Any]]:
    nn = sys.modules["torch"].nn
    if isinstance(module, nn.LSTMCell):
        return "lstm", {}
    if isinstance(module, nn.GRUCell):
        return "gru", {}
    if isinstance(module, nn.RNNCell):
        return "rnn", {"nonlinearity": module.nonlinearity}
    raise TypeError(f"{type(module).__name__} is no cell that rnnfast has")
