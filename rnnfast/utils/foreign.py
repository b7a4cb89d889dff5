"""Objects of other frameworks, told apart without importing any.

Who comes from Keras passes its layers and callbacks by habit. Their names are ours too, so that a
message must say whose they are.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from rnnfast._check.spelling import meant

_FRAMEWORKS = frozenset(
    {
        "flax",
        "jax",
        "keras",
        "lightning",
        "pytorch_lightning",
        "sklearn",
        "skorch",
        "tensorflow",
        "tf_keras",
        "torch",
    }
)


def foreign(obj: object) -> str | None:
    """Name the framework that an object comes from.

    Parameters
    ----------
    obj : object
        An instance or a class. One that a user derives from a framework's class is the
        framework's.

    Returns
    -------
    str or None
        The package, such as "keras", "tf_keras" or "torch"; None for all others.
    """
    origin = _origin(obj)
    return None if origin is None else _package(origin)


def instead(obj: object, namespace: str, known: Collection[str]) -> str:
    """Say whose an object is and what to use in its place.

    Parameters
    ----------
    obj : object
        What was given.
    namespace : str
        Where ours are, such as "rnnfast.callbacks".
    known : collection of str
        The names there.

    Returns
    -------
    str
        To be put behind a message; "" when the object is of no other framework.
    """
    origin = _origin(obj)
    if origin is None:
        return ""
    whose = f"; {origin.__name__} is {_package(origin)}'s"
    if origin.__name__ in known:
        return f"{whose}, use {namespace}.{origin.__name__}"
    return f"{whose}, {namespace} has none of this name{meant(origin.__name__, known)}"


def _origin(obj: object) -> type[Any] | None:
    """Find the class of a framework that an object is of, or its class was derived from."""
    cls = obj if isinstance(obj, type) else type(obj)
    return next((base for base in cls.__mro__ if _package(base) in _FRAMEWORKS), None)


def _package(cls: type[Any]) -> str:
    return cls.__module__.partition(".")[0]
