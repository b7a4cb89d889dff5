"""Rates that do nothing in a call, of which whoever calls is told.

    dropout                    of one layer: it acts between layers
    every kind of dropout      in a call for gradients, without a seed: that is inference

A zoneout without a seed is no such rate: it is the mean of what would be drawn. A forward pass by
itself may be inference, with the rates that the model was trained with.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

from ..engine.drawn_masks import DrawnMasks
from ..engine.network import Network
from ..engine.noise import Noise

__all__ = ["warn_of_one_layer", "warn_without_seed"]

_OF_TRAINING = ("dropout", "input_dropout", "recurrent_dropout", "weight_dropout")
_PACKAGE = str(Path(__file__).parents[1]) + os.sep


def warn_of_one_layer(network: Network) -> None:
    """Warn of dropout between layers where there is one."""
    dropout = network.noise.dropout
    if dropout and len(network.given.layers) == 1:
        _warn(
            f"dropout={dropout} does nothing, there is one layer: it acts between layers; "
            "input_dropout and recurrent_dropout act within one"
        )


def warn_without_seed(noise: Noise | DrawnMasks) -> None:
    """Warn of rates that a training pass leaves aside."""
    if noise.seed is None and (idle := [name for name in _OF_TRAINING if getattr(noise, name)]):
        rates = ", ".join(f"{name}={getattr(noise, name)}" for name in idle)
        _warn(
            f"{rates} {'does' if len(idle) == 1 else 'do'} nothing without seed=: pass another "
            "seed for each batch, or leave the rates out"
        )


def _warn(message: str) -> None:
    """Warn with the line outside the package that made the call."""
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, UserWarning, stacklevel=level)
