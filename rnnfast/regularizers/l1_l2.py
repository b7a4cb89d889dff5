"""Penalties on the sizes of weights.

r(w) = l1 sum |w| + l2 sum w^2              dr/dw = l1 sign(w) + 2 l2 w

The first draws weights to exactly zero, where its slope is taken to be zero (Tibshirani, 1996);
the second makes all of them smaller (Hoerl and Kennard, 1970). Definitions as in Keras, which does
not halve the square.
"""

from __future__ import annotations

import numpy as np

from rnnfast.regularizers.regularizer import Array, Regularizer
from rnnfast.utils.hyperparameters import at_least_zero


class L1L2(Regularizer):
    """Sum of absolute values and of squares: `keras.regularizers.L1L2`.

    Parameters
    ----------
    l1 : float, default 0.0
        Factor of the sum of absolute values.
    l2 : float, default 0.0
        Factor of the sum of squares.

    Raises
    ------
    ValueError
        When one is below 0 or not finite.
    TypeError
        When one is not a number.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = at_least_zero("l1", l1)
        self.l2 = at_least_zero("l2", l2)

    def __call__(self, w: Array) -> float:
        """Compute l1 sum |w| + l2 sum w^2; see `Regularizer.__call__`."""
        penalty = 0.0
        if self.l1:
            penalty += self.l1 * float(np.abs(w).sum())
        if self.l2:
            penalty += self.l2 * float(np.square(w).sum())
        return penalty

    def gradient(self, w: Array) -> Array:
        """Compute l1 sign(w) + 2 l2 w; see `Regularizer.gradient`."""
        gradient: Array = (2 * self.l2) * w
        if self.l1:
            gradient += self.l1 * np.sign(w)
        return gradient


class L1(L1L2):
    """Sum of absolute values: `keras.regularizers.L1`.

    Parameters
    ----------
    l1 : float, default 0.01
        Its factor.

    Raises
    ------
    ValueError
        When it is below 0 or not finite.
    TypeError
        When it is not a number.
    """

    def __init__(self, l1: float = 0.01) -> None:
        super().__init__(l1=l1)


class L2(L1L2):
    """Sum of squares: `keras.regularizers.L2`.

    Parameters
    ----------
    l2 : float, default 0.01
        Its factor.

    Raises
    ------
    ValueError
        When it is below 0 or not finite.
    TypeError
        When it is not a number.
    """

    def __init__(self, l2: float = 0.01) -> None:
        super().__init__(l2=l2)
