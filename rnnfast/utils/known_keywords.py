"""Classes whose misspelt arguments are told what was meant."""

from __future__ import annotations

from abc import ABCMeta
from inspect import Parameter, Signature, signature
from typing import Any

from rnnfast._check.spelling import meant


class KnownKeywords(ABCMeta):
    """Metaclass: refuses keywords that `__init__` does not list, before Python does."""

    @property
    def __signature__(cls) -> Signature:
        """That of `__init__`: who looks at a class would see `__call__` of this one."""
        own = signature(cls.__init__)  # type: ignore[misc]
        return own.replace(parameters=list(own.parameters.values())[1:])

    def __call__(cls, *arguments: Any, **options: Any) -> Any:
        """Make an instance; TypeError for a keyword that is unknown."""
        if options:
            known = cls.__signature__.parameters
            unknown = [name for name in options if name not in known]
            takes_any = any(one.kind is Parameter.VAR_KEYWORD for one in known.values())
            if unknown and not takes_any:
                raise TypeError(
                    f"{cls.__name__} got an unexpected argument {unknown[0]!r}"
                    f"{meant(unknown[0], known)}"
                )
        return super().__call__(*arguments, **options)
