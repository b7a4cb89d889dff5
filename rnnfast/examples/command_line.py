"""Numbers given on the command line."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable


def number(
    kind: type[int] | type[float], least: int, most: float = sys.float_info.max
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
