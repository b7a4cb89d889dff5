"""Layers with Keras's names, arguments and defaults."""

from rnnfast.layers.activation import Activation
from rnnfast.layers.add import Add
from rnnfast.layers.additive_attention import AdditiveAttention
from rnnfast.layers.attention import Attention
from rnnfast.layers.bidirectional import Bidirectional
from rnnfast.layers.cells import GRUCell, LSTMCell, SimpleRNNCell, StackedRNNCells
from rnnfast.layers.concatenate import Concatenate
from rnnfast.layers.conv_lstm2d import ConvLSTM2D
from rnnfast.layers.dense import Dense
from rnnfast.layers.dropout import Dropout
from rnnfast.layers.embedding import Embedding
from rnnfast.layers.flatten import Flatten
from rnnfast.layers.global_average_pooling1d import GlobalAveragePooling1D
from rnnfast.layers.gru import GRU
from rnnfast.layers.input import Input
from rnnfast.layers.layer import Layer
from rnnfast.layers.layer_normalization import LayerNormalization
from rnnfast.layers.light_gru import LightGRU
from rnnfast.layers.lstm import LSTM
from rnnfast.layers.masking import Masking
from rnnfast.layers.repeat_vector import RepeatVector
from rnnfast.layers.reshape import Reshape
from rnnfast.layers.rnn import RNN
from rnnfast.layers.serialization import deserialize, register, serialize
from rnnfast.layers.simple_rnn import SimpleRNN
from rnnfast.layers.spatial_dropout1d import SpatialDropout1D
from rnnfast.layers.time_distributed import TimeDistributed

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "Add",
    "AdditiveAttention",
    "Attention",
    "Bidirectional",
    "Concatenate",
    "ConvLSTM2D",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GlobalAveragePooling1D",
    "Input",
    "LSTMCell",
    "Layer",
    "LayerNormalization",
    "LightGRU",
    "Masking",
    "RepeatVector",
    "Reshape",
    "SimpleRNN",
    "SimpleRNNCell",
    "SpatialDropout1D",
    "StackedRNNCells",
    "TimeDistributed",
    "deserialize",
    "serialize",
]

# All that a configuration may name.
register(
    thing
    for thing in map(globals().__getitem__, __all__)
    if isinstance(thing, type) and hasattr(thing, "from_config") and thing not in (Layer, Input)
)
