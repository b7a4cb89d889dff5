"""What is at work, how much is done and how long the rest will take: a bar, drawn by tqdm.

Without tqdm it is a line for each.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TypeVar

__all__ = ["announced"]

_Thing = TypeVar("_Thing")


def announced(things: Sequence[_Thing], about: str) -> Iterator[_Thing]:
    """Show on stderr what is done with things, one after the other.

    Parameters
    ----------
    things : sequence
        What is gone through; each by its `str`.
    about : str
        What is done with them.

    Yields
    ------
    object
        Each of them.
    """
    if not things:
        return
    try:
        from tqdm import tqdm
    except ImportError:
        for number, thing in enumerate(things, 1):
            print(f"[{number}/{len(things)}] {about} {thing}", file=sys.stderr)
            yield thing
        return
    with tqdm(total=len(things), desc=about, unit="") as bar:
        for thing in things:
            bar.set_postfix_str(str(thing))
            yield thing
            bar.update()
