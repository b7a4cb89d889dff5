"""A chance of any size, drawn by numbers of few bits.

Of n levels a number lies below one with a probability that is a multiple of 1/n. What is then
missing of a rate, next to nothing as a rule, is a second chance, for which it is cheaper to draw
how many meet it, and where, than for each whether it does:

    rate = below + (1 - below) rest,   below = level / n
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Chance(NamedTuple):
    """`level` is below what a number must lie; `rest` is the second chance."""

    level: int
    rest: float

    def second(self, generator: np.random.Generator, count: int) -> npt.NDArray[np.intp]:
        """Return the places, among `count`, that meet the second chance."""
        hits = generator.binomial(count, self.rest)
        places: npt.NDArray[np.intp] = generator.choice(count, hits, replace=False, shuffle=False)
        return places


def chance(rate: float, levels: int) -> Chance:
    """Return a rate, below 1, for numbers of so many levels, a power of two."""
    level = int(rate * levels)
    below = level / levels
    return Chance(level, (rate - below) / (1 - below))
