"""Interpolated modified Kneser-Ney trigram: the classical model to beat.

For a symbol w after the context h, with h' the context less its oldest symbol (Chen and Goodman
1999, section 3)::

    p(w | h) = (c(h w) - D(c(h w))) / c(h .)  +  gamma(h) p(w | h')
    gamma(h) = (D_1 N_1(h .) + D_2 N_2(h .) + D_3+ N_3+(h .)) / c(h .)

c counts occurrences at the highest order. Below it, it counts continuations: the distinct symbols
seen before ``h w``. N_k(h .) is the number of symbols with count k after h, and D(c) is 0, D_1,
D_2 or D_3+ for c = 0, 1, 2, 3 or more. Under the unigram lies the uniform distribution over the
alphabet, so with ``D_k <= k`` each p(. | h) is positive and sums to one. After an unseen context,
p(w | h) = p(w | h').

Chen and Goodman estimate the discounts from counts of counts. Here, as in their section 4, they
are tuned instead: chosen to give the fewest bits on a held-out part of the training text. That
is the stronger baseline on a small text.

References
----------
R. Kneser and H. Ney, "Improved backing-off for m-gram language modeling", ICASSP 1995.
S. F. Chen and J. Goodman, "An empirical study of smoothing techniques for language modeling",
Computer Speech and Language 13 (1999) 359-394.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Symbols = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

ORDER = 3
HIGHEST_DISCOUNTS: Floats = np.array([1.0, 2.0, 3.0])
"""Upper bounds of D_1, D_2, D_3+: a discount above its count would make a probability negative."""


class _Found(NamedTuple):
    """What one order knows of Q queries ``h w``."""

    counts: Symbols  # c(h w)             (Q,)
    totals: Symbols  # c(h .)             (Q,)
    spreads: Symbols  # N_1, N_2, N_3+    (Q, 3)


class _Order:
    """Counts of the n-grams of one order, kept as sorted codes: ``h w`` is ``h * size + w``."""

    def __init__(self, codes: Symbols, counts: Symbols, size: int) -> None:
        self.codes = codes
        self.counts = counts
        contexts, owner = np.unique(codes // size, return_inverse=True)
        self.contexts = contexts
        self.totals = np.zeros(len(contexts), dtype=np.int64)
        np.add.at(self.totals, owner, counts)
        self.spreads = np.zeros((len(contexts), 3), dtype=np.int64)
        np.add.at(self.spreads, (owner, np.minimum(counts, 3) - 1), 1)

    def find(self, contexts: Symbols, codes: Symbols) -> _Found:
        gram, known_gram = _position(self.codes, codes)
        context, known_context = _position(self.contexts, contexts)
        return _Found(
            np.where(known_gram, self.counts[gram], 0),
            np.where(known_context, self.totals[context], 0),
            np.where(known_context[:, None], self.spreads[context], 0),
        )


class KneserNeyTrigram:
    """Trigram model with interpolated modified Kneser-Ney smoothing.

    Parameters
    ----------
    symbols : int64 array (N,)
        Training text as symbols ``0 <= s < size``, at least 3 of them.
    size : int
        Size of the alphabet, symbols that the text does not use included.
    discounts : float64 array (3, 3)
        D_1, D_2, D_3+ of the unigram, the bigram and the trigram, ``0 <= D_k <= k``.
    """

    def __init__(self, symbols: Symbols, size: int, discounts: Floats) -> None:
        self.size = size
        self.discounts = discounts
        trigrams, counts = np.unique(_codes(symbols, ORDER, size), return_counts=True)
        orders = [_Order(trigrams, counts, size)]
        for order in range(ORDER - 1, 0, -1):
            continuations, counts = np.unique(orders[0].codes % size**order, return_counts=True)
            orders.insert(0, _Order(continuations, counts, size))
        self._orders = orders

    def probabilities(self, first: int, second: int) -> Floats:
        """Return p(. | first, second), shape ``(size,)``."""
        every = np.arange(self.size, dtype=np.int64)
        found = self._find((first * self.size + second) * self.size + every)
        return _interpolate(found, self.discounts, self.size)

    def bits_per_symbol(self, symbols: Symbols, before: Symbols) -> float:
        """Return the mean of ``-log2 p`` over a text.

        Parameters
        ----------
        symbols : int64 array (N,)
            The text to predict.
        before : int64 array (2,)
            The two symbols that precede it.

        Returns
        -------
        float
            Bits per symbol.
        """
        found = self._find(_codes(np.concatenate([before, symbols]), ORDER, self.size))
        return float(-np.log2(_interpolate(found, self.discounts, self.size)).mean())

    def _find(self, trigrams: Symbols) -> list[_Found]:
        found = []
        for order, table in enumerate(self._orders, start=1):
            codes = trigrams % self.size**order
            found.append(table.find(codes // self.size, codes))
        return found


def tuned_trigram(symbols: Symbols, size: int, held_out: float = 0.1) -> KneserNeyTrigram:
    """Fit a trigram whose discounts are tuned on the end of its own training text.

    The discounts are chosen for a model of the text less its last part, to give the fewest bits
    on that part; the model returned then counts the whole text.

    Parameters
    ----------
    symbols : int64 array (N,)
        Training text as symbols ``0 <= s < size``.
    size : int
        Size of the alphabet.
    held_out : float, default 0.1
        Share of the text to tune on.

    Returns
    -------
    KneserNeyTrigram
        The fitted model.
    """
    cut = len(symbols) - int(len(symbols) * held_out)
    model = KneserNeyTrigram(symbols[:cut], size, HIGHEST_DISCOUNTS / 2 + np.zeros((ORDER, 1)))
    trigrams, repeats = np.unique(
        _codes(symbols[cut - ORDER + 1 :], ORDER, size), return_counts=True
    )
    found = model._find(trigrams)

    def bits(discounts: Floats) -> float:
        return float(-(repeats * np.log2(_interpolate(found, discounts, size))).sum())

    return KneserNeyTrigram(symbols, size, _compass_search(bits, model.discounts))


def _compass_search(bits: Callable[[Floats], float], start: Floats) -> Floats:
    """Move one discount at a time while that saves bits, in ever smaller steps."""
    best, fewest = start, bits(start)
    for step in (0.2, 0.1, 0.05, 0.02):
        improved = True
        while improved:
            improved = False
            for index in np.ndindex(*start.shape):
                for move in (-step, step):
                    trial = best.copy()
                    # Above zero, so that every symbol keeps a probability above zero.
                    trial[index] = np.clip(trial[index] + move, 0.02, HIGHEST_DISCOUNTS[index[1]])
                    if (cost := bits(trial)) < fewest:
                        best, fewest, improved = trial, cost, True
    return best


def _interpolate(found: list[_Found], discounts: Floats, size: int) -> Floats:
    """Evaluate p(w | h) of the file's header for each query, from the uniform upwards."""
    probability = np.full(len(found[0].counts), 1.0 / size)
    for (count, total, spread), discount in zip(found, discounts, strict=True):
        kept = count - np.concatenate([[0.0], discount])[np.minimum(count, 3)]
        # An unseen context has no counts at all: 0 / 1 plus all of the lower order.
        weight = np.where(total > 0, spread @ discount, 1.0)
        probability = (kept + weight * probability) / np.maximum(total, 1)
    return probability


def _codes(symbols: Symbols, order: int, size: int) -> Symbols:
    """Return the codes of the ``N - order + 1`` n-grams of a text."""
    code = np.zeros(len(symbols) - order + 1, dtype=np.int64)
    for offset in range(order):
        code = code * size + symbols[offset : len(code) + offset]
    return code


def _position(keys: Symbols, queries: Symbols) -> tuple[Symbols, npt.NDArray[np.bool_]]:
    """Return where each query stands among the sorted keys, and whether it is one of them."""
    position = np.minimum(np.searchsorted(keys, queries), len(keys) - 1)
    return position, keys[position] == queries
