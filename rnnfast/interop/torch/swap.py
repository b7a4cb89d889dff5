"""Give a model rnnfast's modules, or torch's again, in place."""

from __future__ import annotations

import torch

from .._report import Report
from .cells import GRUCell, LSTMCell, RNNCell
from .layers import GRU, LSTM, RNN

OURS = {
    torch.nn.RNN: RNN,
    torch.nn.LSTM: LSTM,
    torch.nn.GRU: GRU,
    torch.nn.RNNCell: RNNCell,
    torch.nn.LSTMCell: LSTMCell,
    torch.nn.GRUCell: GRUCell,
}
THEIRS = {own: theirs for theirs, own in OURS.items()}


def swap(model: torch.nn.Module) -> Report:
    """Have rnnfast run every recurrent module of a model.

    Modules stay the objects that they are, with their parameters, buffers, hooks and names: only
    their class changes, so optimizers and checkpoints do not notice.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place; may itself be a recurrent module.

    Returns
    -------
    Report
        What was swapped, and what was left and why.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.LSTM(8, 16))
    >>> print(swap(model))
    0: LSTM
    """
    report = Report({}, {})
    for name, module in model.named_modules():
        own = OURS.get(type(module))
        if own is not None:
            module.__class__ = own
            report.swapped[name] = own.__name__
        elif type(module) not in THEIRS and isinstance(module, tuple(OURS)):
            report.left[name] = f"{type(module).__qualname__} may have a forward of its own"
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
    """
    report = Report({}, {})
    for name, module in model.named_modules():
        theirs = THEIRS.get(type(module))
        if theirs is None:
            continue
        if not module._call().torch_has_all:
            report.left[name] = "it has options that torch lacks"
        else:
            module.__class__ = theirs
            report.swapped[name] = theirs.__name__
    return report
