"""Results as JSON: msgspec reads and writes the dataclasses themselves, by their annotations.

    {"schema": 2, "command": "python -m rnnfast.bench ...", ...}

A file says first by which version of the schema it was written. Versions grow when a reader of the
last one would misread the next; a field that is new and has a default is no reason.

1    no version in the file; a list where it was of bounded ratios
2    as above
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

__all__ = ["SCHEMA", "decode", "encode", "require_msgspec"]

SCHEMA = 2
"""The version that is written, and the one that is read."""

_Results = TypeVar("_Results")


@dataclass(frozen=True)
class _Version:
    schema: int = 1


def require_msgspec() -> Any:
    """Return the package msgspec.

    Returns
    -------
    module

    Raises
    ------
    ImportError
        With what to install, if it is not there.
    """
    try:
        import msgspec
    except ImportError as error:
        raise ImportError(
            "results are stored with msgspec, which is missing: pip install 'rnnfast[bench]'"
        ) from error
    return msgspec


def encode(fields: dict[str, Any]) -> str:
    """Write the fields of results as JSON.

    Parameters
    ----------
    fields : dict
        Of dataclasses, named tuples, and what JSON knows.

    Returns
    -------
    str
        The version of the schema, then the fields, indented.
    """
    msgspec = require_msgspec()
    written: bytes = msgspec.json.encode({"schema": SCHEMA, **fields})
    indented: bytes = msgspec.json.format(written, indent=1)
    return indented.decode() + "\n"


def decode(text: str, kind: type[_Results]) -> _Results:
    """Read results that `encode` has written.

    Parameters
    ----------
    text : str
        The JSON.
    kind : type
        The dataclass of the results. Fields beyond its own are passed over.

    Returns
    -------
    object of `kind`

    Raises
    ------
    ValueError
        If the text is no JSON, was written by another version of the schema, or does not hold what
        `kind` says.
    """
    msgspec = require_msgspec()
    try:
        version = msgspec.json.decode(text, type=_Version).schema
    except msgspec.ValidationError:  # not an object
        version = 1
    if version != SCHEMA:
        raise ValueError(f"results of schema {version}, where {SCHEMA} is wanted: measure again")
    read: _Results = msgspec.json.decode(text, type=kind)
    return read
