"""Finding a loss, an optimizer or a metric by what Keras lets a user name it with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeGuard, TypeVar

from rnnfast._check.spelling import meant

T = TypeVar("T")

_FRAMEWORKS = {"keras", "tf_keras", "tensorflow", "torch"}


def find(
    kind: str, identifier: object, base: type[Any], by_name: Mapping[str, Callable[..., T]]
) -> T:
    """Turn an identifier into an instance.

    Parameters
    ----------
    kind : str
        What is looked for, for the messages: "loss", "optimizer", "metric".
    identifier : str, dict, instance or class
        A name, a config `{"class_name": ..., "config": ...}`, an instance of `base`, which is
        returned as it is, or a subclass of it.
    base : type
        The class that all of them extend.
    by_name : mapping of str to callable
        What makes an instance, by the names it answers to.

    Returns
    -------
    instance of `base`
        The one that was meant.

    Raises
    ------
    ValueError
        When the name is unknown.
    TypeError
        When `identifier` is none of these, an object of another framework for example.
    """
    if isinstance(identifier, base):
        instance: T = identifier
        return instance
    if isinstance(identifier, type) and issubclass(identifier, base):
        made: T = identifier()
        return made
    if isinstance(identifier, str):
        return _named(kind, identifier, by_name)()
    if isinstance(identifier, Mapping) and "class_name" in identifier:
        cls = _named(kind, identifier["class_name"], by_name)
        return cls(**identifier.get("config", {}))
    raise TypeError(
        f"{kind} must be a name, a {base.__name__}, its class or a config with the keys "
        f"class_name and config, got {identifier!r}{_instead(identifier, base, by_name)}"
    )


def is_function(identifier: object, base: type[Any]) -> TypeGuard[Callable[..., Any]]:
    """Tell whether an identifier is a function of the user's: no class, no `base`, not foreign."""
    known = isinstance(identifier, (type, base)) or _home(identifier) in _FRAMEWORKS
    return callable(identifier) and not known


def _home(identifier: object) -> str:
    module = getattr(identifier, "__module__", None)  # an object has its class's
    return module.partition(".")[0] if isinstance(module, str) else ""


def _instead(identifier: object, base: type[Any], by_name: Mapping[str, object]) -> str:
    if _home(identifier) not in _FRAMEWORKS:
        return ""
    name = getattr(identifier, "__name__", type(identifier).__name__)
    ours = f"rnnfast's own {name}" if name in by_name else "one of rnnfast's"
    return f" of {_home(identifier)}; use {ours}, or extend {base.__module__}.{base.__name__}"


def _named(kind: str, name: str, by_name: Mapping[str, Callable[..., T]]) -> Callable[..., T]:
    if name not in by_name:
        known = ", ".join(sorted([known for known in by_name if known.islower()] or by_name))
        raise ValueError(f"unknown {kind} {name!r}{meant(name, by_name)}; known are {known}")
    return by_name[name]
