"""Writing text with a trained model, one character after another.

The model is packed once; a step then costs microseconds::

    logits, state = packed.step(symbol, state)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast import Sequential
from rnnfast.examples.sampling import Sampling
from rnnfast.examples.text import UNKNOWN, Symbols


class Stream:
    """A character model as a state that moves on with each symbol.

    Parameters
    ----------
    model : Sequential
        Symbols (B, T) to the logits (B, T, V) of the next ones.
    """

    def __init__(self, model: Sequential) -> None:
        self._packed = model.prepack()
        self._state: tuple[Any, ...] | None = None

    def step(self, symbol: int) -> NDArray[np.float32]:
        """Take in a symbol and give the logits of the next one, shape `(V,)`."""
        logits, self._state = self._packed.step(np.array([symbol]), self._state)
        of_one: NDArray[np.float32] = logits[0]
        return of_one


def sample(
    stream: Stream, prompt: Symbols, sampling: Sampling, rng: np.random.Generator
) -> Iterator[int]:
    """Continue a prompt, without end.

    Parameters
    ----------
    stream : Stream
        The model.
    prompt : int64 array (N,)
        What the model has read before, at least one symbol.
    sampling : Sampling
        How symbols are drawn.
    rng : numpy.random.Generator
        Draws them.

    Yields
    ------
    int
        The next symbol, never the unknown one.
    """
    for symbol in prompt:
        logits = stream.step(int(symbol))
    while True:
        logits[UNKNOWN] = -np.inf
        symbol = sampling.draw(logits, rng)
        yield symbol
        logits = stream.step(symbol)
