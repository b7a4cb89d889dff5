"""Keras arguments that rnnfast knows of but does not offer yet.

They are accepted at Keras's default, where they change nothing, and refused at any other value:
an argument is never ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from reprlib import repr

from rnnfast._check.spelling import meant


def refuse(
    owner: str,
    options: Mapping[str, object],
    not_yet: Mapping[str, object],
    offered: Iterable[str] = (),
) -> None:
    """Check the arguments in `options` that the signature of `owner` does not list.

    Parameters
    ----------
    owner : str
        Who was given the arguments, for the message.
    options : mapping
        The arguments by name.
    not_yet : mapping
        Names and defaults of the Keras arguments still to come.
    offered : iterable of str, optional
        Names of the arguments that there are: what a misspelt one may have been.

    Raises
    ------
    NotImplementedError
        For one of those at another value than its default.
    TypeError
        For any other name.
    """
    for name, value in options.items():
        if name not in not_yet:
            hint = meant(name, (*not_yet, *offered))
            raise TypeError(f"{owner} got an unexpected argument {name!r}{hint}")
        default = not_yet[name]
        if not _same(value, default):
            raise NotImplementedError(
                f"{owner} does not support {name}={repr(value)} yet; "
                f"leave it out, or at Keras's default {default!r}"
            )


def require_channels_last(owner: str, data_format: str | None) -> str | None:
    """Return Keras's `data_format` if it is the one there is: features along the last axis."""
    if data_format not in (None, "channels_last"):
        raise NotImplementedError(
            f"{owner} does not support data_format={data_format!r}; "
            f"leave it out: features stand along the last axis"
        )
    return data_format


def _same(value: object, default: object) -> bool:
    # Only plain values are compared: an array has no single truth value.
    return value is default or (isinstance(value, (bool, int, float, str)) and value == default)
