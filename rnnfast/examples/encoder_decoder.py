"""An encoder that reads, a decoder that writes, and attention between them.

    e_1 ... e_S, state = BiLSTM(x_1 ... x_S)          H wide, half of it from either direction
    h_t, c_t = LSTM(y_{t-1}, (h_{t-1}, c_{t-1}))      begins with the state after reading

    luong      s[t, j] = h_t . W e_j                          Luong, Pham and Manning, 2015: general
    bahdanau   s[t, j] = v . tanh(W h_t + U e_j + b)          Bahdanau, Cho and Bengio, 2015
    a[t] = softmax of s[t],   context_t = sum over j of a[t, j] e_j
    u_t = tanh(W_u [h_t, context_t] + b_u)

What is written next follows from u_t. In training y_{t-1} is what ought to have been written
(teacher forcing), so that a sequence is one call of each layer: either score looks at h_t, as
Luong's does and Keras's layers; Bahdanau's own decoder looks at h_{t-1} and is given the context as
an input.
"""

from __future__ import annotations

from typing import NamedTuple

from rnnfast import layers
from rnnfast.layers.symbol import Symbol

ATTENTIONS = ("bahdanau", "luong")


class Features(NamedTuple):
    """u (batch, T, H), and the weights a (batch, T, S)."""

    u: Symbol
    weights: Symbol


class EncoderDecoder:
    """The layers, to be connected once.

    Parameters
    ----------
    source_size, target_size : int
        Symbols of the vocabularies.
    units : int
        H, even.
    width : int
        Of the embeddings.
    attention : {"bahdanau", "luong"}
        The score.

    Raises
    ------
    ValueError
        When `attention` is none of these, or `units` is odd.
    """

    def __init__(
        self, source_size: int, target_size: int, units: int, width: int, attention: str
    ) -> None:
        if attention not in ATTENTIONS:
            raise ValueError(f"attention must be one of {ATTENTIONS}, got {attention!r}")
        if units % 2:
            raise ValueError(f"units must be even, got {units}")
        self.read = layers.Embedding(source_size, width, mask_zero=True)
        half = layers.LSTM(units // 2, return_sequences=True, return_state=True)
        self.encoder = layers.Bidirectional(half)
        self.write = layers.Embedding(target_size, width, mask_zero=True)
        self.decoder = layers.LSTM(units, return_sequences=True)
        additive = attention == "bahdanau"
        self.query = layers.Dense(units, use_bias=False) if additive else None
        self.key = layers.Dense(units, use_bias=additive)
        self.attend = layers.AdditiveAttention() if additive else layers.Attention()
        self.combine = layers.Dense(units, "tanh")

    def encode(self, source: Symbol) -> tuple[Symbol, list[Symbol]]:
        """Connect what reads (batch, S): gives e (batch, S, H) and the state after, [h, c]."""
        encoded, *states = self.encoder(self.read(source))
        return encoded, [layers.Concatenate()(states[k::2]) for k in range(2)]

    def connect(self, source: Symbol, previous: Symbol) -> Features:
        """Connect the layers.

        Parameters
        ----------
        source, previous : Symbol
            (batch, S) and (batch, T), of indices; 0 is padding.

        Returns
        -------
        Features
            Masked as `previous` is.
        """
        encoded, state = self.encode(source)
        h = self.decoder(self.write(previous), initial_state=state)
        query = h if self.query is None else self.query(h)
        context, weights = self.attend(
            [query, encoded, self.key(encoded)], return_attention_scores=True
        )
        return Features(self.combine(layers.Concatenate()([h, context])), weights)
