"""The recurrent layers of a model as plain descriptions: for what runs them by themselves."""

from __future__ import annotations

from typing import Any

from rnnfast.layers.bidirectional import Bidirectional
from rnnfast.layers.cell_layer import CellLayer
from rnnfast.layers.layer import Layer
from rnnfast.layers.rnn import RNN
from rnnfast.weights import Found, StackWeights
from rnnfast.weights.found import stacked


def find(model: Any) -> Found:
    """Find the recurrent layers of a model.

    Parameters
    ----------
    model : Sequential or Model
        With weights.

    Returns
    -------
    Found
        Stacks by the names of layers, and what was left.
    """
    found = Found({}, {})
    for layer in model.layers:
        try:
            stack = _stack(layer)
        except ValueError as error:
            found.left[layer.name] = str(error)
            continue
        if stack is not None:
            found.stacks[layer.name] = stack
        elif layer.parameters:
            found.left[layer.name] = type(layer).__name__
    return found


def _stack(layer: Layer) -> StackWeights | None:
    """Return what a layer computes with; None for one that is not recurrent."""
    if isinstance(layer, CellLayer):
        return layer.prepack().weights()
    if isinstance(layer, RNN):
        return stacked([one.prepack().weights() for one in layer._layers])
    if isinstance(layer, Bidirectional):
        return _of_both(layer)
    return None


def _of_both(layer: Bidirectional) -> StackWeights:
    if layer.merge_mode not in ("concat", None):
        raise ValueError(f"merge_mode={layer.merge_mode!r}: both directions must stay side by side")
    forward, backward = _stack(layer.forward_layer), _stack(layer.backward_layer)
    if forward is None or backward is None or len(forward.layers) > 1:
        raise ValueError("stacked cells in both directions, which take no part of each other's")
    options, others = forward.options, backward.options
    if options.pop("reverse", False) or not others.pop("reverse", False):
        raise ValueError("its forward layer goes backwards")
    if (forward.cell, options) != (backward.cell, others):
        raise ValueError("two directions of different kinds")
    pairs = zip(forward.layers[0], backward.layers[0], strict=True)
    return StackWeights.of_layers(forward.cell, pairs, bidirectional=True, **options)
