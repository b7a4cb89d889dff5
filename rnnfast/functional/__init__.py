"""Recurrent layers as pure functions on arrays, with exact derivatives."""

from __future__ import annotations

from .gru import gru, gru_vjp
from .lstm import lstm, lstm_vjp
from .mgu import mgu, mgu_vjp
from .prepack import Prepacked, prepack
from .results import (
    GRUGrads,
    GRUOutput,
    LSTMGrads,
    LSTMOutput,
    MGUGrads,
    MGUOutput,
    RNNGrads,
    RNNOutput,
)
from .rnn import rnn, rnn_vjp

__all__ = [
    "GRUGrads",
    "GRUOutput",
    "LSTMGrads",
    "LSTMOutput",
    "MGUGrads",
    "MGUOutput",
    "Prepacked",
    "RNNGrads",
    "RNNOutput",
    "gru",
    "gru_vjp",
    "lstm",
    "lstm_vjp",
    "mgu",
    "mgu_vjp",
    "prepack",
    "rnn",
    "rnn_vjp",
]
