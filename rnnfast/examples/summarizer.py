"""Encoder-decoders over words that summarize: one that generates, one that may copy as well.

    P_vocabulary = softmax(W_o u_t + b_o)           what `Summarizer` writes with
    p = sigmoid(w_p . u_t + b_p)                    whether to generate rather than copy: u_t knows
                                                    h_t and the context
    P = mix(P_vocabulary, p, a_t, x)                what `CopyingSummarizer` writes with

`pointer_generator` has the mixture.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast import Model, layers
from rnnfast.examples.attention_steps import AttentionSteps, Memory
from rnnfast.examples.decoding import Array, State, beam
from rnnfast.examples.encoder_decoder import EncoderDecoder, Features
from rnnfast.examples.pointer_generator import PointerGenerator, mix
from rnnfast.examples.summaries import Documented
from rnnfast.examples.vocabulary import BOUNDARY, UNKNOWN, Vocabulary, padded, shifted
from rnnfast.layers.symbol import Symbol

Source = NDArray[np.int64]


class Summarizer:
    """Words to words, of a vocabulary.

    Parameters
    ----------
    vocabulary : Vocabulary
        Of both.
    units : int
        H, even.
    width : int
        Of the embeddings.
    longest : int
        Words that are read at most.
    dropout : float
        Of u while training.

    Attributes
    ----------
    model : Model
        To be trained with what `arrays` gives.
    """

    _steps: AttentionSteps

    def __init__(
        self, vocabulary: Vocabulary, units: int, width: int, longest: int, dropout: float
    ) -> None:
        self.vocabulary = vocabulary
        self.longest = longest
        size = len(vocabulary)
        self._parts = EncoderDecoder(size, size, units, width, "bahdanau")
        source, previous = layers.Input((None,), name="read"), layers.Input((None,), name="written")
        features = self._parts.connect(source, previous)
        u = layers.Dropout(dropout)(features.u)
        self._generate = layers.Dense(size, "softmax")
        self.model = self._connect([source, previous], features._replace(u=u))

    def _connect(self, inputs: list[Symbol], features: Features) -> Model:
        return Model(inputs, self._generate(features.u))

    def arrays(self, texts: Sequence[Documented]) -> tuple[list[Any], Any]:
        """Return x and y of `fit`."""
        previous, following = shifted([self.vocabulary.encode(text.first) for text in texts])
        return [self._read(texts), previous], following

    def write(self, text: Documented, width: int, longest: int) -> list[str]:
        """Write a first line from the rest, with a beam, of `longest` words at most."""
        memory, state = self._steps.read(self._read([text]))
        step = partial(self._step, memory, text)
        return self._words(text, beam(step, state, BOUNDARY, longest, width))

    def pack(self) -> None:
        """Pack what has been trained: to be called before `write`, and after each training."""
        self._steps = AttentionSteps(self._parts)
        self._kernel, self._bias = self._generate.get_weights()

    def _read(self, texts: Sequence[Documented]) -> Source:
        return padded([self.vocabulary.encode(text.rest[: self.longest]) for text in texts])

    def _step(
        self, memory: Memory, text: Documented, symbols: Array, state: State
    ) -> tuple[Array, State]:
        u, state = self._steps.step(symbols, state, memory)
        logits = u @ self._kernel + self._bias
        logits[:, UNKNOWN] = -np.inf
        return logits, state

    def _words(self, text: Documented, symbols: Sequence[int]) -> list[str]:
        return self.vocabulary.decode(symbols)


class CopyingSummarizer(Summarizer):
    """A `Summarizer` that copies words, those among them that the vocabulary lacks."""

    def _connect(self, inputs: list[Symbol], features: Features) -> Model:
        self._choose = layers.Dense(1, "sigmoid")
        places = layers.Input((None,), name="places")
        mixed = PointerGenerator(self.longest)(
            [self._generate(features.u), self._choose(features.u), features.weights, places]
        )
        return Model([*inputs, places], mixed)

    def arrays(self, texts: Sequence[Documented]) -> tuple[list[Any], Any]:
        """Return x and y of `fit`; a word that can only be copied is a target, too."""
        x, _ = super().arrays(texts)
        _, following = shifted([self._extended(text, text.first) for text in texts])
        places = padded([self._extended(text, text.rest[: self.longest]) for text in texts])
        return [*x, places], following

    def pack(self) -> None:
        """Pack what has been trained; see `Summarizer`."""
        super().pack()
        self._gate, self._gate_bias = self._choose.get_weights()

    def _step(
        self, memory: Memory, text: Documented, symbols: Array, state: State
    ) -> tuple[Array, State]:
        known = np.where(symbols < len(self.vocabulary), symbols, UNKNOWN)
        u, state = self._steps.step(known, state, memory)
        logits = u @ self._kernel + self._bias
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        p = 1 / (1 + np.exp(-(u @ self._gate + self._gate_bias)))
        places = np.array([self._extended(text, text.rest[: self.longest])])
        rows = np.broadcast_to(places, (len(u), places.shape[1]))
        mixed = mix(shares[:, None], p[:, None], state[2][:, None], rows, self.longest)[:, 0]
        mixed[:, UNKNOWN] = 0
        with np.errstate(divide="ignore"):
            return np.log(mixed), state

    def _words(self, text: Documented, symbols: Sequence[int]) -> list[str]:
        size, own = len(self.vocabulary), self._own(text)
        return [
            own[symbol - size] if symbol >= size else self.vocabulary.decode([symbol])[0]
            for symbol in symbols
        ]

    def _own(self, text: Documented) -> list[str]:
        """Return the words of a source that the vocabulary lacks, each once."""
        read = text.rest[: self.longest]
        symbols = self.vocabulary.encode(read)
        unknown = (word for word, k in zip(read, symbols, strict=True) if k == UNKNOWN)
        return list(dict.fromkeys(unknown))

    def _extended(self, text: Documented, words: Sequence[str]) -> list[int]:
        """Return symbols, from V on of words that only this source has."""
        own = {word: k for k, word in enumerate(self._own(text), len(self.vocabulary))}
        symbols = self.vocabulary.encode(words)
        return [own.get(word, k) for word, k in zip(words, symbols, strict=True)]
