"""Nested lists and dicts of numbers, strings and arrays in a safetensors file.

The arrays are its tensors, named by where they stand; the rest is JSON in its metadata, with
{"array of this file": name} in their places. Nothing in it is code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rnnfast._check import Array
from rnnfast.files import atomic_file, safetensors_file

_FORMAT = "rnnfast"
_VERSION = 1
_ARRAY = "array of this file"  # the key of a dict that no state has


def save(path: Path, kind: str, state: Mapping[str, Any]) -> None:
    """Write a state, in place of a file that may be there.

    Raises
    ------
    OSError
        When it cannot be written; what was there is there still.
    """
    atomic_file.replace(path, encode(kind, state))


def encode(kind: str, state: Mapping[str, Any], arrays: Mapping[str, Array] | None = None) -> bytes:
    """Return the bytes of a file with a state, and arrays that have names of their own."""
    tensors = dict(arrays or {})
    plain = _without_arrays(state, kind, tensors)
    note = {"version": _VERSION, "kind": kind, "state": plain}
    metadata = {"format": "np", _FORMAT: json.dumps(note)}
    return safetensors_file.encode(tensors, metadata)


def kind_of(path: Path) -> str | None:
    """Return which kind of state a file holds; None where it has none, as those of others.

    Raises
    ------
    ValueError
        When the file is damaged.
    OSError
        When there is no file to read.
    """
    text = safetensors_file.read_metadata(path).get(_FORMAT)
    if text is None:
        return None
    try:
        return str(json.loads(text)["kind"])
    except (KeyError, ValueError, TypeError, RecursionError):
        raise ValueError(f"{path} was not written by rnnfast, or is damaged") from None


def load(path: Path, kind: str) -> dict[str, Any]:
    """Read a state that `save` has written; see `decode`."""
    return decode(path, kind)[0]


def decode(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, Array]]:
    """Read a state and the arrays that have names of their own.

    Raises
    ------
    ValueError
        When the file is damaged, is of another kind, or not one of these.
    OSError
        When there is no file to read.
    """
    metadata, tensors = safetensors_file.read_all(path)
    try:
        note = json.loads(metadata[_FORMAT])
        version, found, plain = note["version"], note["kind"], note["state"]
    except (KeyError, ValueError, TypeError, RecursionError):
        raise ValueError(f"{path} was not written by rnnfast, or is damaged") from None
    if version != _VERSION:
        raise ValueError(f"{path} is of format {version!r}, this rnnfast reads {_VERSION}")
    if found != kind:
        raise ValueError(f"{path} holds a {found!r}, wanted a {kind!r}")
    try:
        state = _with_arrays(plain, tensors)
    except (KeyError, RecursionError, TypeError):
        raise ValueError(f"{path} is damaged: arrays are missing") from None
    return state, tensors


def _without_arrays(value: Any, place: str, tensors: dict[str, Array]) -> Any:
    """Put arrays aside, under the names of their places."""
    if isinstance(value, Mapping):
        return {key: _without_arrays(one, f"{place}/{key}", tensors) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_arrays(one, f"{place}/{k}", tensors) for k, one in enumerate(value)]
    if isinstance(value, np.ndarray):
        while place in tensors:  # a key with a slash in it
            place += "'"
        tensors[place] = value
        return {_ARRAY: place}
    return value.item() if isinstance(value, np.generic) else value


def _with_arrays(value: Any, tensors: dict[str, Array]) -> Any:
    """Put arrays back; those that are left have names of their own."""
    if isinstance(value, dict):
        if value.keys() == {_ARRAY}:
            return tensors.pop(value[_ARRAY])
        return {key: _with_arrays(one, tensors) for key, one in value.items()}
    if isinstance(value, list):
        return [_with_arrays(one, tensors) for one in value]
    return value
