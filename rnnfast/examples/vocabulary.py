"""Tokens, characters or words, as symbols: 0 pads, 1 bounds a sequence, 2 is any other token."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast.utils import pad_sequences

Symbols = NDArray[np.int64]

PADDING, BOUNDARY, UNKNOWN = range(3)
"""BOUNDARY is what a decoder is given first, and what it ends with."""

_KEPT = 3


class Vocabulary:
    """The symbols of the tokens that are known, from 3 on.

    Parameters
    ----------
    tokens : iterable of str
        Each once.
    """

    def __init__(self, tokens: Iterable[str]) -> None:
        self.tokens = list(tokens)
        self._symbols = {token: k for k, token in enumerate(self.tokens, _KEPT)}

    @classmethod
    def of_commonest(cls, sequences: Iterable[Iterable[str]], most: int) -> Vocabulary:
        """Make that of the tokens that occur most often in sequences, `most` at most."""
        counts = Counter(token for sequence in sequences for token in sequence)
        # Of equally frequent ones the first in the alphabet, whatever order they came in.
        order = sorted(counts, key=lambda token: (-counts[token], token))
        return cls(order[:most])

    def __len__(self) -> int:
        """Return the number of symbols, the three others included."""
        return len(self.tokens) + _KEPT

    def __contains__(self, token: str) -> bool:
        """Return whether a token is known."""
        return token in self._symbols

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """Return the symbol of each token."""
        return [self._symbols.get(token, UNKNOWN) for token in tokens]

    def decode(self, symbols: Iterable[int], unknown: str = "?") -> list[str]:
        """Return the token of each symbol."""
        return [self.tokens[k - _KEPT] if k >= _KEPT else unknown for k in symbols]


def padded(sequences: Sequence[Sequence[int]]) -> Symbols:
    """Return sequences of symbols as one array (B, T), filled up at their ends."""
    filled: Any = pad_sequences(sequences, dtype="int64", padding="post", value=PADDING)
    return np.asarray(filled)


def shifted(sequences: Sequence[Sequence[int]]) -> tuple[Symbols, Symbols]:
    """Return what a decoder is given and what it is to answer.

    Parameters
    ----------
    sequences : sequence of sequence of int
        B of T steps at most.

    Returns
    -------
    previous, following : int64 arrays (B, T + 1)
        The sequences after a boundary, and before one.
    """
    return (
        padded([[BOUNDARY, *one] for one in sequences]),
        padded([[*one, BOUNDARY] for one in sequences]),
    )
