"""Layers with Keras's names, arguments and defaults."""

from rnnfast.layers.bidirectional import Bidirectional
from rnnfast.layers.dense import Dense
from rnnfast.layers.dropout import Dropout
from rnnfast.layers.embedding import Embedding
from rnnfast.layers.gru import GRU
from rnnfast.layers.input import Input
from rnnfast.layers.layer import Layer
from rnnfast.layers.lstm import LSTM
from rnnfast.layers.simple_rnn import SimpleRNN

__all__ = [
    "GRU",
    "LSTM",
    "Bidirectional",
    "Dense",
    "Dropout",
    "Embedding",
    "Input",
    "Layer",
    "SimpleRNN",
]
