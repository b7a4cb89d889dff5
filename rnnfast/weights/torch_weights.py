"""From and to PyTorch: what a module or its `state_dict` holds, as `StackWeights`, and back.

Torch has both biases or none, no activations to choose, and no options but these:

    LSTM, GRU (with the reset after the product), RNN (tanh, relu);   bidirectional, proj_size
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnfast._check import Array
from rnnfast.weights import torch_modules, torch_state
from rnnfast.weights.found import Found
from rnnfast.weights.stack import StackWeights


def find_torch(source: Any, **options: Any) -> Found:
    """Find the recurrent layers of a PyTorch model.

    Parameters
    ----------
    source : torch.nn.Module or mapping of str to tensor or array_like
        A module, or a `state_dict`, as one of NumPy arrays: torch is not needed then.
    **options
        For a `state_dict`, which does not say them: `activations` and so on; `nonlinearity` is of
        plain RNNs.

    Returns
    -------
    Found
        Stacks by the names of their modules, and what was left.

    Raises
    ------
    TypeError
        When `source` is something else, or options are given beside a module.
    """
    if torch_modules.is_module(source):
        if options:
            raise TypeError(f"options must be left out with a module, got {options}")
        return torch_modules.find(source)
    if isinstance(source, Mapping):
        return torch_state.find(source, **options)
    raise TypeError(
        f"source must be a torch.nn.Module or a state_dict, got {type(source).__name__}"
    )


def from_torch(source: Any, name: str | None = None, **options: Any) -> StackWeights:
    """Return the recurrent layers of a PyTorch model.

    Parameters
    ----------
    source : torch.nn.Module or mapping of str to tensor or array_like
        A module, or a `state_dict`, as one of NumPy arrays: torch is not needed then. Half
        precision becomes float32.
    name : str, optional
        Which of its recurrent modules, as ``"encoder.lstm"``; may be left out where there is one.
    **options
        For a `state_dict`, which does not say them: `activations` and so on; `nonlinearity` is of
        plain RNNs.

    Returns
    -------
    StackWeights
        Copies, in the same gate order.

    Raises
    ------
    ValueError
        If there is no such module, or its arrays do not fit each other.
    TypeError
        When `source` is something else.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnfast.weights import from_torch
    >>> state = {"rnn.weight_ih_l0": np.ones((12, 3)), "rnn.weight_hh_l0": np.ones((12, 4))}
    >>> from_torch(state)
    <StackWeights gru: input_size=3, hidden_size=4, dtype=float64>
    """
    return find_torch(source, **options).one(name)


def to_torch(weights: StackWeights, prefix: str = "") -> dict[str, Array]:
    """Return arrays as the `state_dict` of a torch module has them.

    Parameters
    ----------
    weights : StackWeights
        The layers.
    prefix : str, default ""
        What names begin with, as ``"encoder.lstm."``.

    Returns
    -------
    dict of str to ndarray
        By torch's names; of two biases of which one is there the other is zero.
        `rnnfast.interop.torch.state_dict` makes tensors of them.

    Raises
    ------
    ValueError
        If torch's modules lack the cell or an option.
    """
    _require_torchs(weights)
    arrays = torch_state.named(weights.layers)
    if any(name.startswith("bias") for name in arrays):
        for i, layer in enumerate(weights.layers):
            for direction, of in enumerate(layer):
                for field in ("b_ih", "b_hh"):
                    name = torch_state.Place(field, i, direction).name
                    arrays.setdefault(name, np.zeros(len(of.w_hh), weights.dtype))
    return {f"{prefix}{name}": array.copy() for name, array in sorted(arrays.items())}


def _require_torchs(weights: StackWeights) -> None:
    known = ("bidirectional", "nonlinearity", "sparse")  # zeros are there without being told
    lacks = {k: v for k, v in weights.options.items() if k not in known}
    if weights.options.get("nonlinearity") == "sigmoid":
        lacks["nonlinearity"] = "sigmoid"
    if weights.cell not in ("lstm", "gru", "rnn"):
        raise ValueError(f"torch has no cell {weights.cell!r}; it has lstm, gru and rnn")
    if lacks:
        raise ValueError(f"torch's modules have no {lacks}; keep these weights by save_weights")
