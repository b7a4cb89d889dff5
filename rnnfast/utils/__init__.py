"""Small helpers: what Keras has under its names, and what loops of one's own need.

================================  ===============================================
set_random_seed                   reproducible from here on
to_categorical                    class numbers as one-hot rows
Tokenizer, tokenizer_from_json    texts as numbers of their words
pad_sequences                     sequences of one length, samples first
plot_history                      what `fit` returned, as a picture
pad_ragged, sequence_mask         sequences beside their lengths, time first
initial_weights                   weights as PyTorch starts with
basic_lstm_weights                weights of TensorFlow 1's BasicLSTMCell
one_blas_thread                   NumPy's BLAS threads held to one, within a block
================================  ===============================================
"""

from rnnfast.utils.basic_lstm import basic_lstm_weights
from rnnfast.utils.blas import one_blas_thread
from rnnfast.utils.categorical import to_categorical
from rnnfast.utils.history_plot import plot_history
from rnnfast.utils.initial_weights import initial_weights
from rnnfast.utils.pad_sequences import pad_sequences
from rnnfast.utils.ragged import pad_ragged, sequence_mask
from rnnfast.utils.random_seed import set_random_seed
from rnnfast.utils.tokenizer import Tokenizer
from rnnfast.utils.tokenizer_json import tokenizer_from_json

__all__ = [
    "Tokenizer",
    "basic_lstm_weights",
    "initial_weights",
    "one_blas_thread",
    "pad_ragged",
    "pad_sequences",
    "plot_history",
    "sequence_mask",
    "set_random_seed",
    "to_categorical",
    "tokenizer_from_json",
]
