"""From and to Keras: lists of arrays in the order of `get_weights`.

    Keras   kernel (I, G*H)   recurrent_kernel (H, G*H)   bias (G*H,)    of a GRU that resets after
    here    w_ih (G*H, I)     w_hh (G*H, H)               b_ih (G*H,)    (2, 3*H): b_ih and b_hh

Gates are i f g o there and here; those of a GRU are z r h there, and r z n here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnfast._check import Array
from rnnfast._check.inputs import LayerWeights
from rnnfast.weights.stack import StackWeights
from rnnfast.weights.tensors import as_array

GATE_ORDER: Mapping[str, tuple[int, ...]] = {
    "lstm": (0, 1, 2, 3),
    "gru": (1, 0, 2),
    "rnn": (0,),
    "light_gru": (0, 1),
}
"""Where each gate of the one order stands in the other. Every order is its own inverse."""


def from_keras(cell: str, arrays: Sequence[Any], **options: Any) -> StackWeights:
    """Return layers from lists of arrays as Keras's `get_weights` gives them.

    Parameters
    ----------
    cell : str
        "lstm", "gru", "rnn" (`SimpleRNN`).
    arrays : sequence of array_like, or sequence of such
        Kernel, recurrent kernel and, unless the layer has none, bias of a layer; of several layers
        a list of such lists. With `bidirectional=True` the list of a layer has those of the
        forward layer, then those of the backward layer. Keras itself is not needed.
    **options
        As of `StackWeights`. Where a GRU has biases, they say whether its reset comes after the
        product; otherwise it does by default, as in Keras. `rnnfast.interop.keras.find` reads
        options from layers.

    Returns
    -------
    StackWeights
        Copies.

    Raises
    ------
    ValueError
        If the arrays do not fit each other, or the options.
    TypeError
        If they are not arrays of float32 or float64.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnfast.weights import from_keras
    >>> from_keras("lstm", [np.ones((3, 16)), np.ones((4, 16)), np.ones(16)])
    <StackWeights lstm: input_size=3, hidden_size=4, dtype=float64>
    """
    if cell not in GATE_ORDER:
        raise ValueError(f"cell must be one of {[*GATE_ORDER]}, got {cell!r}")
    nested = bool(arrays) and not hasattr(arrays[0], "shape")
    given = [list(one) for one in arrays] if nested else [list(arrays)]
    layers = []
    for i, layer in enumerate(given):
        place = f"arrays[{i}]" if nested else "arrays"
        both = 2 if options.get("bidirectional") is True else 1
        count, left = divmod(len(layer), both)
        if left or count not in (2, 3):
            wanted = "twice " * (both - 1) + "kernel, recurrent kernel and perhaps bias"
            raise ValueError(f"{place} must be {wanted}, got {len(layer)} arrays")
        directions = (layer[k : k + count] for k in range(0, len(layer), count))
        layers.append([_from(cell, own, place, options) for own in directions])
    return StackWeights.of_layers(cell, layers, **options)


def to_keras(weights: StackWeights) -> list[Array] | list[list[Array]]:
    """Return the arrays of layers as Keras's `set_weights` takes them.

    Parameters
    ----------
    weights : StackWeights
        The layers.

    Returns
    -------
    list of ndarray, or list of such lists
        Of one layer in one direction, or bidirectional, its arrays; of several layers a list for
        each. Where Keras has one bias, it is the sum of both.

    Raises
    ------
    ValueError
        If Keras's layers lack the cell, a projection, peepholes or layer normalization.
    """
    if weights.cell not in ("lstm", "gru", "rnn"):
        raise ValueError(f"Keras has no cell {weights.cell!r}; it has lstm, gru and rnn")
    lacks = {"forget_gate", "clip", "zoneout"} & weights.options.keys()
    first = weights.layers[0][0]
    lacks |= {n for n in ("w_hr", "peephole", "layer_norm") if getattr(first, n) is not None}
    if lacks:
        raise ValueError(f"Keras's layers have no {', '.join(sorted(lacks))}")
    flat = [directed for layer in weights.layers for directed in layer]
    biased = any(bias is not None for one in flat for bias in (one.b_ih, one.b_hh))
    two = weights.cell == "gru" and weights.options.get("reset_after", True)
    lists = [
        [array for one in layer for array in _to(weights.cell, one, biased, two)]
        for layer in weights.layers
    ]
    return lists[0] if len(lists) == 1 else lists


def in_order(order: tuple[int, ...], of_gates: Array) -> Array:
    """Return what has gates on its last axis with these in another order."""
    gates = of_gates.reshape(*of_gates.shape[:-1], len(order), -1)
    return gates[..., order, :].reshape(of_gates.shape)


def _from(cell: str, arrays: Sequence[Any], place: str, options: dict[str, Any]) -> LayerWeights:
    """Return the arrays of one layer in one direction; a GRU's bias tells `reset_after`."""
    names = ("kernel", "recurrent kernel", "bias")
    read = [as_array(f"{name} of {place}", one) for name, one in zip(names, arrays, strict=False)]
    order = GATE_ORDER[cell]
    for name, array, ranks in zip(names, read, ((2,), (2,), (1, 2)), strict=False):
        if array.ndim not in ranks or array.shape[-1] % len(order) or not array.size:
            wanted = "H" if len(order) == 1 else f"{len(order)}*H"
            raise ValueError(f"{name} of {place} must have {wanted} columns, got {array.shape}")
    ordered = [in_order(order, array) for array in read]
    w_ih, w_hh = (np.ascontiguousarray(matrix.T) for matrix in ordered[:2])
    if len(ordered) == 2:
        return LayerWeights(w_ih, w_hh, None, None)
    bias = ordered[2]
    two = bias.ndim == 2
    if cell == "gru" and options.setdefault("reset_after", two) is not two:
        raise ValueError(
            f"bias of {place} must be {'(3*H,)' if two else '(2, 3*H)'} with "
            f"reset_after={not two}, got {bias.shape}"
        )
    if two and (cell != "gru" or len(bias) != 2):
        raise ValueError(f"bias of {place} must be 1-D, or (2, 3*H) of a GRU, got {bias.shape}")
    b_ih, b_hh = bias if two else (bias, None)
    return LayerWeights(w_ih, w_hh, b_ih, b_hh)


def _to(cell: str, weights: LayerWeights, biased: bool, two: bool) -> list[Array]:
    """Return the arrays of one layer in one direction, with two rows of biases or one."""
    order = GATE_ORDER[cell]
    arrays = [in_order(order, weights.w_ih.T), in_order(order, weights.w_hh.T)]
    if biased:
        none = np.zeros(len(weights.w_hh), weights.dtype)
        b_ih = none if weights.b_ih is None else weights.b_ih
        b_hh = none if weights.b_hh is None else weights.b_hh
        arrays.append(in_order(order, np.stack([b_ih, b_hh]) if two else b_ih + b_hh))
    return [np.ascontiguousarray(array) for array in arrays]
