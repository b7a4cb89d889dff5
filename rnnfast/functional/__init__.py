"""Recurrent layers as pure functions on arrays, with exact derivatives."""

from __future__ import annotations

from .._check.quantized import QuantizedWeight
from .ctc_decode import CTCDecoded, ctc_decode
from .ctc_loss import CTCPullback, ctc_loss, ctc_loss_vjp
from .gru import GRUGrads, GRUOutput, gru, gru_trace, gru_vjp
from .light_gru import (
    LightGRUGrads,
    LightGRUOutput,
    light_gru,
    light_gru_trace,
    light_gru_vjp,
)
from .lstm import LSTMGrads, LSTMOutput, lstm, lstm_trace, lstm_vjp
from .mgu import MGUGrads, MGUOutput, mgu, mgu_trace, mgu_vjp
from .prepack import prepack
from .prepacked import Prepacked
from .results import LSTMTrace, Trace
from .rnn import RNNGrads, RNNOutput, rnn, rnn_trace, rnn_vjp

__all__ = [
    "CTCDecoded",
    "CTCPullback",
    "GRUGrads",
    "GRUOutput",
    "LSTMGrads",
    "LSTMOutput",
    "LSTMTrace",
    "LightGRUGrads",
    "LightGRUOutput",
    "MGUGrads",
    "MGUOutput",
    "Prepacked",
    "QuantizedWeight",
    "RNNGrads",
    "RNNOutput",
    "Trace",
    "ctc_decode",
    "ctc_loss",
    "ctc_loss_vjp",
    "gru",
    "gru_trace",
    "gru_vjp",
    "light_gru",
    "light_gru_trace",
    "light_gru_vjp",
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
