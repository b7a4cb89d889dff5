"""Writing text with a trained model, one character after another.

Each cell is packed once with `rnnfast.prepack`; a step then costs microseconds::

    x = embeddings[symbol]
    h, c = cell.step(x, (h, c))        for each recurrent layer, x = h for the next
    logits = h W + b
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast import Sequential
from rnnfast.examples.text import UNKNOWN, Symbols
from rnnfast.layers.cell_layer import CellLayer


class Stream:
    """A character model as a state that moves on with each symbol.

    Parameters
    ----------
    model : Sequential
        Embedding, recurrent layers, perhaps with Dropout between, Dense with logits.
    """

    def __init__(self, model: Sequential) -> None:
        embedding, *hidden, dense = model.layers
        (self._embeddings,) = embedding.get_weights()
        self._cells = [layer.prepack() for layer in hidden if isinstance(layer, CellLayer)]
        self._kernel, self._bias = dense.get_weights()
        self._states: list[Any] = [None] * len(self._cells)

    def step(self, symbol: int) -> NDArray[np.float32]:
        """Take in a symbol and give the logits of the next one, shape `(V,)`."""
        x = self._embeddings[symbol : symbol + 1]
        for layer, cell in enumerate(self._cells):
            state = cell.step(x, self._states[layer])
            self._states[layer] = state
            x = state[0] if isinstance(state, tuple) else state
        logits: NDArray[np.float32] = (x @ self._kernel + self._bias)[0]
        return logits


def sample(
    stream: Stream, prompt: Symbols, temperature: float, rng: np.random.Generator
) -> Iterator[int]:
    """Continue a prompt, without end.

    Parameters
    ----------
    stream : Stream
        The model.
    prompt : int64 array (N,)
        What the model has read before, at least one symbol.
    temperature : float
        What logits are divided by: below 1 plays safe, above 1 takes risks, 0 always takes the
        likeliest symbol.
    rng : numpy.random.Generator
        Draws the symbols.

    Yields
    ------
    int
        The next symbol, never the unknown one.
    """
    for symbol in prompt:
        logits = stream.step(int(symbol))
    while True:
        logits[UNKNOWN] = -np.inf
        # The largest of logits with Gumbel noise is a draw from their softmax.
        symbol = int(np.argmax(logits + temperature * rng.gumbel(size=len(logits))))
        yield symbol
        logits = stream.step(symbol)
