"""A model of one ONNX operator: RNN, LSTM or GRU with our weights as constants.

    x (T, B, I), initial states (D, B, H) -> Y (T, D, B, H), Y_h (D, B, H), Y_c (D, B, H)

in D directions, one or two.

Source: the ONNX operators RNN, LSTM and GRU, version 14 of the operator set.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnfast.testing.cells import Arguments, Array, Cell

from .peer import import_host

__all__ = ["OUTPUTS", "bidirectional_model", "given_states", "has_operator", "recurrent_model"]

OUTPUTS = {"y": "Y", "h_n": "Y_h", "c_n": "Y_c"}
"""ONNX's names of our results."""

# Of each cell: the operator, its gates as indices of ours (ONNX has i o f g and z r n), attributes,
# in lists what each direction has.
_OPERATORS: dict[str, tuple[str, tuple[int, ...], dict[str, Any]]] = {
    "rnn_tanh": ("RNN", (0,), {"activations": ["Tanh"]}),
    "rnn_relu": ("RNN", (0,), {"activations": ["Relu"]}),
    "rnn_sigmoid": ("RNN", (0,), {"activations": ["Sigmoid"]}),
    "lstm": ("LSTM", (0, 3, 1, 2), {}),
    "gru": ("GRU", (1, 0, 2), {"linear_before_reset": 1}),
    "gru_reset_before": ("GRU", (1, 0, 2), {"linear_before_reset": 0}),
}

_OPSET = 14
_IR_VERSION = 8  # old enough for every runtime that knows the operator set


def has_operator(cell: Cell) -> bool:
    """Return whether ONNX defines a cell.

    Parameters
    ----------
    cell : Cell
        The cell.

    Returns
    -------
    bool
    """
    return cell.name in _OPERATORS


def given_states(cell: Cell, inputs: Arguments) -> tuple[str, ...]:
    """Return the names of the initial states that are there; without them they are zero.

    Parameters
    ----------
    cell : Cell
        The cell.
    inputs : mapping of str to ndarray
        Its arguments.

    Returns
    -------
    tuple of str
    """
    return tuple(state for state in cell.states if state in inputs)


def recurrent_model(cell: Cell, inputs: Arguments, wanted: tuple[str, ...]) -> bytes:
    """Build the model.

    Parameters
    ----------
    cell : Cell
        The cell.
    inputs : mapping of str to ndarray
        Its arguments, float32: the weights and biases go into the model; x and the states that are
        given become its inputs, under the same names.
    wanted : tuple of str
        The results that become its outputs, of ``y``, ``h_n`` and ``c_n``.

    Returns
    -------
    bytes
        The serialized model.

    Raises
    ------
    Unable
        If the package onnx is not installed.
    """
    return _model(cell, [inputs], given_states(cell, inputs), wanted)


def bidirectional_model(
    cell: Cell, forward: Arguments, reverse: Arguments, wanted: tuple[str, ...]
) -> bytes:
    """Build the model of a layer in both directions, whose states begin at zero.

    Parameters
    ----------
    cell : Cell
        The cell.
    forward, reverse : mapping of str to ndarray
        The weights and biases of each direction, float32, which go into the model.
    wanted : tuple of str
        As for `recurrent_model`.

    Returns
    -------
    bytes
        The serialized model.

    Raises
    ------
    Unable
        If the package onnx is not installed.
    """
    return _model(cell, [forward, reverse], (), wanted)


def _model(
    cell: Cell, directions: Sequence[Arguments], states: tuple[str, ...], wanted: tuple[str, ...]
) -> bytes:
    onnx = import_host("onnx")
    operator, order, of_one = _OPERATORS[cell.name]
    D = len(directions)
    attributes = {name: a * D if isinstance(a, list) else a for name, a in of_one.items()}
    node = onnx.helper.make_node(
        operator,
        inputs=["x", "W", "R", "B", *(["", *states] if states else [])],
        outputs=[OUTPUTS[name] if name in wanted else "" for name in cell.outputs],
        hidden_size=directions[0]["w_hh"].shape[1],
        direction="forward" if D == 1 else "bidirectional",
        **attributes,
    )
    constants = {
        "W": [_by_gate(of["w_ih"], order) for of in directions],
        "R": [_by_gate(of["w_hh"], order) for of in directions],
        "B": [
            np.concatenate([_by_gate(of[bias], order) for bias in ("b_ih", "b_hh")])
            for of in directions
        ],
    }

    def value(name: str) -> Any:
        rank = 4 if name == "Y" else 3
        return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None] * rank)

    graph = onnx.helper.make_graph(
        [node],
        cell.name,
        [value(name) for name in ("x", *states)],
        [value(OUTPUTS[name]) for name in wanted],
        [onnx.numpy_helper.from_array(np.stack(both), name) for name, both in constants.items()],
    )
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION
    )
    serialized: bytes = model.SerializeToString()
    return serialized


def _by_gate(rows: Array, order: tuple[int, ...]) -> Array:
    gates = np.split(rows, len(order))
    return np.concatenate([gates[gate] for gate in order])
