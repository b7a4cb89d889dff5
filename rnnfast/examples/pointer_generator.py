"""Words that are generated or copied (See, Liu and Manning, 2017).

    P(w) = p P_vocabulary(w) + (1 - p) sum over the j with x_j = w of a[t, j]

    dP_vocabulary = p dP
    dp = sum over w of dP(w) P_vocabulary(w) - sum over j of dP(x_j) a[t, j]
    da[t, j] = (1 - p) dP(x_j)

A word of the source that the vocabulary lacks has a symbol of its own, from the vocabulary's size V
on, and can only be copied.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast.layers.layer import Array, Mask, Shape
from rnnfast.layers.merge import Merge


class PointerGenerator(Merge):
    """The mixture as a layer.

    Parameters
    ----------
    copied : int
        Words that may be copied and not generated, E.
    name, dtype, **options
        As for every layer.

    Notes
    -----
    Takes [P_vocabulary (batch, T, V), p (batch, T, 1), a (batch, T, S), x (batch, S)], x of whole
    numbers below V + E; gives P (batch, T, V + E), masked as P_vocabulary is.
    """

    stepwise = False

    def __init__(self, copied: int, **options: Any) -> None:
        super().__init__(**options)
        self.copied = copied

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Give (batch, T, V + E); ValueError where the shapes are other ones."""
        if [len(shape) for shape in input_shape] != [3, 3, 3, 2]:
            raise ValueError(
                f"layer {self.name!r} takes [P_vocabulary (batch, T, V), p (batch, T, 1), "
                f"a (batch, T, S), x (batch, S)], got shapes {input_shape}"
            )
        *leading, size = input_shape[0]
        return (*leading, size + self.copied)

    def compute_mask(self, x: Any, mask: Any = None) -> Mask | None:
        """Give the mask of P_vocabulary."""
        of_first: Mask | None = None if mask is None else mask[0]
        return of_first

    def call(self, x: Any) -> Array:
        """Mix; see `Layer.call`."""
        vocabulary, p, a, source = x
        return mix(vocabulary, p, a, source.astype(np.intp), self.copied)

    def vjp(self, x: Any, *, wrt_input: bool) -> tuple[Array, Callable[[Array], Any]]:
        """Mix, with the pullback; the source has no gradient; see `Merge.vjp`."""
        vocabulary, p, a, source = x
        places = source.astype(np.intp)

        def pullback(dy: Array) -> tuple[list[Array | None], list[Array]]:
            generated = dy[..., : vocabulary.shape[-1]]
            copied = np.take_along_axis(dy, places[:, None], axis=-1)
            dp = (generated * vocabulary).sum(-1) - (copied * a).sum(-1)
            return [p * generated, dp[..., None], (1 - p) * copied, None], []

        return mix(vocabulary, p, a, places, self.copied), pullback


def mix(vocabulary: Array, p: Array, a: Array, source: NDArray[np.intp], copied: int) -> Array:
    """Mix what is generated with what is copied.

    Parameters
    ----------
    vocabulary : ndarray, shape (B, T, V)
        Probabilities of the words that can be generated.
    p : ndarray, shape (B, T, 1)
        Probability that a word is generated.
    a : ndarray, shape (B, T, S)
        Weights of the words of the source.
    source : ndarray of intp, shape (B, S)
        Their symbols, below V + E.
    copied : int
        E.

    Returns
    -------
    ndarray, shape (B, T, V + E)
        Probabilities of all.
    """
    rows, steps, size = vocabulary.shape
    mixed: Array = np.zeros((rows, steps, size + copied), vocabulary.dtype)
    np.multiply(p, vocabulary, out=mixed[..., :size])
    # Added up where a word stands in the source more than once.
    places = np.arange(rows)[:, None, None], np.arange(steps)[None, :, None], source[:, None]
    np.add.at(mixed, places, (1 - p) * a)
    return mixed
