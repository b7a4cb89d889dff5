"""The recurrent nodes of a model, found in its bytes.

They are looked for in its graph, in the bodies of If, Loop and Scan, and in the functions that it
defines. The numbers of fields are those of onnx.proto.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from . import _protobuf as pb

_OF_ONNX = frozenset({"LSTM", "GRU", "RNN"})
_OPERATORS = {
    "": _OF_ONNX,
    "ai.onnx": _OF_ONNX,
    "com.microsoft": frozenset({"DynamicQuantizeLSTM"}),  # ONNX Runtime's own
}
TYPES = {1: "float32", 2: "uint8", 3: "int8", 10: "float16", 11: "float64", 16: "bfloat16"}

_PEEPHOLES = 7  # the place of P among the inputs of an LSTM of either domain


class Node(NamedTuple):
    """A recurrent node.

    `weight_type` is that of W, None where the graph does not say.
    """

    name: str
    op_type: str
    attributes: dict[str, Any]
    has_peepholes: bool
    weight_type: str | None


def domain_of(op_type: str) -> str:
    """Return the domain of a recurrent operator."""
    return "" if op_type in _OF_ONNX else "com.microsoft"


def is_recurrent(node: Any) -> bool:
    """Return whether a node, as the package onnx has it, is one that there are kernels for."""
    return node.op_type in _OPERATORS.get(node.domain, ())


def recurrent_nodes(model: memoryview) -> list[Node]:
    """Return the recurrent nodes of a serialized model; ValueError where it is none."""
    found: list[Node] = []
    for number, value in pb.fields(model):
        if number == 7 and isinstance(value, memoryview):
            found += _of_graph(value, {})
        elif number == 25 and isinstance(value, memoryview):  # a function
            for node in pb.messages(value, 7):
                found += _of_node(node, {})
    return found


@contextmanager
def opened(model: str | os.PathLike[str] | bytes) -> Iterator[memoryview]:
    """Give the bytes of a model, of a file without reading all of it."""
    if isinstance(model, (bytes, bytearray)):
        yield memoryview(model)
        return
    with open(model, "rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    yield memoryview(mapped)  # closed with the last view of it: an error may hold some


def _of_graph(graph: memoryview, outer_types: dict[str, str]) -> Iterator[Node]:
    types = dict(outer_types)
    nodes = []
    for number, value in pb.fields(graph):
        if not isinstance(value, memoryview):
            continue
        if number == 1:
            nodes.append(value)
        elif number == 5:  # an initializer
            types.update(_type_of_tensor(value))
        elif number in (11, 13):  # an input, or a value
            types.update(_type_of_value(value))
    for node in nodes:
        yield from _of_node(node, types)


def _of_node(node: memoryview, types: dict[str, str]) -> Iterator[Node]:
    inputs, name, op_type, domain = [], "", "", ""
    attributes = []
    for number, value in pb.fields(node):
        if number == 1:
            inputs.append(pb.text(value))
        elif number == 3:
            name = pb.text(value)
        elif number == 4:
            op_type = pb.text(value)
        elif number == 5 and isinstance(value, memoryview):
            attributes.append(value)
        elif number == 7:
            domain = pb.text(value)
    for attribute in attributes:
        for number, value in pb.fields(attribute):
            if number in (6, 11) and isinstance(value, memoryview):  # a body
                yield from _of_graph(value, types)
    if op_type in _OPERATORS.get(domain, ()):
        has_peepholes = (
            op_type.endswith("LSTM") and len(inputs) > _PEEPHOLES and bool(inputs[_PEEPHOLES])
        )
        weight_type = types.get(inputs[1]) if len(inputs) > 1 else None
        known = dict(map(_attribute, attributes))
        yield Node(name, op_type, known, has_peepholes, weight_type)


def _attribute(attribute: memoryview) -> tuple[str, Any]:
    """Return the name of an attribute, and its number, text or list of these."""
    name = ""
    single: Any = None
    many: list[Any] = []
    for number, value in pb.fields(attribute):
        if number == 1:
            name = pb.text(value)
        elif number == 2:
            (single,) = pb.floats(value)
        elif number == 3:
            single = pb.number(value)
        elif number == 4:
            single = pb.text(value)
        elif number == 7:
            many += pb.floats(value)
        elif number == 9:
            many.append(pb.text(value))
    return name, many or single


def _type_of_tensor(tensor: memoryview) -> Iterator[tuple[str, str]]:
    name, kind = "", 0
    for number, value in pb.fields(tensor):
        if number == 2:
            kind = pb.number(value)
        elif number == 8:
            name = pb.text(value)
    yield name, TYPES.get(kind, f"type {kind}")


def _type_of_value(value_info: memoryview) -> Iterator[tuple[str, str]]:
    name = ""
    for number, value in pb.fields(value_info):
        if number == 1:
            name = pb.text(value)
    for kind in pb.messages(value_info, 2):
        for tensor in pb.messages(kind, 1):
            for number, value in pb.fields(tensor):
                if number == 1:
                    element = pb.number(value)
                    yield name, TYPES.get(element, f"type {element}")
