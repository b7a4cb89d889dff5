"""Drop-in for Keras 3: the recurrent layers of a model on the kernels of rnnfast.

    rnnfast.interop.keras.swap(model)        every recurrent layer of a model, in place
    rnnfast.interop.keras.swap_back(model)   Keras again
    with rnnfast.interop.keras.plain(model)  Keras for the while, to export
    rnnfast.interop.keras.find(model)        weights for `rnnfast.prepack` and `rnnfast.weights`

`LSTM`, `GRU` and their cells have what Keras lacks: peepholes, layer normalization, zoneout.

A swapped layer stays what it is, with another `inner_loop`: configuration, weights, files and
copies are Keras's. Backends: torch, jax, tensorflow, numpy. float32 and float64 on the CPU run
here; anything else is run by Keras, and said once.

Written for Keras 3.15. See also: docs/keras_backend.md.
"""

from __future__ import annotations

from .._report import Report
from ._backends import kernel_calls
from ._weights import find
from .cells import GRUCell, LSTMCell
from .layers import GRU, LSTM
from .swap import plain, swap, swap_back

__all__ = [
    "GRU",
    "LSTM",
    "GRUCell",
    "LSTMCell",
    "Report",
    "find",
    "kernel_calls",
    "plain",
    "swap",
    "swap_back",
]
