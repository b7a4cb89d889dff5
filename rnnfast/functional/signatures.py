"""Signatures of functions that take their options as one typed dictionary.

A checker reads the dictionary (``**options: Unpack[CallOptions]``, PEP 692) and knows each option
by name and type. Here `inspect.signature`, `help` and `typing.get_type_hints` are told the same,
and the defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from typing import Any, ForwardRef, TypeVar

from rnnfast._check.spelling import meant

__all__ = ["defaults_of", "require_known", "with_options"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def defaults_of(*functions: Callable[..., Any]) -> dict[str, Any]:
    """Return the defaults of all that functions take by keyword alone."""
    return {
        name: parameter.default
        for function in functions
        for name, parameter in signature(function).parameters.items()
        if parameter.kind is Parameter.KEYWORD_ONLY
    }


def with_options(
    function: _Function,
    options: object,
    defaults: Mapping[str, object],
    first: tuple[str, ...] = (),
) -> _Function:
    """Write the options of a typed dictionary into the signature of a function.

    Those named `first` come before the others, which stay in the order of the dictionary.
    """
    annotations: dict[str, Any] = dict(options.__annotations__)
    own = signature(function)
    names = [*(name for name in first if name in annotations)]
    names += [name for name in annotations if name not in names]
    keywords = [
        Parameter(
            name,
            Parameter.KEYWORD_ONLY,
            default=defaults[name],
            annotation=annotations[name].__forward_arg__,
        )
        for name in names
    ]
    arrays = [p for p in own.parameters.values() if p.kind is not Parameter.VAR_KEYWORD]
    function.__signature__ = own.replace(parameters=[*arrays, *keywords])  # type: ignore[attr-defined]
    hints = {p.name: p.annotation for p in arrays if p.annotation is not Parameter.empty}
    hints.update({name: _resolvable(annotations[name]) for name in names})
    function.__annotations__ = {**hints, "return": own.return_annotation}
    return function


def _resolvable(hint: Any) -> Any:
    """Return a type in words with the module where its names are: Python 3.10 forgets it."""
    module = hint.__forward_module__ or f"{__package__}.options"
    return ForwardRef(hint.__forward_arg__, module=module)


def require_known(function: str, options: Mapping[str, object], known: frozenset[str]) -> None:
    """Raise, as Python does, unless all options are ones that a function knows."""
    if not options.keys() <= known:
        unknown = next(name for name in options if name not in known)
        raise TypeError(
            f"{function}() got an unexpected keyword argument {unknown!r}{meant(unknown, known)}"
        )
