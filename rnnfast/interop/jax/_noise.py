"""What is drawn at random in a call that has a key: the masks of `rnnfast`, from JAX's generators.

    x m_x, h m_h where it meets W_hh, W_hh m_w       m = 0 with probability p, else 1 / (1 - p)
    s = d s_prev + (1 - d) s~                        d = 1 with probability p, else 0

Without a key m = 1 and d = p. Each mask has a key of its own, made of its kind and of the number of
the layer and direction.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

Array: TypeAlias = jax.Array

_DROPOUT, _INPUT, _RECURRENT, _WEIGHT, _ZONEOUT = range(5)  # and of c, 5


class Noise(NamedTuple):
    """The rates of a call, checked; `zoneout` has one for each state of the cell."""

    key: Array | None
    dropout: float
    input_dropout: float
    recurrent_dropout: float
    weight_dropout: float
    zoneout: tuple[float, ...]

    def on_inputs(self, layer: int, x: Array, batch_axis: int) -> Array:
        """Return what a layer takes, masked."""
        if layer:
            x = self._dropped(_DROPOUT, layer, x, x.shape, self.dropout)
        shape = list(x.shape)
        shape[1 - batch_axis] = 1  # the same at all steps
        return self._dropped(_INPUT, layer, x, tuple(shape), self.input_dropout)

    def on_weights(self, number: int, w_hh: Array) -> Array:
        """Return the recurrent weights, masked."""
        return self._dropped(_WEIGHT, number, w_hh, w_hh.shape, self.weight_dropout)

    def of_h(self, number: int, shape: tuple[int, int], dtype: Any) -> Array | None:
        """Return factors of h where it meets the recurrent weights; None for ones."""
        if self.key is None or not self.recurrent_dropout:
            return None
        ones = jnp.ones(shape, dtype)
        return self._dropped(_RECURRENT, number, ones, shape, self.recurrent_dropout)

    def kept(self, number: int, shapes: list[tuple[int, ...]], dtype: Any) -> list[Array | None]:
        """Return how much of h and c a step keeps; None for nothing."""
        if not any(self.zoneout):
            return [None] * len(shapes)
        return [
            jnp.full(shape, rate, dtype)
            if self.key is None
            else jax.random.bernoulli(self._own(_ZONEOUT + i, number), rate, shape).astype(dtype)
            for i, (rate, shape) in enumerate(zip(self.zoneout, shapes, strict=True))
        ]

    def _dropped(
        self, kind: int, number: int, array: Array, shape: tuple[int, ...], rate: float
    ) -> Array:
        if self.key is None or not rate:
            return array
        stays = jax.random.bernoulli(self._own(kind, number), 1 - rate, shape)
        return jnp.where(stays, array / (1 - rate), jnp.zeros_like(array))

    def _own(self, kind: int, number: int) -> Array:
        return jax.random.fold_in(jax.random.fold_in(self.key, kind), number)
