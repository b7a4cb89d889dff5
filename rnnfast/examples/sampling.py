"""Drawing a symbol from logits.

p_k = exp(z_k / temperature) / sum          of which the likeliest few are kept:

top-k      the k largest                              Fan, Lewis and Dauphin, 2018
top-p      the fewest that have p together at least   Holtzman et al., 2020: nucleus sampling
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.floating[Any]]


class Sampling(NamedTuple):
    """How symbols are drawn.

    Attributes
    ----------
    temperature : float, default 1.0
        What logits are divided by: below 1 plays safe, above 1 takes risks, 0 always takes the
        likeliest symbol.
    top_k : int, default 0
        How many symbols may be drawn; 0 for all.
    top_p : float, default 1.0
        Share of the probability, at the temperature, that the symbols which may be drawn have
        together at least; the likeliest one always may.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def probabilities(self, logits: Logits) -> NDArray[np.float64]:
        """Give the probability of each symbol; `-inf` has none.

        Parameters
        ----------
        logits : ndarray, shape (V,)
            Finite, or `-inf`.

        Returns
        -------
        ndarray of float64, shape (V,)
            With the sum 1.
        """
        order = np.argsort(-logits, kind="stable")  # of equals the first comes first
        sorted_logits = logits[order].astype(np.float64)
        if self.temperature == 0:
            shares = np.zeros(len(logits))
            shares[0] = 1.0
        else:
            shares = np.exp((sorted_logits - sorted_logits[0]) / self.temperature)
            shares /= shares.sum()
        if self.top_k:
            shares[self.top_k :] = 0
        if self.top_p < 1:
            kept = shares / shares.sum()
            shares[1:][np.cumsum(kept)[:-1] >= self.top_p] = 0
        found = np.empty_like(shares)
        found[order] = shares / shares.sum()
        return found

    def draw(self, logits: Logits, rng: np.random.Generator) -> int:
        """Draw a symbol.

        Parameters
        ----------
        logits : ndarray, shape (V,)
            As for `probabilities`.
        rng : numpy.random.Generator
            Draws.

        Returns
        -------
        int
            From 0 to V - 1.
        """
        reached = np.cumsum(self.probabilities(logits))
        return int(np.searchsorted(reached, rng.random() * reached[-1], side="right"))
