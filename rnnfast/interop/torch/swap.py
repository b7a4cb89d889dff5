"""Give a model rnnfast's modules, or torch's again, in place."""

from __future__ import annotations

import torch

from .._models import require_model, taken_by
from .._report import Report
from ._classes import CannotSwap, is_recurrent, is_swapped, swapped_class, torchs_class


def swap(model: torch.nn.Module) -> Report:
    """Have rnnfast run every recurrent module of a model.

    Modules stay the objects that they are, with their parameters, buffers, hooks and names: only
    their class changes, so optimizers and checkpoints do not notice. An instance of a subclass of
    torch's modules remains one; it is left where that has a ``forward``, or part of it, of its own.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place; may itself be a recurrent module.

    Returns
    -------
    Report
        What was swapped, and what was left and why.

    Raises
    ------
    TypeError
        For anything else.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.LSTM(8, 16))
    >>> print(swap(model))
    0: LSTM
    """
    require_model(model, torch.nn.Module, "a torch.nn.Module")
    report = Report({}, {})
    for name, module in model.named_modules():
        if is_recurrent(module) and not is_swapped(module):
            try:
                module.__class__ = swapped_class(module)
            except CannotSwap as reason:
                report.left[name] = str(reason)
            else:
                report.swapped[name] = type(module).__name__
    if not any(report) and _is_kerass(model):
        report.left[""] = f"it is Keras's{taken_by(model)}"
    return report


def swap_back(model: torch.nn.Module) -> Report:
    """Have torch run every recurrent module of a model again.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place.

    Returns
    -------
    Report
        What was swapped back; modules with options that torch lacks are left.

    Raises
    ------
    TypeError
        For anything else.
    """
    require_model(model, torch.nn.Module, "a torch.nn.Module")
    report = Report({}, {})
    for name, module in model.named_modules():
        if not is_swapped(module):
            continue
        if not module._call().torch_has_all:
            report.left[name] = "it has options that torch lacks"
            continue
        try:
            module.__class__ = torchs_class(module)
        except CannotSwap as reason:
            report.left[name] = str(reason)
        else:
            report.swapped[name] = type(module).__name__
    return report


def _is_kerass(module: torch.nn.Module) -> bool:
    """Return whether a module is a layer of Keras's, whose layers on torch are torch's modules."""
    return any(base.__module__.startswith("keras.") for base in type(module).__mro__)
