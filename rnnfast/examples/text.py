"""Text for the character model: where it comes from, its alphabet, its windows.

The default text is the part of the Python documentation that CPython carries for ``help()``, in
:mod:`pydoc_data.topics`: about 400 000 characters of English on every machine that runs Python.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

Symbols = npt.NDArray[np.int64]

UNKNOWN = 0
"""Symbol of every character that the training text does not contain."""

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class TextError(ValueError):
    """A text that cannot be read, or is too short to train on."""


def join_topics(topics: Mapping[str, str]) -> str:
    """Join help topics in alphabetical order, each paragraph once.

    Topics quote one another (``with`` is also a section of ``compound``). A paragraph that stood
    in both the training and the validation part would reward memory, so only its first occurrence
    is kept.

    Parameters
    ----------
    topics : mapping of str to str
        Topic name to text.

    Returns
    -------
    str
        The distinct paragraphs, separated by blank lines.
    """
    distinct: dict[str, str] = {}
    for name in sorted(topics):
        for paragraph in topics[name].split("\n\n"):
            # Quoted, a paragraph may be indented and wrapped differently.
            distinct.setdefault(" ".join(paragraph.split()), paragraph)
    return "\n\n".join(distinct.values())


def python_documentation() -> str:
    """Return the English text inside CPython, see :func:`join_topics`.

    Returns
    -------
    str
        Some 400 000 characters; the exact text depends on the Python version.
    """
    from pydoc_data.topics import topics

    return join_topics(topics)


def read_text(path: Path) -> str:
    """Read a user's UTF-8 text file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str
        Its text, with every line ending as a newline.

    Raises
    ------
    TextError
        If the file is missing, cannot be read or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise TextError(
            f"{path} is not UTF-8 text: byte 0x{error.object[error.start]:02x} at offset "
            f"{error.start}; convert it, for example with iconv -f latin1 -t utf-8"
        ) from error
    except OSError as error:
        raise TextError(f"cannot read {path}: {error.strerror or error}") from error


class Alphabet:
    """The characters of a text as symbols 1, 2, ... in code point order, 0 for any other.

    Parameters
    ----------
    text : str
        The training text.
    """

    def __init__(self, text: str) -> None:
        self._points = np.unique(_code_points(text))

    def __len__(self) -> int:
        """Return the number of symbols, the unknown one included."""
        return len(self._points) + 1

    @property
    def characters(self) -> str:
        """The characters, of which `Alphabet` makes an equal one."""
        return self._points.astype("<u4").tobytes().decode("utf-32-le")

    def encode(self, text: str) -> Symbols:
        """Return the symbols of ``text``, shape ``(len(text),)``."""
        points = _code_points(text)
        found = np.searchsorted(self._points, points)
        known = np.take(self._points, found, mode="clip") == points
        return np.where(known, found + 1, UNKNOWN)

    def decode(self, symbols: Symbols) -> str:
        """Return the characters of ``symbols``, an unknown one as U+FFFD."""
        points = np.concatenate([[np.uint32(ord(_REPLACEMENT))], self._points])
        return points.astype("<u4")[symbols].tobytes().decode("utf-32-le")


def _code_points(text: str) -> npt.NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le"), dtype="<u4").astype(np.uint32)


def split(text: str, validation: float = 0.1) -> tuple[str, str]:
    """Cut a text into a training part and, after it, a validation part.

    Parameters
    ----------
    text : str
        The whole text.
    validation : float, default 0.1
        Share of the characters that the second part gets.

    Returns
    -------
    tuple of str
        The training part and the validation part.
    """
    cut = len(text) - int(len(text) * validation)
    return text[:cut], text[cut:]


def windows(symbols: Symbols, length: int) -> tuple[Symbols, Symbols]:
    """Cut symbols into consecutive windows, each predicted one symbol ahead.

    Parameters
    ----------
    symbols : int64 array (N,)
        The text.
    length : int
        Symbols in a window, T.

    Returns
    -------
    x, y : int64 arrays (W, T)
        ``W = (N - 1) // T`` windows and, for each symbol of theirs, the one that follows. The
        fewer than T symbols left at the end are dropped.
    """
    count = (len(symbols) - 1) // length
    x = symbols[: count * length].reshape(count, length)
    y = symbols[1 : count * length + 1].reshape(count, length)
    return x, y


def equal_windows(symbols: Symbols, longest: int) -> tuple[Symbols, Symbols]:
    """Cut symbols as `windows` does, into as few windows of a common length as a limit allows.

    Parameters
    ----------
    symbols : int64 array (N,)
        The text, at least two symbols.
    longest : int
        Most symbols in a window.

    Returns
    -------
    x, y : int64 arrays (W, T)
        Windows and what follows each symbol of theirs. Fewer than W symbols are dropped.
    """
    predicted = len(symbols) - 1
    count = -(-predicted // longest)
    return windows(symbols, predicted // count)
