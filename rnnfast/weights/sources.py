"""What stands for weights where a function wants a kind of cell and arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnnfast.weights import torch_modules
from rnnfast.weights.stack import StackWeights
from rnnfast.weights.torch_weights import from_torch


def arguments_of(source: object) -> dict[str, Any] | None:
    """Return what `prepack` takes by name, of weights in another form; see `stack_of`."""
    stack = stack_of(source)
    return None if stack is None else stack.arguments()


def stack_of(source: object) -> StackWeights | None:
    """Return a description of weights in this or another form; None for anything else.

    Raises
    ------
    ValueError
        Of a model of which not exactly one part is recurrent.
    """
    if isinstance(source, StackWeights):
        return source
    if isinstance(source, Mapping) or torch_modules.is_module(source):
        try:
            return from_torch(source)
        except ValueError as error:
            raise ValueError(
                f"{error}; rnnfast.weights.from_torch takes a name, and prepack and load what it "
                "returns"
            ) from None
    return None
