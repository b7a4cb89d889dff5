"""Everything that is checked or normalised before the compiled core sees it.

Python checks and speaks; C++ asserts. What passes here is as `rnnfast._core` wants it: one dtype,
native, aligned, of the shapes and strides that the kernels take.

    arrays       one array: dtype, byte order, alignment, strides, shape
    activations  functions by their names and numbers
    cells        the cells of the core, chosen by options
    inputs       the arguments of one layer, or of a step, against each other
    stacks       those of all layers and directions of a call
    gradients    the arguments of a pullback
    outputs      arrays that results are written to
    ctc          logits, their lengths, and targets without times
    options      flags, counts, names
    numbers      single numbers, as the dtype of the arrays holds them
"""

from __future__ import annotations

from . import activations, cells, ctc, gradients, inputs, numbers, options, outputs, stacks
from .arrays import Array, DType, empty, zeros

__all__ = [
    "Array",
    "DType",
    "activations",
    "cells",
    "ctc",
    "empty",
    "gradients",
    "inputs",
    "numbers",
    "options",
    "outputs",
    "stacks",
    "zeros",
]
