"""Masked steps: those that count brought to the front, and results shown where they belong.

    x' = the steps of each sequence that its mask takes, in their order;  y' = layer(x', lengths)
    y_t = y' of the last step taken up to t, and before the first one what a backend begins with

Keras keeps the state at masked steps, wherever they are, and repeats the last output there, or
shows zeros with `zero_output_for_mask`. Before the first step taken its loops differ: those of
torch and TensorFlow, and unrolled ones, begin with zeros; those of JAX and NumPy with the state.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
from keras import ops


class Steps(NamedTuple):
    """The steps that sequences take.

    Attributes
    ----------
    valid : tensor of bool, shape (B, T)
        Whether a step is taken, in the order of processing.
    counts : tensor of int32, shape (B, T)
        How many have been taken after it.
    backwards : bool
        Whether the order of processing is from the last step to the first.
    """

    valid: Any
    counts: Any
    backwards: bool

    @classmethod
    def of(cls, mask: Any, backwards: bool) -> Steps:
        """Return those of a mask (B, T) or (B, T, 1)."""
        valid = ops.cast(mask, "bool")
        if len(valid.shape) == 3:
            valid = ops.squeeze(valid, axis=-1)
        if backwards:
            valid = ops.flip(valid, axis=1)
        return cls(valid, ops.cumsum(ops.cast(valid, "int32"), axis=1), backwards)

    @property
    def lengths(self) -> Any:
        """The steps that each sequence takes, (B,)."""
        return self.counts[:, -1]

    def to_front(self, x: Any) -> Any:
        """Return x (B, T, I) with the steps that are taken first, in the order of processing."""
        steps = ops.shape(x)[1]
        late = ops.cast(ops.where(self.valid, 0, steps), "int32")
        order = ops.argsort(late + ops.arange(steps, dtype="int32"), axis=1)
        return _steps_of(x, steps - 1 - order if self.backwards else order)

    def show(self, y: Any, before: Any, zeros: bool) -> Any:
        """Return y (B, T, H) of steps at the front where they belong; `before` (B, H) is first."""
        return _steps_of(_after(before, y), self._places(zeros))

    def show_last(self, y: Any, before: Any, zeros: bool) -> Any:
        """Return the last of what `show` does, (B, 1, H)."""
        return _steps_of(_after(before, y), self._places(zeros)[:, -1:])

    def _places(self, zeros: bool) -> Any:
        return ops.where(self.valid, self.counts, 0) if zeros else self.counts


def begins_with_state(unrolled: bool) -> bool:
    """Return whether the loop shows the initial state before the first step that is taken."""
    return not unrolled and keras.backend.backend() in ("jax", "numpy")


def zeros_where_masked(zero_output_for_mask: bool, unrolled: bool) -> bool:
    """Return whether the loop shows zeros at masked steps."""
    looks = not unrolled or keras.backend.backend() in ("torch", "tensorflow")
    return zero_output_for_mask and looks


def _after(before: Any, y: Any) -> Any:
    return ops.concatenate([ops.expand_dims(before, 1), y], axis=1)


def _steps_of(sequence: Any, places: Any) -> Any:
    """Return of each sequence (T, K) of many the steps (S,) at its places."""
    batch, steps, width = ops.shape(sequence)
    rows = ops.expand_dims(ops.arange(batch, dtype="int32") * steps, 1)
    flat = ops.reshape(sequence, (-1, width))
    taken = ops.take(flat, ops.reshape(rows + ops.cast(places, "int32"), (-1,)), axis=0)
    return ops.reshape(taken, (batch, -1, width))
