"""What a misspelt name was meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def meant(unknown: object, known: Iterable[str]) -> str:
    """Return "; did you mean 'name'?" for the known name nearest to an unknown one, or ""."""
    near = get_close_matches(unknown, list(known), 1, 0.7) if isinstance(unknown, str) else []
    return f"; did you mean {near[0]!r}?" if near else ""
