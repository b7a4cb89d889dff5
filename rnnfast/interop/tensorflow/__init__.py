"""Rnnfast for TensorFlow: one layer in one direction as an operation of graphs.

    from rnnfast.interop.tensorflow import recurrence

float32 and float64 on the CPU, eager and in `tf.function`, with gradients, in saved models; see
docs/tensorflow.md. Keras on TensorFlow is served by `rnnfast.interop.keras`.

Written for TensorFlow 2.16 and later.
"""

from __future__ import annotations

from ._calls import kernel_calls
from ._recurrence import recurrence

__all__ = ["kernel_calls", "recurrence"]
