"""First lines of docstrings beside the rest of them, from the sources of Python's standard library.

The sources are parsed, nothing is imported. A docstring counts if its first line is followed by an
empty one, as PEP 257 has it, and by some words more. Words are lower-case; a sign is a word, too.
"""

from __future__ import annotations

import ast
import re
import sysconfig
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

_FEWEST, _MOST = 3, 20  # words of a first line
_FEWEST_OF_REST = 8
_LEFT_OUT = {"test", "tests", "site-packages", "lib2to3", "idlelib", "__pycache__"}
_WORD = re.compile(r"[A-Za-z_][\w.]*\w|\w+|[^\w\s]")


class Documented(NamedTuple):
    """Words of the rest of a docstring, and of its first line."""

    rest: list[str]
    first: list[str]


def words(text: str) -> list[str]:
    """Split a text into words and signs."""
    return [word.lower() for word in _WORD.findall(text)]


def docstrings_by_module(library: Path | None = None) -> dict[str, list[Documented]]:
    """Collect docstrings.

    Parameters
    ----------
    library : Path, optional
        The folder of the standard library, by default that of this Python.

    Returns
    -------
    dict of list of Documented
        By the top-level module they are from; each docstring once.

    Raises
    ------
    FileNotFoundError
        When the library's sources are not there.
    """
    root = Path(sysconfig.get_paths()["stdlib"]) if library is None else library
    found: dict[str, list[Documented]] = defaultdict(list)
    seen: set[str] = set()
    for path in sorted(root.rglob("*.py")):
        inside = path.relative_to(root)
        if _LEFT_OUT & {*inside.parts}:
            continue
        for text in _docstrings(path):
            first, _, rest = text.partition("\n\n")
            pair = Documented(words(rest), words(first))
            fits = _FEWEST <= len(pair.first) <= _MOST and len(pair.rest) >= _FEWEST_OF_REST
            if fits and "\n" not in first and text not in seen:
                seen.add(text)
                found[inside.parts[0].removesuffix(".py")].append(pair)
    if not found:
        raise FileNotFoundError(f"no sources of Python's standard library in {root}")
    return found


def split_by_module(
    rng: np.random.Generator, modules: dict[str, list[Documented]], share: float
) -> tuple[list[Documented], list[Documented]]:
    """Draw modules until their docstrings are a share of all.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws.
    modules : dict of list of Documented
        As `docstrings_by_module` gives them.
    share : float
        Of the docstrings.

    Returns
    -------
    others, drawn : list of Documented
        Those of the other modules, and of those drawn, in random order.
    """
    total = sum(map(len, modules.values()))
    drawn: list[Documented] = []
    others: list[Documented] = []
    for k in rng.permutation(len(modules)):
        (drawn if len(drawn) < share * total else others).extend(modules[sorted(modules)[k]])
    return [others[k] for k in rng.permutation(len(others))], drawn


def lead_sentence(rest: list[str]) -> list[str]:
    """Return the first sentence: a baseline that is hard to beat."""
    end = rest.index(".") + 1 if "." in rest else len(rest)
    return rest[:end]


def _docstrings(path: Path) -> Iterator[str]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):  # templates and the like
        return
    for node in ast.walk(tree):
        if isinstance(node, kinds):
            yield (ast.get_docstring(node) or "").strip()
