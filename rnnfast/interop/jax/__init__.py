"""Recurrent layers for JAX on the kernels of rnnfast."""

from . import _batching  # registers
from ._kernels import kernel_calls
