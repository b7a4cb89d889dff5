"""The arguments that a class is made with, by which its instances are written down.

An instance keeps each argument as an attribute of the same name, so that its configuration is
nothing but {name: attribute}, and the class called with that gives an equal instance.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache


@cache
def arguments_of(cls: Callable[..., object]) -> tuple[str, ...]:
    """Return the names of the arguments that a class lists, in their order."""
    return tuple(
        parameter.name
        for parameter in inspect.signature(cls).parameters.values()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    )
