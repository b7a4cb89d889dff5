"""Functions whose misspelt arguments are told what was meant."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import ParamSpec, TypeVar

from rnnfast._check.spelling import meant

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def known_keywords(
    function: Callable[_Arguments, _Result],
) -> Callable[_Arguments, _Result]:
    """Have a function raise TypeError, as Python does, with what an unknown keyword was meant."""
    known = signature(function).parameters

    @wraps(function)
    def checked(*arguments: _Arguments.args, **options: _Arguments.kwargs) -> _Result:
        for name in options:
            if name not in known:
                raise TypeError(
                    f"{function.__name__}() got an unexpected keyword argument {name!r}"
                    f"{meant(name, known)}"
                )
        return function(*arguments, **options)

    return checked
