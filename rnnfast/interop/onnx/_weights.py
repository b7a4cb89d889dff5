"""The weights of a model's recurrent nodes, as `rnnfast.prepack` and `rnnfast.weights` take them.

ONNX has gates in the order i o f c (LSTM) and z r h (GRU), in arrays (D, G*H, ...) of both
directions, with biases (D, 2*G*H). Here they are i f g o and r z n, an array for each direction,
and b_ih beside b_hh. ONNX Runtime's own DynamicQuantizeLSTM is an LSTM whose matrices are of whole
numbers (`_quantized`).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..._check import Array
from ...functional import prepack
from ...functional.prepacked import Prepacked
from ...weights import Found, StackWeights
from . import _quantized
from ._nodes import is_recurrent

if TYPE_CHECKING:
    import onnx

_ORDER = {"LSTM": (0, 2, 3, 1), "GRU": (1, 0, 2), "RNN": (0,)}  # where ours stand among ONNX's
_COUPLED = (0, 3, 1)  # of an LSTM whose forget gate is 1 - i
_PEEPHOLES = (0, 2, 1)

# Defaults where a node gives an activation fewer numbers than it takes.
_NUMBERS: Mapping[str, tuple[float, ...]] = {
    "affine": (0.0, 0.0),
    "leakyrelu": (0.01,),
    "thresholdedrelu": (0.0,),
    "scaledtanh": (0.0, 0.0),
    "hardsigmoid": (0.2, 0.5),
    "elu": (1.0,),
}


class RecurrentNode(NamedTuple):
    """A recurrent node of a model.

    Attributes
    ----------
    op_type : str
        "LSTM", "GRU", "RNN" or "DynamicQuantizeLSTM".
    arguments : dict
        What `rnnfast.prepack` takes: the kind of cell, weights, biases, and options.
    batch_first : bool
        Whether the node takes x as (B, T, I), as with `layout=1`: an argument of each call.
    """

    op_type: str
    arguments: dict[str, Any]
    batch_first: bool

    def prepack(self) -> Prepacked[Any, Any]:
        """Return the node as a cell with packed weights."""
        return prepack(**self.arguments)

    def weights(self) -> StackWeights:
        """Return the node as a plain description, as `rnnfast.weights.save_weights` takes it.

        It does not know of `batch_first`.
        """
        return StackWeights(**self.arguments)


def load(model: str | os.PathLike[str] | onnx.ModelProto) -> dict[str, RecurrentNode]:
    """Return the recurrent nodes of a model, with their weights, by their names.

    Nodes in the bodies of If, Loop and Scan are among them. ONNX Runtime is not needed, the package
    onnx is.

    Parameters
    ----------
    model : str, path or onnx.ModelProto
        The model.

    Returns
    -------
    dict of str to RecurrentNode
        In the order in which they stand. A node without a name has that of its operator; of several
        with one name, those after the first have numbers.

    Raises
    ------
    ValueError
        If weights depend on what the model is given, a node has what `rnnfast.prepack` lacks, or
        the file is no model.

    Notes
    -----
    DynamicQuantizeLSTM, of ONNX Runtime's own operators, becomes a cell of `precision="int8"` with
    the node's whole numbers as they are. ONNX Runtime quantizes what a batch holds at a step by one
    scale, rnnfast each sequence by its own, so that results differ by what that rounds.

    With `clip`, what the output of an LSTM sees of c is clipped as well, as ONNX's text says. ONNX
    Runtime leaves it as it is.

    Examples
    --------
    >>> cell = load("model.onnx")["encoder"].prepack()
    >>> y, state = cell(x)
    """
    return {
        name: _recurrent(name, node, scope) for name, node, scope in _named_nodes(_loaded(model))
    }


def find(model: str | os.PathLike[str] | onnx.ModelProto) -> Found:
    """Find the recurrent nodes of a model as plain descriptions.

    Parameters
    ----------
    model : str, path or onnx.ModelProto
        The model.

    Returns
    -------
    Found
        Stacks by the names that `load` gives; what was left are nodes that `load` refuses, with its
        reason, and how many there are of each other operator.

    Raises
    ------
    ValueError
        When the file is damaged, or no model.
    OSError
        When there is no file to read.
    """
    loaded = _loaded(model)
    found = Found({}, {})
    for name, node, scope in _named_nodes(loaded):
        try:
            found.stacks[name] = _recurrent(name, node, scope).weights()
        except (TypeError, ValueError) as error:
            found.left[name] = str(error)
    others = Counter(node.op_type for node in loaded.graph.node if not is_recurrent(node))
    found.left.update({kind: f"{count} of them" for kind, count in others.items()})
    return found


def _loaded(model: str | os.PathLike[str] | onnx.ModelProto) -> onnx.ModelProto:
    import onnx

    if isinstance(model, onnx.ModelProto):
        return model
    with open(model, "rb"):  # or say why not
        pass
    try:
        return onnx.load(os.fspath(model))
    except Exception as error:  # of whichever kind, from protobuf and the files beside it
        raise ValueError(f"{model} is damaged, or no ONNX model: {error}") from error


def _named_nodes(model: onnx.ModelProto) -> Iterator[tuple[str, Any, _Scope]]:
    """Yield the recurrent nodes, each with a name of its own."""
    found: list[str] = []
    for node, scope in _nodes(model.graph, None, model.opset_import):
        name = node.name or node.op_type
        number = sum(one == name or one.startswith(f"{name} (") for one in found)
        found.append(f"{name} ({number + 1})" if number else name)
        yield found[-1], node, scope


class _Varies(Exception):
    """A tensor is another in each call."""


class _Scope:
    """The tensors that a graph's nodes may name: its own, and those of the graphs around it.

    One that is made of constants alone is a constant, as weights are that exporters slice and join.
    """

    def __init__(self, graph: onnx.GraphProto, around: _Scope | None, opsets: Any) -> None:
        self._opsets = opsets
        self._around = around
        self._tensors = {tensor.name: tensor for tensor in graph.initializer}
        self._makers = {name: node for node in graph.node for name in node.output if name}

    def constant(self, name: str) -> Array:
        """Return a constant; _Varies for a tensor that is none."""
        from onnx import numpy_helper

        if name in self._tensors:
            stored: Array = numpy_helper.to_array(self._tensors[name])
            return stored
        if name in self._makers:
            return self._made(name, self._makers[name])
        if self._around is None:
            raise _Varies
        return self._around.constant(name)

    def _made(self, name: str, node: Any) -> Array:
        """Return an output of a node whose inputs are constants."""
        from onnx import helper
        from onnx.reference import ReferenceEvaluator

        if any(one.HasField("g") or one.graphs for one in node.attribute):
            raise _Varies
        feeds = {one: self.constant(one) for one in node.input if one}
        values = [helper.make_tensor_value_info(one, 0, None) for one in feeds]
        results = [helper.make_tensor_value_info(one, 0, None) for one in node.output if one]
        graph = helper.make_graph([node], "constant", values, results)
        model = helper.make_model(graph, opset_imports=self._opsets)
        found: Array = ReferenceEvaluator(model).run([name], feeds)[0]
        return found


def _nodes(
    graph: onnx.GraphProto, around: _Scope | None, opsets: Any
) -> Iterator[tuple[Any, _Scope]]:
    """Yield the recurrent nodes of a graph, each with the tensors that it may name."""
    scope = _Scope(graph, around, opsets)
    for node in graph.node:
        for attribute in node.attribute:
            for body in [attribute.g] if attribute.HasField("g") else attribute.graphs:
                yield from _nodes(body, scope, opsets)
        if is_recurrent(node):
            yield node, scope


def _recurrent(name: str, node: Any, scope: _Scope) -> RecurrentNode:
    from onnx import helper

    attributes = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    given = [*node.input, *[""] * _quantized.INPUTS]
    quantized = _quantized.is_quantized(node)
    kind = "LSTM" if quantized else node.op_type

    def weight(place: int, called: str) -> Array | None:
        if not given[place]:
            return None
        try:
            return scope.constant(given[place])
        except _Varies:
            raise ValueError(
                f"{called} of {name} must be a constant, got {given[place]}, which depends on what "
                "the model is given"
            ) from None

    w, r, b = weight(1, "W"), weight(2, "R"), weight(3, "B")
    p = weight(7, "P") if kind == "LSTM" else None
    if w is None or r is None:
        raise ValueError(f"{name} must have W and R, got {list(node.input)}")
    direction = attributes.get("direction", b"forward").decode()
    coupled = bool(attributes.get("input_forget"))
    if coupled and p is not None:
        raise ValueError(f"{name} must have peepholes or input_forget, got both")
    gates = len(_ORDER[kind])
    order = _COUPLED if coupled else _ORDER[kind]
    both = direction == "bidirectional"
    arguments: dict[str, Any] = {"cell": kind.lower()}
    weights: dict[str, list[Any]] = {}
    for called, place, matrix in (("w_ih", _quantized.OF_W, w), ("w_hh", _quantized.OF_R, r)):
        if quantized:
            scales, zeros = (weight(place + i, _quantized.NAMES[place + i]) for i in (0, 1))
            by_row = _quantized.rows_of(name, matrix, scales, zeros)
            of_gates = [_blocks(one, gates, order) for one in by_row]
            weights[called] = _quantized.weights(name, *of_gates)
        else:
            weights[called] = _blocks(matrix, gates, order)
    if b is not None:
        of_w, of_r = np.split(b, 2, axis=1)
        weights |= {"b_ih": _blocks(of_w, gates, order), "b_hh": _blocks(of_r, gates, order)}
    if p is not None:
        weights["peephole"] = _blocks(p, 3, _PEEPHOLES)
    for called, parts in weights.items():
        arguments[called] = parts if both else parts[0]
    if both:
        arguments["bidirectional"] = True
    elif direction == "reverse":
        arguments["reverse"] = True
    if coupled:
        arguments["forget_gate"] = "coupled"
    if kind == "GRU":
        arguments["reset_after"] = bool(attributes.get("linear_before_reset"))
    if "activations" in attributes:
        arguments |= _activations(name, attributes, 2 if both else 1)
    if "clip" in attributes:
        arguments["clip"] = attributes["clip"]
    return RecurrentNode(node.op_type, arguments, attributes.get("layout") == 1)


def _blocks(weights: Array, gates: int, order: tuple[int, ...]) -> list[Array]:
    """Return the weights of each direction, which have so many gates, with gates in our order."""
    return [np.concatenate([np.split(one, gates)[i] for i in order]) for one in weights]


def _activations(name: str, attributes: dict[str, Any], directions: int) -> dict[str, Any]:
    """Return `activations`, unless they are the usual ones."""
    left = {key: list(attributes.get(f"activation_{key}", ())) for key in ("alpha", "beta")}
    chosen: list[Any] = []
    for raw in attributes["activations"]:
        plain = raw.decode().lower()
        numbers = [
            left[key].pop(0) if left[key] else otherwise
            for key, otherwise in zip(("alpha", "beta"), _NUMBERS.get(plain, ()), strict=False)
        ]
        chosen.append((plain, *numbers) if numbers else plain)
    each = len(chosen) // directions
    if chosen[:each] * directions != chosen:
        raise ValueError(f"activations of {name} must be alike in both directions, got {chosen}")
    return {"activations": chosen[0] if each == 1 else tuple(chosen[:each])}
