"""Reading protocol buffers without a schema: as much as it takes to look into a model.

A message is a sequence of fields, each a key and a value. The key is a varint, the field's number
times 8 plus one of

    0  a varint     1  8 bytes     2  a length and so many bytes     5  4 bytes

Nothing is copied: values of a length are views of the message. Source: protobuf.dev, "Encoding".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TypeAlias

Value: TypeAlias = "int | memoryview"

_VARINT, _EIGHT, _SIZED, _FOUR = 0, 1, 2, 5
_LONGEST_VARINT = 10


def fields(message: memoryview) -> Iterator[tuple[int, Value]]:
    """Yield the number and the value of each field; ValueError where there is no message."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        if kind == _SIZED:
            size, at = _varint(message, at)
        elif kind in (_EIGHT, _FOUR):
            size = 8 if kind == _EIGHT else 4
        else:
            raise ValueError(f"a field of kind {kind} at byte {at}")
        if size > len(message) - at:
            raise ValueError(f"a field of {size} bytes with {len(message) - at} left")
        yield key >> 3, message[at : at + size]
        at += size


def messages(message: memoryview, number: int) -> Iterator[memoryview]:
    """Yield the values of a field that has a length."""
    for found, value in fields(message):
        if found == number and isinstance(value, memoryview):
            yield value


def text(value: Value) -> str:
    """Return a value as text."""
    return bytes(_sized(value)).decode("utf-8", "replace")


def number(value: Value) -> int:
    """Return a value as a signed integer of 64 bits."""
    if not isinstance(value, int):
        raise ValueError("a length where there should be a number")
    return value - (1 << 64) if value >> 63 else value


def floats(value: Value) -> list[float]:
    """Return a value as numbers of 4 bytes, of which there is one or many."""
    data = bytes(_sized(value))
    return list(struct.unpack(f"<{len(data) // 4}f", data[: len(data) // 4 * 4]))


def _sized(value: Value) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number where there should be a length")
    return value


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Return a varint and the place behind it."""
    value = 0
    for i in range(_LONGEST_VARINT):
        if at + i >= len(message):
            raise ValueError("the message ends within a number")
        byte = message[at + i]
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return value & ((1 << 64) - 1), at + i + 1
    raise ValueError("a number of more than 64 bits")
