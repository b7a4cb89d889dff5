"""A trained encoder-decoder that writes step by step, on packed weights.

With the equations of `encoder_decoder`, split W_u = [W_h, W_c]. What does not change from step to
step is multiplied once a source:

    k_j = W e_j   or   U e_j + b,      v_j = W_c e_j + b_u           since the a[t, j] add up to 1

    h_t, c_t = cell(y_{t-1}, (h_{t-1}, c_{t-1}))
    a_t = softmax of h_t . k_j   or   v . tanh(W h_t + k_j)
    u_t = tanh(W_h h_t + sum over j of a[t, j] v_j)

A state is (h, c, a), a row for each sequence that is written: a is there to be looked at.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import rnnfast
from rnnfast import Model, layers
from rnnfast.examples.encoder_decoder import EncoderDecoder

Array = NDArray[Any]


class Memory(NamedTuple):
    """What has been read: keys (B, S, H), values (B, S, H), -inf at padding (B, S) or None.

    Of one source without B: whatever is written is written of it. Luong's keys are (B, H, S).
    """

    keys: Array
    values: Array
    padding: Array | None


class AttentionSteps:
    """The packed layers.

    Parameters
    ----------
    parts : EncoderDecoder
        Connected and trained.
    """

    def __init__(self, parts: EncoderDecoder) -> None:
        source = layers.Input((None,))
        encoded, state = parts.encode(source)
        self._read = Model(source, [encoded, *state]).prepack()
        kernel, recurrent, bias = parts.decoder.get_weights()
        self._cell: Any = rnnfast.prepack("lstm", kernel.T, recurrent.T, bias)
        (self._embeddings,) = parts.write.get_weights()
        self._of_key, *self._key_bias = parts.key.get_weights()
        combined, self._bias = parts.combine.get_weights()
        self._of_h, self._of_context = np.split(combined, 2)
        self._scale: Array | None = None
        if parts.query is not None:
            (of_query,), (self._scale,) = parts.query.get_weights(), parts.attend.get_weights()
            self._of_h = np.hstack([of_query, self._of_h])  # one product for both

    def read(self, source: Array) -> tuple[Memory, tuple[Array, Array, Array]]:
        """Read sources.

        Parameters
        ----------
        source : int64 array (B, S)
            Their symbols; 0 is padding.

        Returns
        -------
        memory : Memory
            What has been read.
        state : tuple of ndarray
            Before the first step.
        """
        encoded, h, c = self._read(source)
        keys = encoded @ self._of_key
        for bias in self._key_bias:
            keys += bias
        padding = None
        if not source.all():
            padding = np.where(source == 0, np.float32(-np.inf), np.float32(0))
        if self._scale is None:
            keys = keys.swapaxes(1, 2).copy()
        values = encoded @ self._of_context + self._bias
        if len(source) == 1:
            keys, values = keys[0], values[0]
        return Memory(keys, values, padding), (h, c, np.zeros(source.shape, h.dtype))

    def step(self, symbols: Array, state: Any, memory: Memory) -> tuple[Array, Any]:
        """Take one step.

        Parameters
        ----------
        symbols : int64 array (B,)
            What was written last.
        state : tuple of ndarray
            What the step before has given.
        memory : Memory
            What has been read.

        Returns
        -------
        u : ndarray (B, H)
            What the next symbol follows from.
        state : tuple of ndarray
            For the step after.
        """
        h, c, _ = state
        h, c = self._cell.step(self._embeddings[symbols], (h, c))
        u = h @ self._of_h
        if self._scale is None:
            scores = _products(h, memory.keys)
        else:
            units = len(self._scale)
            query, u = u[:, None, :units], u[:, units:]
            scores = np.tanh(query + memory.keys) @ self._scale
        if memory.padding is not None:
            scores += memory.padding
        # The functions themselves: a method's detour costs as much as what it adds up.
        scores -= np.maximum.reduce(scores, axis=1, keepdims=True)
        weights = np.exp(scores, out=scores)
        weights /= np.add.reduce(weights, axis=1, keepdims=True)
        u += _products(weights, memory.values)
        return np.tanh(u, out=u), (h, c, weights)


def _products(rows: Array, matrices: Array) -> Array:
    """Multiply each row with its matrix, or all with the one there is."""
    found: Array = rows @ matrices if matrices.ndim == 2 else (rows[:, None] @ matrices)[:, 0]
    return found
