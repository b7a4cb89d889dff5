"""Arrays in lists, tuples, dicts and named tuples, and gradients that go with them.

A leaf is known by its path, the keys and indices on the way to it: of `{"w": [a, b]}` the leaf
b has the path ("w", 1).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

from rnnfast._check.spelling import meant

Path = tuple[Hashable, ...]


def leaves(nested: object, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Give what is nested, in order, each with its path; None is no leaf."""
    named = _named(nested)
    if named is not None:
        items: Any = named.items()
    elif isinstance(nested, (list, tuple)):
        items = enumerate(nested)
    else:
        if nested is not None:
            yield path, nested
        return
    for key, inner in items:
        yield from leaves(inner, (*path, key))


def pairs(grads: object, variables: object) -> list[tuple[Path, Any, Any]]:
    """Find the gradient of each parameter.

    Parameters
    ----------
    grads, variables : nested
        Where `variables` has names, gradients are found by name, and `grads` may have more of
        them; lists and tuples go in order. A parameter that is None takes no part.

    Returns
    -------
    list of (path, gradient, parameter)
        In the order of `variables`.

    Raises
    ------
    TypeError
        When one is nested and the other is not, or one has names and the other has not.
    ValueError
        When a parameter has no gradient, or two lists differ in length.
    """
    found: list[tuple[Path, Any, Any]] = []
    _collect(grads, variables, (), found)
    return found


def label(path: Path) -> str:
    """Write a path as one would index with it: `['w'][1]`."""
    return "".join(f"[{key!r}]" for key in path)


def _collect(grads: Any, variables: Any, path: Path, found: list[tuple[Path, Any, Any]]) -> None:
    if isinstance(variables, (list, tuple, Mapping)):
        for key, gradient, variable in _level(grads, variables, path):
            _collect(gradient, variable, (*path, key), found)
    elif grads is not None and variables is not None:
        found.append((path, grads, variables))
    elif variables is not None:
        raise ValueError(
            f"grads{label(path)} is None, but trainable_variables{label(path)} is to be changed; "
            f"leave a parameter without a gradient out of trainable_variables, or give zeros"
        )
    elif grads is not None:
        raise ValueError(
            f"trainable_variables{label(path)} is None, but grads{label(path)} is given"
        )


def _level(grads: Any, variables: Any, path: Path) -> Iterator[tuple[Hashable, Any, Any]]:
    """Go with both over one list or dict; gradient and parameter for each key."""
    names, given = _named(variables), _named(grads)
    if (names is None) != (given is None) or not isinstance(grads, (list, tuple, Mapping)):
        raise TypeError(
            f"grads{label(path)} must be nested like trainable_variables{label(path)}, "
            f"{_described(variables)}, got {_described(grads)}"
        )
    if names is not None and given is not None:
        for key, variable in names.items():
            if key not in given and variable is not None:
                known = [name for name in given if isinstance(name, str)]
                raise ValueError(
                    f"grads{label(path)} must have {key!r}, as trainable_variables{label(path)} "
                    f"has{meant(key, known)}; got {', '.join(map(repr, given))}"
                )
            yield key, given.get(key), variable
        return
    if len(grads) != len(variables):
        raise ValueError(
            f"grads{label(path)} must have one entry for each of "
            f"trainable_variables{label(path)}, got {len(grads)} and {len(variables)}"
        )
    yield from zip(range(len(grads)), grads, variables, strict=True)


def _named(nested: Any) -> Mapping[Hashable, Any] | None:
    if isinstance(nested, Mapping):
        return nested
    if isinstance(nested, tuple) and hasattr(nested, "_asdict"):
        by_field: dict[Hashable, Any] = nested._asdict()
        return by_field
    return None


def _described(nested: Any) -> str:
    names = _named(nested)
    if names is not None:
        return f"{type(nested).__name__} of {', '.join(map(str, names))}"
    return f"a {type(nested).__name__}"
