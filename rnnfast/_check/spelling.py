"""What a misspelt name was meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def meant(unknown: object, known: Iterable[str]) -> str:
    """Return "; did you mean 'name'?" for the known name nearest to an unknown one, or "".

    Initials count as well: lr was meant to be learning_rate.
    """
    if not isinstance(unknown, str):
        return ""
    names = list(known)
    near = get_close_matches(unknown, names, 1, 0.7)
    near += [name for name in names if _initials(name) == unknown]
    return f"; did you mean {near[0]!r}?" if near else ""


def _initials(name: str) -> str:
    words = name.split("_")
    return "".join(word[:1] for word in words) if len(words) > 1 else ""
