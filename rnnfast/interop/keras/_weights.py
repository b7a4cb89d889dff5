"""The recurrent layers of a Keras model as plain descriptions.

Layers are read as the kernels run them (`_cells.plan`). Every one takes and gives sequences here:
`return_sequences`, `stateful` and masks are of Keras's layer, and not of its weights.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

import keras
from keras import ops

from ..._check.inputs import LayerWeights
from ...weights import Found, StackWeights
from .._models import require_model
from ._cells import plan
from ._fallback import CannotRun
from ._hook import cells_of


def find(model: keras.Layer | str | os.PathLike[str]) -> Found:
    """Find the recurrent layers of a Keras model as plain descriptions.

    Parameters
    ----------
    model : keras.Model, keras.Layer, str or path
        The model, its file, or one layer: `LSTM`, `GRU`, `SimpleRNN`, `RNN` over such cells, or
        `Bidirectional` of these.

    Returns
    -------
    Found
        Stacks by the names of layers, and what was left.

    Raises
    ------
    TypeError
        For anything else.
    ValueError
        When a file is damaged, or has code in it.
    OSError
        When there is no file to read.

    Notes
    -----
    A layer that goes backwards is `reverse`: its results come in the order of time, where Keras
    turns them round.

    Examples
    --------
    >>> weights = find(model).one("lstm")
    >>> cell = rnnfast.prepack(weights)
    """
    if isinstance(model, (str, os.PathLike)):
        model = _loaded(model)
    require_model(model, keras.Layer, "a keras.Model or keras.Layer")
    found = Found({}, {})
    for layer in _outermost(model):
        name = _own_name(layer.name, found)
        try:
            stack = _stack(layer)
        except (CannotRun, TypeError, ValueError) as left:
            found.left[name] = str(left)
            continue
        if stack is not None:
            found.stacks[name] = stack
        elif layer.weights:
            found.left[name] = type(layer).__name__
    return found


def _loaded(path: str | os.PathLike[str]) -> Any:
    with open(path, "rb"):  # or say why not
        pass
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # of whichever kind, from archives, h5py and classes
        raise ValueError(f"{path} is damaged, or no model that Keras reads: {error}") from error


def _outermost(model: Any) -> Iterator[Any]:
    """Yield layers that are not made of others, and those whose insides belong together."""
    whole = (keras.layers.RNN, keras.layers.Bidirectional)
    inner = model._flatten_layers(include_self=False, recursive=False)
    if isinstance(model, whole) or not inner:
        yield model
        return
    for layer in inner:
        yield from _outermost(layer)


def _own_name(name: str, found: Found) -> str:
    taken = found.stacks.keys() | found.left.keys()
    number = 1
    numbered = name
    while numbered in taken:
        number += 1
        numbered = f"{name} ({number})"
    return numbered


def _stack(layer: Any) -> StackWeights | None:
    """Return what a layer computes with; None for one that is not recurrent."""
    if isinstance(layer, keras.layers.Bidirectional):
        return _of_both(layer)
    if not isinstance(layer, keras.layers.RNN):
        return None
    function, options, arrays = _read(layer)
    if layer.go_backwards:
        options = {**options, "reverse": True}
    return StackWeights.of_layers(function, [[one] for one in arrays], **options)


def _of_both(layer: Any) -> StackWeights:
    if layer.merge_mode not in ("concat", None):
        raise CannotRun(f"merge_mode={layer.merge_mode!r}, where both directions stay side by side")
    forward, backward = _read(layer.forward_layer), _read(layer.backward_layer)
    if forward[:2] != backward[:2]:
        raise CannotRun("two directions of different kinds")
    pairs = zip(forward[2], backward[2], strict=True)
    if len(forward[2]) > 1:
        raise CannotRun("stacked cells in both directions, which take no part of each other's")
    return StackWeights.of_layers(forward[0], pairs, bidirectional=True, **forward[1])


def _read(layer: Any) -> tuple[str, dict[str, Any], list[LayerWeights]]:
    """Return the kind of cell, its options and the arrays of each cell of a layer."""
    if not layer.built:
        raise ValueError("it has no weights yet: call the model, or build it")
    plans = [plan(cell) for cell in cells_of(layer.cell)]
    first = plans[0]
    if any((p.core, p.zoneout) != (first.core, first.zoneout) for p in plans):
        raise CannotRun("cells of different kinds")
    options = {**first.options, **({"zoneout": first.zoneout} if any(first.zoneout) else {})}
    return first.core.function, options, [_arrays(p.weights()) for p in plans]


def _arrays(tensors: Iterable[Any]) -> LayerWeights:
    arrays: list[Any] = [None if one is None else ops.convert_to_numpy(one) for one in tensors]
    return LayerWeights(*arrays)
