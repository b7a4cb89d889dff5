"""Weights of recurrent layers as a plain description, to and from files.

    StackWeights              a kind of cell, its options, the arrays of each layer and direction
    save_weights(path, w)     to a safetensors file, unpacked
    read_weights(path)        from such a file

Packed weights depend on the processor, so that files hold these: `rnnfast.prepack` takes them.
"""

from __future__ import annotations

from .stack import StackWeights
from .stack_file import read_weights, save_weights

__all__ = ["StackWeights", "read_weights", "save_weights"]
