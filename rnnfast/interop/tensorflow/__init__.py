"""Rnnfast for TensorFlow: recurrent layers as operations of graphs.

    from rnnfast.interop.tensorflow import lstm     as rnnfast.lstm, on tensors
    y, h_n, c_n = lstm(x, w_ih, w_hh, b_ih, b_hh)   eager, in tf.function, under tf.GradientTape

float32 and float64 on the CPU, by operations that are registered when this is imported; a saved
model that has some needs this import before it is loaded. Layers of Keras on TensorFlow are served
by `rnnfast.interop.keras`.

Written for TensorFlow 2.16 and later. See also: docs/tensorflow.md.
"""

from __future__ import annotations

from ._calls import kernel_calls
from ._recurrence import recurrence
from ._registration import operations
from .functions import gru, light_gru, lstm, mgu, rnn

operations()

__all__ = ["gru", "kernel_calls", "light_gru", "lstm", "mgu", "recurrence", "rnn"]
