"""Weights of recurrent layers as a plain description: to and from files and other libraries.

    StackWeights                           a kind of cell, its options, and arrays
    save_weights(path, w)                  to a safetensors file, unpacked
    read_weights(path)                     from such a file
    from_torch, find_torch, to_torch       PyTorch's modules, and state_dicts without PyTorch
    from_keras, to_keras                   arrays in Keras's order, without Keras

Packed weights depend on the processor, so that files hold these: `rnnfast.prepack` takes them.
Layers of Keras are read by `rnnfast.interop.keras.find`, nodes of ONNX by
`rnnfast.interop.onnx.load`, files of all of them by ``python -m rnnfast.convert``.
"""

from __future__ import annotations

from .found import Found
from .keras_order import from_keras, to_keras
from .stack import StackWeights
from .stack_file import read_weights, save_weights
from .torch_weights import find_torch, from_torch, to_torch

__all__ = [
    "Found",
    "StackWeights",
    "find_torch",
    "from_keras",
    "from_torch",
    "read_weights",
    "save_weights",
    "to_keras",
    "to_torch",
]
