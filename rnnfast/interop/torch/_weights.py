"""Weights to torch's modules, and to and from the files of `torch.save`."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ...weights import Found, StackWeights, find_torch, to_torch


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


def read(path: str | os.PathLike[str], **options: Any) -> Found:
    """Find the recurrent layers in a file that `torch.save` has written.

    Parameters
    ----------
    path : str or path
        Of a `state_dict`, or a checkpoint with one in it. No code in it is run.
    **options
        What a `state_dict` does not say: `nonlinearity`, `activations` and so on.

    Returns
    -------
    Found
        Stacks by the names of modules, and what was left.

    Raises
    ------
    ValueError
        When it is no such file, is damaged, or holds code, as of a whole module.
    OSError
        When there is no file to read.
    """
    with open(path, "rb") as file:
        try:
            state = torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # of whichever kind, from pickle, zip archives and torch
            reason = str(error).partition("\n")[0]
            raise ValueError(
                f"{path} is damaged, or holds more than tensors: save model.state_dict() "
                f"({type(error).__name__}: {reason[:200]})"
            ) from error
    if not isinstance(state, Mapping):
        raise ValueError(f"{path} must hold a state_dict, got a {type(state).__name__}")
    return find_torch(state, **options)


def encode(weights: StackWeights) -> bytes:
    """Return the bytes of a file that `torch.load` reads as a `state_dict`."""
    file = io.BytesIO()
    torch.save(state_dict(weights), file)
    return file.getvalue()
