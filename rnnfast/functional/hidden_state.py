"""Results and pullback of cells whose state is h alone.

Each public function has classes of its own, made of these, so that a result says what it is.
"""

from __future__ import annotations

from typing import Any, Generic, NamedTuple

import numpy.typing as npt

from .._check import Array
from ..engine.pullback import GradsT, Pullback
from .results import GenericNamedTuple, Grad, WeightT

__all__ = ["HiddenGrads", "HiddenOutput", "HiddenPullback"]


class HiddenOutput(NamedTuple):
    """Outputs of a cell whose state is h."""

    y: Array
    h_n: Array

    @property
    def state(self) -> Array:
        """`h_n`: where the next call goes on with ``state=``."""
        return self.h_n


class HiddenGrads(GenericNamedTuple, Generic[WeightT]):
    """Gradients of a scalar by the arguments of a cell whose state is h."""

    x: Grad = None
    w_ih: WeightT | Any = None
    w_hh: WeightT | Any = None
    b_ih: WeightT | Any = None
    b_hh: WeightT | Any = None
    h0: Grad = None


class HiddenPullback(Pullback[GradsT]):
    """From gradients by the results of a cell to gradients by its arguments.

    Made by a function with derivatives. It may be called any number of times, also by several
    threads, as long as the arguments of that function stay unmodified.
    """

    __slots__ = ()

    def __call__(
        self,
        dy: npt.ArrayLike | None = None,
        dh_n: npt.ArrayLike | None = None,
        *,
        out: GradsT | None = None,
    ) -> GradsT:
        """Return the gradients of a scalar L by the arguments.

        Parameters
        ----------
        dy : array_like, shape (T, B, H), optional
            dL/dy; here and below None is zero.
        dh_n : array_like, shape (B, H), optional
            dL/dh_n.
        out : GRUGrads or the like, optional
            Arrays that the gradients are added to and that are returned in their place; where a
            field is None, as all are by default, a fresh array is returned.

        Returns
        -------
        GRUGrads or the like
            As the class that `out` is of.

        Raises
        ------
        ValueError
            If a shape does not fit, or an array of the forward pass was seen to have changed.
        TypeError
            If a dtype is not that of `x`, or `out` is of another class.
        MemoryError
            If a gradient does not fit into memory.
        """
        return self._pull(dy, dh_n, None, out)
