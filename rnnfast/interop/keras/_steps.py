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
    valid : tensor of bool, shape (T, B)
        Whether a step is taken, in the order of processing.
    counts : tensor of int, shape (T, B)
        How many have been taken after it.
    """

    valid: Any
    counts: Any

    @classmethod
    def of(cls, mask: Any, go_backwards: bool) -> Steps:
        """Return those of a mask (B, T) or (B, T, 1)."""
        valid = ops.cast(mask, "bool")
        if len(valid.shape) == 3:
            valid = ops.squeeze(valid, axis=-1)
        valid = ops.transpose(valid)
        if go_backwards:
            valid = ops.flip(valid, axis=0)
        return cls(valid, ops.cumsum(ops.cast(valid, "int32"), axis=0))

    @property
    def lengths(self) -> Any:
        """The steps that each sequence takes, (B,)."""
        return self.counts[-1]

    def to_front(self, x: Any) -> Any:
        """Return x (T, B, I) with the steps that are taken first."""
        steps = ops.expand_dims(ops.arange(ops.shape(x)[0], dtype="int32"), 1)
        late = ops.where(self.valid, 0, ops.shape(x)[0])
        return _rows(x, ops.argsort(steps + ops.cast(late, "int32"), axis=0))

    def show(self, y: Any, before: Any, zeros: bool) -> Any:
        """Return y (T, B, H) of steps at the front where they belong; `before` (B, H) is first."""
        shown = ops.concatenate([ops.expand_dims(before, 0), y], axis=0)
        return _rows(shown, self._places(zeros))

    def last(self, y: Any, before: Any, zeros: bool) -> Any:
        """Return the last of what `show` does, (B, H)."""
        shown = ops.concatenate([ops.expand_dims(before, 0), y], axis=0)
        return _rows(shown, self._places(zeros)[-1:])[0]

    def _places(self, zeros: bool) -> Any:
        return ops.where(self.valid, self.counts, 0) if zeros else self.counts


def begins_with_state(unrolled: bool) -> bool:
    """Return whether the loop shows the initial state before the first step that is taken."""
    return not unrolled and keras.backend.backend() in ("jax", "numpy")


def zeros_where_masked(zero_output_for_mask: bool, unrolled: bool) -> bool:
    """Return whether the loop shows zeros at masked steps."""
    looks = not unrolled or keras.backend.backend() in ("torch", "tensorflow")
    return zero_output_for_mask and looks


def _rows(sequence: Any, steps: Any) -> Any:
    """Return of each row of a sequence (T, B, K) the steps (S, B)."""
    _, batch, width = ops.shape(sequence)
    places = ops.cast(steps, "int32") * batch + ops.arange(batch, dtype="int32")
    flat = ops.reshape(sequence, (-1, width))
    taken = ops.take(flat, ops.reshape(places, (-1,)), axis=0)
    return ops.reshape(taken, (-1, batch, width))
