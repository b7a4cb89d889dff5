"""Inference with weights that nobody writes to: a promise that saves looking at them."""

from __future__ import annotations

import torch

from . import _packed
from ._classes import is_swapped


def freeze(model: torch.nn.Module) -> None:
    """Promise that nobody writes to the recurrent weights of a model, for faster inference.

    In inference, weights are packed for the kernels once. Every call then reads all of them, to see
    whether they have changed. Of a frozen model it does not: **what is written to the memory of its
    weights is not seen until** `unfreeze`, where it goes past autograd, through ``weight.data`` or
    NumPy arrays. What costs nothing to notice is still noticed: changes that autograd counts, such
    as those of ``load_state_dict`` or an optimizer, and weights that lie elsewhere, as after
    ``.to(torch.float64)`` or where a parameter is replaced. Calls with gradients pack nothing and
    stay as they are.

    The promise is about these very modules. Copies of them, by `copy.deepcopy` or `pickle`, are not
    frozen; a module that was swapped back to torch and swapped again is.

    Parameters
    ----------
    model : torch.nn.Module
        With rnnfast's modules in it, or one itself.

    Raises
    ------
    ValueError
        If there is none.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.LSTM(8, 16)).eval()
    >>> report = swap(model)
    >>> freeze(model)
    """
    for module in _ours(model):
        _packed.freeze(module)


def unfreeze(model: torch.nn.Module) -> None:
    """Take back the promise of `freeze`: weights are packed anew, and looked at in every call.

    Parameters
    ----------
    model : torch.nn.Module
        With rnnfast's modules in it, or one itself; they need not be frozen.

    Raises
    ------
    ValueError
        If there is none.
    """
    for module in _ours(model):
        _packed.unfreeze(module)


def _ours(model: torch.nn.Module) -> list[torch.nn.Module]:
    found = [module for module in model.modules() if is_swapped(module)]
    if not found:
        raise ValueError(
            "model must have recurrent modules of rnnfast, "
            f"got {type(model).__name__} without any; swap(model) makes them of torch's"
        )
    return found
