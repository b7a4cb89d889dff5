"""Layers called before there are data: what comes out is known by its shape alone.

    x = Input((None, 8))                      a symbol
    y, h = LSTM(32, return_state=True)(x)     symbols, each of which knows the call it comes from
    Model(x, Dense(1)(y))                     follows them back

A call has a layer, the symbols that it takes and those that it gives, and what else the layer was
told: options by name, of layers whose `forward` takes any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from rnnfast.layers.given_shape import Shape


class Called(Protocol):
    """What is asked of a layer that is called."""

    name: str
    dtype: np.dtype[Any]

    @property
    def input_dtype(self) -> np.dtype[Any]:
        """The dtype that it takes."""


class Symbol:
    """An array to come.

    Attributes
    ----------
    shape : tuple
        With the batch axis; None for lengths that may vary.
    dtype : dtype or None
        None where whoever takes it decides.
    origin : Call or None
        What gives it; None for an input.
    index : int
        Its place among what that call gives.
    """

    def __init__(
        self, shape: Shape, dtype: np.dtype[Any] | None, origin: Call | None = None, index: int = 0
    ) -> None:
        self.shape = shape
        self.dtype = dtype
        self.origin = origin
        self.index = index

    def check_dtype(self, layer: Called) -> None:
        """Raise ValueError when a layer takes another dtype."""
        if self.origin is not None and layer.input_dtype != self.dtype:
            raise ValueError(
                f"layer {layer.name!r} takes {layer.input_dtype.name}, layer "
                f"{self.origin.layer.name!r} gives {self.dtype}"
            )

    def __repr__(self) -> str:
        """Name shape, dtype and origin."""
        source = "" if self.origin is None else f", from={self.origin.layer.name}"
        return f"<Symbol shape={self.shape}, dtype={self.dtype}{source}>"

    def __array__(self, *_: object, **__: object) -> Any:
        """Refuse to be an array."""
        raise TypeError(f"{self!r} has no numbers yet: give it to layers, and data to a Model")


@dataclass(frozen=True, eq=False)
class Call:
    """A layer called on symbols; equal to itself alone."""

    layer: Any
    takes: tuple[Symbol, ...]
    gives: list[Symbol]
    options: Mapping[str, Any] = field(default_factory=dict)


def is_symbolic(*arguments: Any) -> bool:
    """Return whether symbols are among arguments, or in lists of them."""
    return any(
        is_symbolic(*argument) if isinstance(argument, (list, tuple)) else _is_symbol(argument)
        for argument in arguments
    )


def call(
    layer: Called,
    takes: Sequence[Any],
    gives: Sequence[Shape],
    options: Mapping[str, Any] | None = None,
) -> list[Symbol]:
    """Note a call of a layer, which fits what it takes.

    Raises
    ------
    TypeError
        When arrays are among the symbols.
    ValueError
        When a dtype is not the one that the layer takes.
    """
    for one in takes:
        if not isinstance(one, Symbol):
            raise TypeError(
                f"layer {layer.name!r} must get symbols alone or arrays alone, got "
                f"{type(one).__name__} among symbols"
            )
        one.check_dtype(layer)
    made = Call(layer, tuple(takes), [], options or {})
    made.gives.extend(Symbol(shape, layer.dtype, made, k) for k, shape in enumerate(gives))
    return made.gives


def require_no_mask(layer: Called, mask: object) -> None:
    """Raise TypeError when a layer that is called on symbols is given a mask."""
    if mask is not None:
        raise TypeError(
            f"layer {layer.name!r} takes no mask with symbols: masks are made by Masking and "
            f"Embedding(mask_zero=True), and travel with the data"
        )


def _is_symbol(argument: Any) -> bool:
    return isinstance(argument, Symbol)
