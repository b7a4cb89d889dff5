"""Sequences of numbers as rows in which each number has its place: bags of words.

A number that occurs c times in a sequence of length n, and in d of D documents, becomes

    binary   1                      freq     c / n
    count    c                      tfidf    (1 + log c) log(1 + D / (1 + d))

Source: `Tokenizer.sequences_to_matrix` of Keras.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from rnnfast._check.spelling import meant

_Weight = Callable[[int, int, float], float]

_WEIGHTS: dict[str, _Weight] = {
    "binary": lambda count, length, rarity: 1.0,
    "count": lambda count, length, rarity: count,
    "freq": lambda count, length, rarity: count / length,
    "tfidf": lambda count, length, rarity: (1 + math.log(count)) * rarity,
}


def weight_of(mode: str) -> _Weight:
    """Give the weight of a number by its count, the sequence's length and the number's rarity.

    Raises
    ------
    ValueError
        When there is no such mode.
    """
    if mode not in _WEIGHTS:
        known = ", ".join(map(repr, _WEIGHTS))
        raise ValueError(f"mode must be one of {known}, got {mode!r}{meant(mode, _WEIGHTS)}")
    return _WEIGHTS[mode]


def bag_of_words(
    sequences: Iterable[Iterable[int]],
    columns: int,
    weight: _Weight,
    documents: int,
    documents_with: Mapping[int, int],
) -> NDArray[np.float64]:
    """Give a row of `columns` places for each sequence; numbers beyond them are left out.

    Raises
    ------
    ValueError
        When a number is negative.
    """
    rows = [list(sequence) for sequence in sequences]
    matrix = np.zeros((len(rows), columns))
    for row, sequence in zip(matrix, rows, strict=True):
        for index, count in Counter(sequence).items():
            if index < 0:
                raise ValueError(f"sequences must hold numbers from 0 on, got {index}")
            if index < columns:
                rarity = math.log(1 + documents / (1 + documents_with.get(index, 0)))
                row[index] = weight(count, len(sequence), rarity)
    return matrix
