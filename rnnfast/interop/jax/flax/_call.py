"""A call of Flax's `RNN`, nnx or linen: its options around one recurrence.

Padding is at the end, and is computed like any other step: `seq_lengths` says what is reversed, and
whose carry is returned.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from .._host import LeftToHostError
from .._layer import Array, Layer

Flip = Callable[..., Array]
"""Flax's `flip_sequences`."""


class Call(NamedTuple):
    """What a call was made with, once its options and the module's are one.

    `inputs` is (..., T, I), with `time_major` (T, ..., I); `seq_lengths` (...,).
    """

    inputs: Array
    seq_lengths: Array | None
    time_major: bool
    reverse: bool
    keep_order: bool
    return_carry: bool

    @property
    def time_axis(self) -> int:
        """Where the steps are."""
        return 0 if self.time_major else self.inputs.ndim - 2

    @property
    def step_shape(self) -> tuple[int, ...]:
        """The shape (..., I) of a step."""
        shape: tuple[int, ...] = self.inputs.shape
        return shape[: self.time_axis] + shape[self.time_axis + 1 :]

    def run(self, layer: Layer, dtype: Any, carry: Any, flip: Flip) -> Any:
        """Return what the module would: the outputs, after the carry if it is wanted.

        Raises
        ------
        LeftToHostError
            If the kernels cannot run it.
        """
        has_c, batch = layer.cell.has_c, self.step_shape[:-1]
        lengths = self.seq_lengths if self.reverse or self.return_carry else None
        states = _states(carry, has_c)
        if any(state.shape[:-1] != batch for state in states):
            raise LeftToHostError
        if lengths is not None:
            _require_lengths(lengths, batch)
        layer, x = layer.computing_in(dtype, self.inputs, states)

        def reversed_in_time(sequences: Array) -> Array:
            return flip(sequences, lengths, num_batch_dims=len(batch), time_major=self.time_major)

        # The kernels reverse whole sequences without a copy, and leave their outputs in order.
        by_copy = self.reverse and lengths is not None
        x = reversed_in_time(x) if by_copy else x
        flat = x.reshape((len(x), -1, x.shape[-1]) if self.time_major else (-1, *x.shape[-2:]))
        states = [state.reshape(-1, state.shape[-1]) for state in states]
        options = {"batch_first": not self.time_major, "reverse": self.reverse and not by_copy}
        y, after = layer.run(flat, states, **options)
        if lengths is not None and self.return_carry:
            last = _last_steps(jnp.reshape(lengths, -1), self.inputs.shape[self.time_axis])
            after = (jnp.moveaxis(y, 0 if self.time_major else 1, 0)[last, jnp.arange(len(last))],)
            if has_c:  # of which no others are known; where nobody looks, the compiler drops this
                _, after = layer.run(flat, states, lengths=last.astype(jnp.int32) + 1, **options)
        outputs = y.reshape(*x.shape[:-1], -1)
        if self.reverse and by_copy == self.keep_order:
            outputs = reversed_in_time(outputs)
        if not self.return_carry:
            return outputs
        h, *c = (state.reshape(*batch, -1) for state in after)
        return ((c[0], h) if has_c else h), outputs


def _states(carry: Any, has_c: bool) -> list[Array]:
    """Return h, or h and c, of a carry that has the form which a step gives it."""
    if jax.tree.structure(carry) != jax.tree.structure((0, 0) if has_c else 0):
        raise LeftToHostError
    return [jnp.asarray(state) for state in reversed(jax.tree.leaves(carry))]


def _require_lengths(given: Any, batch: tuple[int, ...]) -> None:
    """Raise unless these are integers, one for each row."""
    if len(batch) > 1:  # where Flax picks a carry in a way of its own
        raise LeftToHostError("seq_lengths of a batch of several axes")
    if not isinstance(given, (jax.Array, np.ndarray)) or given.shape != batch:
        raise LeftToHostError
    if not jnp.issubdtype(given.dtype, jnp.integer):
        raise LeftToHostError


def _last_steps(lengths: Array, steps: int) -> Array:
    """Return the index of each sequence's last step as Flax finds it: -1 is the last of all."""
    last = jnp.where(lengths > 0, lengths, lengths + steps) - 1
    return jnp.clip(last, 0, steps - 1)
