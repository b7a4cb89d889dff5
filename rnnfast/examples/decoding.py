"""Writing a sequence with a model that gives the next symbol: greedily, or with a beam.

    log p(y | x) = sum over t of log p(y_t | y_1 ... y_{t-1}, x)

Greedy decoding takes the likeliest symbol at each step. A beam keeps the `width` likeliest
beginnings; of those that have ended, the one with the highest log p a step wins, since a sum
favours short ones.

A step takes the symbols before and a state, and gives the logits of the next (or logarithms of
probabilities, which are logits, too) and the state after:

    logits, state = step(symbols, state)        (B,) to (B, V); each array of a state has B rows
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import takewhile
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
State: TypeAlias = tuple[Array, ...]
Step: TypeAlias = Callable[[Array, State], tuple[Array, State]]


def greedy(step: Step, state: State, boundary: int, longest: int) -> list[list[int]]:
    """Write the likeliest symbol at each step.

    Parameters
    ----------
    step : callable
        See the module.
    state : tuple of ndarray
        Of B sequences, before the first step.
    boundary : int
        The symbol that comes before the first and after the last.
    longest : int
        Symbols of a sequence at most.

    Returns
    -------
    list of list of int
        The B sequences, without boundaries.
    """
    symbols = np.full(len(state[0]), boundary)
    written: list[list[int]] = []
    ended = [False] * len(symbols)
    for _ in range(longest):
        logits, state = step(symbols, state)
        symbols = logits.argmax(axis=1)
        # Of few sequences numbers are looked at faster than arrays.
        written.append(symbols.tolist())
        ended = [one or symbol == boundary for one, symbol in zip(ended, written[-1], strict=True)]
        if all(ended):
            break
    return [_before(boundary, (of_step[row] for of_step in written)) for row in range(len(ended))]


def beam(step: Step, state: State, boundary: int, longest: int, width: int) -> list[int]:
    """Write one sequence, by the likeliest beginnings.

    Parameters
    ----------
    step : callable
        See the module.
    state : tuple of ndarray
        Of one sequence, before the first step.
    boundary : int
        The symbol that comes before the first and after the last.
    longest : int
        Symbols at most.
    width : int
        How many beginnings are kept.

    Returns
    -------
    list of int
        The sequence, without boundaries.
    """
    beginnings: list[list[int]] = [[]]
    totals = np.zeros(1)
    symbols = np.array([boundary])
    ended: list[tuple[float, list[int]]] = []
    for t in range(1, longest + 1):
        logits, state = step(symbols, state)
        sums = totals[:, None] + log_softmax(logits)
        likeliest = np.argsort(-sums, axis=None, kind="stable")[: 2 * width]
        going: list[tuple[int, int]] = []
        places = np.unravel_index(likeliest, sums.shape)
        for rank, (row, symbol) in enumerate(zip(*places, strict=True)):
            if symbol != boundary:
                going.append((int(row), int(symbol)))
            elif rank < width:
                ended.append((sums[row, symbol] / t, beginnings[row]))
        going = going[:width]
        rows, following = (np.array(one) for one in zip(*going, strict=True))
        totals = sums[rows, following]
        # With each step a total falls: in the end no beginning can overtake the best end.
        if len(ended) >= width or (ended and max(ended)[0] >= totals[0] / longest):
            break
        beginnings = [[*beginnings[row], symbol] for row, symbol in going]
        symbols = following
        state = tuple(array[rows] for array in state)
    found = ended or [(totals[k] / longest, beginnings[k]) for k in range(len(beginnings))]
    return max(found)[1]


def _before(boundary: int, symbols: Iterable[int]) -> list[int]:
    return list(takewhile(lambda symbol: symbol != boundary, symbols))


def log_softmax(logits: Array) -> Array:
    """Return the logarithms of probabilities, along the last axis."""
    top = logits.max(axis=-1, keepdims=True)
    shifted = logits - top
    found: Array = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return found
