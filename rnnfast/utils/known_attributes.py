"""Objects on which a misspelt attribute, or argument, is an error and not a wish nobody hears."""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Mapping
from inspect import Parameter, Signature, signature
from typing import Any, TypeVar

from rnnfast._check.spelling import meant

_Made = TypeVar("_Made")


class _Completing(ABCMeta):
    """Makes instances that know when their `__init__` is over."""

    def __call__(cls: type[_Made], *arguments: Any, **options: Any) -> _Made:
        """Make an instance; one of our own classes has all its attributes from now on."""
        _require_known(cls, options)
        instance: Any = type.__call__(cls, *arguments, **options)
        instance._complete = cls.__module__.partition(".")[0] == "rnnfast"
        made: _Made = instance
        return made

    @property
    def __signature__(cls) -> Signature:
        """The arguments of `__init__`: help would show those of `__call__` above."""
        own = signature(cls.__init__)  # type: ignore[misc]
        return own.replace(parameters=list(own.parameters.values())[1:])


class KnownAttributes(metaclass=_Completing):
    """What may be set after `__init__`: what is there, and names that begin with an underscore.

    Classes that a user derives may be given anything. Keywords that `__init__` does not take are
    told what was meant.
    """

    _complete = False

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; AttributeError for one that was never there."""
        if self._complete and not name.startswith("_") and not hasattr(self, name):
            known = [known for known in dir(self) if not known.startswith("_")]
            raise AttributeError(
                f"{type(self).__name__} has no attribute {name!r}{meant(name, known)}"
            )
        super().__setattr__(name, value)


def _require_known(cls: type, options: Mapping[str, object]) -> None:
    """Raise TypeError, as Python would, for a keyword that `__init__` does not list."""
    if not options:
        return
    known = signature(cls).parameters
    takes_any = any(one.kind is Parameter.VAR_KEYWORD for one in known.values())
    unknown = [name for name in options if name not in known]
    if unknown and not takes_any:
        raise TypeError(
            f"{cls.__name__} got an unexpected argument {unknown[0]!r}{meant(unknown[0], known)}"
        )
