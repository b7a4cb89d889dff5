"""Layers with Keras's names, arguments and defaults."""

from rnnfast.layers.bidirectional import Bidirectional
from rnnfast.layers.cells import GRUCell, LSTMCell, SimpleRNNCell, StackedRNNCells
from rnnfast.layers.dense import Dense
from rnnfast.layers.dropout import Dropout
from rnnfast.layers.embedding import Embedding
from rnnfast.layers.gru import GRU
from rnnfast.layers.input import Input
from rnnfast.layers.layer import Layer
from rnnfast.layers.light_gru import LightGRU
from rnnfast.layers.lstm import LSTM
from rnnfast.layers.masking import Masking
from rnnfast.layers.rnn import RNN
from rnnfast.layers.simple_rnn import SimpleRNN
from rnnfast.layers.time_distributed import TimeDistributed

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Bidirectional",
    "Dense",
    "Dropout",
    "Embedding",
    "GRUCell",
    "Input",
    "LSTMCell",
    "Layer",
    "LightGRU",
    "Masking",
    "SimpleRNN",
    "SimpleRNNCell",
    "StackedRNNCells",
    "TimeDistributed",
]
