"""Recurrent layers as pure functions on arrays, with exact derivatives."""

from __future__ import annotations

from .gru import gru, gru_vjp
from .lstm import lstm, lstm_vjp
from .mgu import mgu, mgu_vjp
from .prepack import prepack
from .prepacked import Prepacked
from .results import (
    GRUGrads,
    GRUOutput,
    LSTMGrads,
    LSTMOutput,
    LSTMTrace,
    MGUGrads,
    MGUOutput,
    RNNGrads,
    RNNOutput,
    Trace,
)
from .rnn import rnn, rnn_vjp
from .trace import gru_trace, lstm_trace, mgu_trace, rnn_trace

__all__ = [
    "GRUGrads",
    "GRUOutput",
    "LSTMGrads",
    "LSTMOutput",
    "LSTMTrace",
    "MGUGrads",
    "MGUOutput",
    "Prepacked",
    "RNNGrads",
    "RNNOutput",
    "Trace",
    "gru",
    "gru_trace",
    "gru_vjp",
    "lstm",
    "lstm_trace",
    "lstm_vjp",
    "mgu",
    "mgu_trace",
    "mgu_vjp",
    "prepack",
    "rnn",
    "rnn_trace",
    "rnn_vjp",
]
