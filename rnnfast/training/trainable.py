"""What training asks of a model."""

from __future__ import annotations

from typing import Protocol

from rnnfast.layers.layer import Array, Layer, Shape


class Trainable(Protocol):
    """A chain of layers that can be built for data."""

    @property
    def layers(self) -> list[Layer]:
        """The layers from first to last."""

    @property
    def parameters(self) -> list[Array]:
        """All weights, in the layout computed with."""

    def build_for(self, x: Array) -> None:
        """Build the model for data if it is not built, and check that they fit."""

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Give the shape of the result for inputs of a shape."""


def require_layers(model: Trainable) -> list[Layer]:
    """Return the layers, or raise ValueError when there are none."""
    layers = model.layers
    if not layers:
        raise ValueError("the model has no layers; call add(layer) first")
    return layers
