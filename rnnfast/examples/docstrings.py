"""Short texts with a topic, on every machine that runs Python: docstrings of its standard library.

A text is the docstring of a module, class or function. Its topic is what the module is about. The
sources are parsed, nothing is imported; modules that a version of Python lacks are left out.
"""

from __future__ import annotations

import ast
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TOPICS = {
    "code": "ast bdb code codeop dis doctest importlib inspect pdb pickletools pydoc symtable "
    "tokenize traceback typing unittest",
    "concurrency": "asyncio concurrent multiprocessing queue sched selectors subprocess threading "
    "_threading_local",
    "files": "bz2 filecmp fnmatch genericpath glob gzip lzma ntpath os pathlib posixpath _pyio "
    "shutil tarfile tempfile zipfile",
    "markup": "configparser csv email html json mailbox plistlib quopri xml",
    "network": "cgi ftplib http imaplib ipaddress nntplib poplib smtplib socket socketserver ssl "
    "telnetlib urllib webbrowser wsgiref xmlrpc",
    "numbers": "bisect calendar colorsys datetime _pydatetime fractions heapq numbers _pydecimal "
    "random statistics",
    "windows": "tkinter turtle",
}
"""Modules and packages of each topic."""

_FEWEST_WORDS = 5


def labelled_docstrings(
    rng: np.random.Generator, library: Path | None = None
) -> tuple[list[str], NDArray[np.int64]]:
    """Collect docstrings in random order.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where chance comes from.
    library : Path, optional
        The folder of the standard library, by default that of this Python.

    Returns
    -------
    texts : list of str
        Some 5000, each once, of five words at least.
    topics : int64 array
        The place of each text's topic in `TOPICS`.

    Raises
    ------
    FileNotFoundError
        When the library's sources are not there.
    """
    root = Path(sysconfig.get_paths()["stdlib"]) if library is None else library
    # A docstring that two modules share has no one topic: the first keeps it.
    topic_of: dict[str, int] = {}
    for topic, modules in enumerate(TOPICS.values()):
        for text in _docstrings(_sources(root, modules.split())):
            topic_of.setdefault(text, topic)
    if len(set(topic_of.values())) < 2:
        raise FileNotFoundError(f"no sources of Python's standard library in {root}")
    texts = list(topic_of)
    order = rng.permutation(len(texts))
    return [texts[i] for i in order], np.array([topic_of[texts[i]] for i in order])


def _sources(root: Path, modules: Iterable[str]) -> Iterator[Path]:
    for module in modules:
        for path in (root / f"{module}.py", *sorted((root / module).rglob("*.py"))):
            if path.is_file() and not {"test", "tests"} & {*path.relative_to(root).parts}:
                yield path


def _docstrings(paths: Iterable[Path]) -> Iterator[str]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for path in paths:
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, kinds):
                words = (ast.get_docstring(node) or "").split()
                if len(words) >= _FEWEST_WORDS:
                    yield " ".join(words)
