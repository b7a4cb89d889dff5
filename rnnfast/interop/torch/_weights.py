"""Weights that came from anywhere, as torch's modules take them."""

from __future__ import annotations

import torch
from torch import Tensor

from ...weights import StackWeights, to_torch


def state_dict(weights: StackWeights, prefix: str = "") -> dict[str, Tensor]:
    """Return weights as the `state_dict` of a torch module has them.

    Parameters
    ----------
    weights : StackWeights
        The layers, as `rnnfast.weights.read_weights` gives them.
    prefix : str, default ""
        What names begin with, as ``"encoder.lstm."``.

    Returns
    -------
    dict of str to Tensor
        For `load_state_dict` of a module of these sizes; copies.

    Raises
    ------
    ValueError
        If torch's modules lack the cell or an option.

    Examples
    --------
    >>> module = torch.nn.GRU(weights.input_size, weights.hidden_size)
    >>> module.load_state_dict(state_dict(weights))
    """
    return {name: torch.from_numpy(array) for name, array in to_torch(weights, prefix).items()}
