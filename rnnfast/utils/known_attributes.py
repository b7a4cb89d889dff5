"""Objects on which a misspelt attribute is an error, not a wish that nobody hears."""

from __future__ import annotations

import inspect
from abc import ABCMeta
from typing import Any, TypeVar

from rnnfast._check.spelling import meant
from rnnfast.utils.known_keywords import KnownKeywords

_Made = TypeVar("_Made")


class _Completing(KnownKeywords):
    """Makes instances that know when their `__init__` is over."""

    def __call__(cls: type[_Made], *arguments: Any, **options: Any) -> _Made:
        """Make an instance; one of our own classes has all its attributes from now on."""
        instance: Any = type.__call__(cls, *arguments, **options)
        instance._complete = cls.__module__.partition(".")[0] == "rnnfast"
        made: _Made = instance
        return made

    @property
    def __signature__(cls) -> inspect.Signature:
        """The arguments of `__init__`: help would show those of `__call__` above."""
        initialize: Any = cls.__init__  # type: ignore[misc]
        return inspect.Signature(list(inspect.signature(initialize).parameters.values())[1:])

    @property
    def __signature__(cls) -> inspect.Signature:
        """What a class takes; without it, `help` would show what `__call__` above does."""
        whole = inspect.signature(cls.__init__)  # type: ignore[misc]  # of this very class
        return whole.replace(parameters=list(whole.parameters.values())[1:])


class KnownAttributes(metaclass=_Completing):
    """What may be set after `__init__`: what is there, and names that begin with an underscore.

    Classes that a user derives may be given anything.
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
