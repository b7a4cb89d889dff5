"""Reading and writing a safetensors file: arrays of numbers, or the reason why not.

    8 bytes     N, the length of the header, least significant byte first
    N bytes     {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...} in JSON
    the rest    the numbers, least significant byte first, array after array without gaps

Source: https://github.com/huggingface/safetensors, "Format". The package itself maps a file into
memory, where one that is cut short meanwhile ends the process; and what it raises for files that
are none, and for types that NumPy does not have, differs between its versions.
"""

from __future__ import annotations

import errno
import json
import math
import os
import reprlib
import stat
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeGuard

import numpy as np

from rnnfast._check import Array
from rnnfast.files.atomic_file import naming

BESIDE = "model/"
"""How names of arrays begin that a saved model has beside its weights."""

_LONGEST_HEADER = 100_000_000  # bytes, of the format
_FLOATS = {"F16": "<f2", "BF16": "<u2", "F32": "<f4", "F64": "<f8"}
_INTEGERS = {
    **{f"I{8 * size}": f"<i{size}" for size in (1, 2, 4, 8)},
    **{f"U{8 * size}": f"<u{size}" for size in (1, 2, 4, 8)},
    "BOOL": "?",
}
_STORED = {**_FLOATS, **_INTEGERS}


class _Entry(NamedTuple):
    """What the header says of an array; its numbers stand in [begin, end) after the header."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def encode(tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> bytes:
    """Return the bytes of a file.

    Raises
    ------
    ImportError
        When safetensors is not installed.
    """
    try:
        library = import_module("safetensors.numpy")
    except ImportError as error:
        raise ImportError(
            "files of weights are written with safetensors; run `pip install safetensors`"
        ) from error
    contiguous = {name: np.asarray(value, order="C") for name, value in tensors.items()}
    data: bytes = library.save(contiguous, metadata=dict(metadata))
    return data


def read(path: Path, wanted: Mapping[str, Array]) -> dict[str, Array]:
    """Read arrays with the names, shapes and dtypes of those that are wanted.

    Raises
    ------
    ValueError
        When the file is damaged, holds other arrays, or numbers that the dtypes cannot hold.
    OSError
        With `path`, when there is no file to read.
    """
    with _read(path) as file:
        own = {name: one for name, one in file.entries.items() if name not in file.beside}
        _require_fitting(path, own, wanted)
        file.require_whole()
        return {
            name: exactly(path, name, file.array(name), like.dtype) for name, like in wanted.items()
        }


def read_all(path: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """Read the metadata and all arrays, as they are stored.

    Raises
    ------
    ValueError
        When the file is damaged, or an array of a type that NumPy does not have.
    OSError
        With `path`, when there is no file to read.
    """
    with _read(path) as file:
        for name, entry in file.entries.items():
            _require_stored(path, name, entry, _STORED)
            _require_length(path, name, entry)
        file.require_whole()
        return file.metadata, {name: file.array(name) for name in file.entries}


def read_metadata(path: Path) -> dict[str, Any]:
    """Read what a file says of itself; raises as `read_all`."""
    with _read(path) as file:
        return file.metadata


class _File:
    """An open file whose header has been read."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        size = os.fstat(file.fileno()).st_size
        header = _header(path, file, size)
        metadata = header.pop("__metadata__", {})
        self.metadata: dict[str, Any] = metadata if isinstance(metadata, dict) else {}
        self.entries = {name: _entry(path, name, value) for name, value in header.items()}
        self._path = path
        self._file = file
        self._start = file.tell()
        self._size = size - self._start

    def require_whole(self) -> None:
        """Raise ValueError unless the arrays, one after the other, are all that there is."""
        _require_whole(self._path, self.entries, self._size)

    @property
    def beside(self) -> set[str]:
        """Names of what a saved model keeps beside its weights."""
        own = "rnnfast" in self.metadata
        return {name for name in self.entries if own and name.startswith(BESIDE)}

    def array(self, name: str) -> Array:
        """Read an array."""
        entry = self.entries[name]
        self._file.seek(self._start + entry.begin)
        return _stored(entry, _bytes(self._path, self._file, entry))


@contextmanager
def _read(path: Path) -> Iterator[_File]:
    with opened(path) as file:
        yield _File(path, file)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file to read; OSError tells its path."""
    with naming(path):
        if not stat.S_ISREG(os.stat(path).st_mode) and not path.is_dir():
            raise OSError(errno.EINVAL, "is no regular file")
        with open(path, "rb") as file:
            yield file


def _header(path: Path, file: BinaryIO, size: int) -> dict[str, Any]:
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > size - 8:
        raise ValueError(
            f"{path} is no safetensors file, or has been cut short: it has {size} bytes, its "
            f"header would have {length}"
        )
    if length > _LONGEST_HEADER:
        raise ValueError(f"{path} is no safetensors file: its header would have {length} bytes")
    try:
        header = json.loads(file.read(length).decode(), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no safetensors file, its header is no JSON: {error}") from None
    if not isinstance(header, dict):
        raise ValueError(f"{path} is no safetensors file: its header names no arrays")
    return header


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"names appear twice among {[name for name, _ in pairs]}")
    return found


def _entry(path: Path, name: str, value: Any) -> _Entry:
    said = value if isinstance(value, dict) else {}
    dtype, shape, offsets = (said.get(key) for key in ("dtype", "shape", "data_offsets"))
    if (
        not isinstance(dtype, str)
        or not _are_counts(shape)
        or not _are_counts(offsets)
        or len(offsets) != 2
    ):
        raise ValueError(
            f"{path} is damaged: {name!r} must have a dtype, a shape and two data_offsets, "
            f"got {reprlib.repr(value)}"
        )
    return _Entry(dtype, tuple(shape), *offsets)


def _are_counts(value: Any) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(one) is int and one >= 0 for one in value)


def _require_fitting(
    path: Path, entries: Mapping[str, _Entry], wanted: Mapping[str, Array]
) -> None:
    require_names(path, entries, wanted)
    for name, like in wanted.items():
        entry = entries[name]
        _require_stored(path, name, entry, _FLOATS)
        if entry.shape != like.shape:
            raise ValueError(f"{name} in {path} must have shape {like.shape}, got {entry.shape}")
        _require_length(path, name, entry)


def require_names(path: Path, names: Collection[str], wanted: Collection[str]) -> None:
    """Raise ValueError unless a file has the arrays that are wanted, and no others."""
    missing, unexpected = sorted({*wanted} - {*names}), sorted({*names} - {*wanted})
    if missing or unexpected:
        raise ValueError(
            f"the weights in {path} are not those of this model: missing {missing}, "
            f"unexpected {unexpected}"
        )


def _require_stored(path: Path, name: str, entry: _Entry, types: Mapping[str, str]) -> None:
    if entry.dtype not in types:
        kind = "a floating-point type" if types is _FLOATS else "a type"
        raise ValueError(
            f"{name} in {path} must be of {kind}, {', '.join(types)}, got {entry.dtype}"
        )


def _require_length(path: Path, name: str, entry: _Entry) -> None:
    length = math.prod(entry.shape) * np.dtype(_STORED[entry.dtype]).itemsize
    if entry.end - entry.begin != length:
        raise ValueError(
            f"{path} is damaged: {name}, {entry.dtype} {entry.shape}, must take {length} "
            f"bytes, got those from {entry.begin} to {entry.end}"
        )


def _require_whole(path: Path, entries: Mapping[str, _Entry], size: int) -> None:
    """Raise unless the arrays, one after the other, are all that the file holds."""
    reached = 0
    for name, entry in sorted(entries.items(), key=lambda item: item[1][2:]):
        if entry.begin != reached:
            raise ValueError(
                f"{path} is damaged: {name} must begin at byte {reached}, got {entry.begin}"
            )
        reached = entry.end
    if reached != size:
        what = "has been cut short" if size < reached else "is damaged"
        raise ValueError(f"{path} {what}: its arrays take {reached} bytes, it holds {size}")


def _bytes(path: Path, file: BinaryIO, entry: _Entry) -> bytes:
    data = file.read(entry.end - entry.begin)
    if len(data) < entry.end - entry.begin:
        raise ValueError(f"{path} has been cut short while it was read")
    return data


def _stored(entry: _Entry, data: bytes) -> Array:
    """Return numbers as they are stored, in a type that NumPy has."""
    stored = np.frombuffer(data, _STORED[entry.dtype]).reshape(entry.shape)
    if entry.dtype == "BF16":  # the upper half of a float32
        return (stored.astype(np.uint32) << 16).view(np.float32)
    return stored


def exactly(path: Path, name: str, numbers: Array, dtype: np.dtype[Any]) -> Array:
    """Return numbers in a dtype that can hold each of them, or raise ValueError."""
    with np.errstate(over="ignore", invalid="ignore"):
        held = numbers.astype(dtype)
        lost = (held != numbers) & ~np.isnan(numbers)
    if lost.any():
        stored = f"F{8 * numbers.dtype.itemsize}"
        raise ValueError(
            f"{name} in {path} is {stored}, of which the model's {dtype} cannot hold "
            f"{np.count_nonzero(lost)} of {lost.size} numbers, for example "
            f"{float(numbers[lost][0])!r}: make the layers with dtype={numbers.dtype.name!r}, or "
            f"round the numbers in the file"
        )
    return held
