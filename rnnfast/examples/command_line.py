"""Options given on the command line."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

Option: TypeAlias = tuple[str, Callable[[str], Any], Any, str]


def number(
    kind: type[int] | type[float], least: float, most: float = sys.float_info.max
) -> Callable[[str], float]:
    """Make a converter for argparse that says what was wanted.

    Parameters
    ----------
    kind : type
        int or float.
    least, most : float
        What the number must not be below or above.

    Returns
    -------
    callable
        Takes the string, gives the number or raises argparse.ArgumentTypeError.
    """

    def convert(value: str) -> float:
        try:
            converted = kind(value)
        except ValueError:
            converted = math.nan
        if not least <= converted <= most:
            at_most = f" and at most {most}" if most < sys.float_info.max else ""
            raise argparse.ArgumentTypeError(
                f"must be {'an integer' if kind is int else 'a number'} of at least "
                f"{least}{at_most}, got {value!r}"
            )
        return converted

    return convert


def add_options(parser: argparse.ArgumentParser, options: Iterable[Option]) -> None:
    """Add options that each take one value and tell their default.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Is given them.
    options : iterable of (str, callable, object, str)
        Name, converter of the string, default, meaning.
    """
    for name, convert, default, meaning in options:
        parser.add_argument(
            name,
            type=convert,
            default=default,
            metavar="PATH" if convert is Path else "N",
            help=meaning if default is None else f"{meaning} (default: %(default)s)",
        )


def add_text_and_cell(parser: argparse.ArgumentParser, cells: Iterable[str]) -> None:
    """Add `--text` and `--cell`, as programs that model a text take them.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Is given them.
    cells : iterable of str
        The recurrent layers to choose from, "lstm" among them.
    """
    parser.add_argument(
        "--text", type=Path, metavar="FILE", help="UTF-8 text (default: Python's documentation)"
    )
    parser.add_argument(
        "--cell", choices=sorted(cells), default="lstm", help="recurrent layer (default: lstm)"
    )


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """End the program, with what to install, where a package is missing in a block or a function.

    Parameters
    ----------
    extra : str
        Of rnnfast: what brings the package.

    Raises
    ------
    SystemExit
        When an import fails.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise SystemExit(
            f"this program needs {error.name}: pip install 'rnnfast[{extra}]'"
        ) from error


@contextmanager
def needs_host() -> Iterator[None]:
    """End the program, with what to install, where a library that it is about is missing.

    Raises
    ------
    SystemExit
        When an import fails.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name == "rnnfast":
            raise
        raise SystemExit(f"this program needs {name}: pip install {name}") from error
