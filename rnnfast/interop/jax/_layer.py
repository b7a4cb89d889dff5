"""One layer in one direction, as `recurrence` takes it, made from a host's cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

from ..._check.cells import Cell
from ._host import LeftToHostError
from ._recurrence import recurrence

Array: TypeAlias = Any  # JAX is not looked into

_DTYPES = ("float32", "float64")


class Layer(NamedTuple):
    """A cell and its weights: `w_ih` (G*H, I), `w_hh` (G*H, H), biases (G*H,) or None."""

    cell: Cell
    w_ih: Array
    w_hh: Array
    b_ih: Array | None
    b_hh: Array | None

    @property
    def weights(self) -> tuple[Array | None, ...]:
        """All weights, in the order of the core."""
        return self[1:]

    def run(
        self, x: Array, states: Sequence[Array], **options: Any
    ) -> tuple[Array, tuple[Array, ...]]:
        """Return the outputs (T, B, H) of x (T, B, I), and the states h or h and c (B, H).

        Options are those of `recurrence`.
        """
        y, *after = recurrence(self.cell, x, self.weights, *states, **options)
        return y, tuple(after[: len(states)])

    def computing_in(self, dtype: Any, x: Array, states: Sequence[Array]) -> tuple[Layer, Array]:
        """Return the layer and x in the one type that all is computed in, as hosts promote.

        Parameters
        ----------
        dtype : dtype or None
            What the host was told to compute in; None for the type that holds all operands.
        x : array, shape (..., I)
            The input.
        states : sequence of array, shape (..., H)
            The initial states; a scan keeps their type.

        Raises
        ------
        LeftToHostError
            If there is no such type, the kernels do not have it, or shapes do not fit.
        """
        given = [weight for weight in self.weights if weight is not None]
        wanted = require_known(jnp.result_type(x, *given) if dtype is None else dtype)
        if jax.default_backend() != "cpu":
            raise LeftToHostError(f"arrays on {jax.default_backend()}")
        rows, width = self.w_hh.shape
        fits = (
            x.shape[-1] == self.w_ih.shape[1]
            and rows == self.w_ih.shape[0] == self.cell.gates * width
            and len(states) == len(self.cell.states)
            and all(state.shape[-1:] == (width,) and state.dtype == wanted for state in states)
        )
        if not fits or 0 in (*x.shape, *self.w_hh.shape):
            raise LeftToHostError
        cast = [None if weight is None else weight.astype(wanted) for weight in self.weights]
        return Layer(self.cell, *cast), x.astype(wanted)


def require_known(dtype: Any) -> Any:
    """Return a type that a host computes in, if the kernels do so as well."""
    wanted = jnp.dtype(dtype)
    if wanted.name not in _DTYPES:
        raise LeftToHostError(
            f"it computes in {wanted.name}, the kernels in {' and '.join(_DTYPES)}"
        )
    return wanted
