"""What training asks of a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from rnnfast.layers.layer import Array, Layer, Shape
from rnnfast.training.graph import Graph


class Trainable(Protocol):
    """A graph of layers that can be built for data."""

    name: str

    @property
    def layers(self) -> list[Layer]:
        """The layers, each once."""

    @property
    def graph(self) -> Graph:
        """How they are connected."""

    @property
    def parameters(self) -> list[Array]:
        """All weights, in the layout computed with."""

    @property
    def trained_parameters(self) -> list[Array]:
        """Those of layers that are trained."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of weights and results."""

    @property
    def output_shape(self) -> Shape | list[Shape]:
        """Of the output with the batch axis, or of each; known when the model is built."""

    @property
    def input_names(self) -> list[str]:
        """Of the inputs, in order."""

    @property
    def output_names(self) -> list[str]:
        """Of the outputs, in order."""

    @property
    def input_converters(self) -> list[Callable[[Array], Array]]:
        """What brings each input into the dtype that its layers take."""

    def build_for(self, shapes: Sequence[Shape]) -> None:
        """Build the model for inputs of these shapes if it is not, and check that they fit."""


def require_layers(model: Trainable) -> list[Layer]:
    """Return the layers, or raise ValueError when there are none."""
    layers = model.layers
    if not layers:
        raise ValueError("the model has no layers; call add(layer) first")
    return layers
