"""Translation with attention: dates in words to ISO 8601, character by character.

A recurrent encoder reads "Tuesday, 3rd of March 1987", a decoder writes "1987-03-03", and at each
step it looks back at what was read, with Bahdanau's or Luong's attention (`encoder_decoder` has the
equations). It is trained with what it ought to have written before (teacher forcing) and masks over
padding, by `Model.fit`; it then writes step by step on packed weights, greedily and with a beam.

No day of the test is trained on, in whatever way it is written. Beside the model stand four
regular expressions for the usual ways, which know no numbers in words. The picture shows what each
character written looked at.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rnnfast import Model, layers, optimizers
from rnnfast.examples import dates
from rnnfast.examples.attention_map import draw_maps
from rnnfast.examples.attention_steps import AttentionSteps
from rnnfast.examples.command_line import Option, add_options, number
from rnnfast.examples.dates import Pair
from rnnfast.examples.decoding import State, Step, beam, greedy
from rnnfast.examples.encoder_decoder import ATTENTIONS, EncoderDecoder
from rnnfast.examples.picture import save_picture
from rnnfast.examples.vocabulary import BOUNDARY, Vocabulary, padded, shifted
from rnnfast.utils import set_random_seed

_LONGEST = 12  # an ISO date has ten characters, and ends with a boundary
_SHOWN = 3


class Translator:
    """A model of character sequences.

    Parameters
    ----------
    pairs : sequence of Pair
        Where the characters come from.
    units : int
        H, even.
    width : int
        Of the embeddings.
    attention : {"bahdanau", "luong"}
        The score.

    Attributes
    ----------
    model : Model
        [read (B, S), written before (B, T)] to the probabilities (B, T, V) of what is next.
    weights : Model
        Of the same to what each step looks at (B, T, S).
    parts : EncoderDecoder
        The layers.
    head : Dense
        The last one.
    """

    def __init__(self, pairs: Sequence[Pair], units: int, width: int, attention: str) -> None:
        self.source = Vocabulary(sorted({character for pair in pairs for character in pair.words}))
        self.target = Vocabulary(sorted({character for pair in pairs for character in pair.iso}))
        self.parts = EncoderDecoder(len(self.source), len(self.target), units, width, attention)
        read, previous = layers.Input((None,), name="read"), layers.Input((None,), name="previous")
        features = self.parts.connect(read, previous)
        self.head = layers.Dense(len(self.target), "softmax")
        self.model = Model([read, previous], self.head(features.u))
        self.weights = Model([read, previous], features.weights)

    def arrays(self, pairs: Sequence[Pair]) -> tuple[list[Any], Any]:
        """Return x and y of `fit`: what is read as sequences, of which each batch is padded."""
        previous, following = shifted([self.target.encode(pair.iso) for pair in pairs])
        read = [np.array(self.source.encode(pair.words)) for pair in pairs]
        return [read, previous], following

    def read(self, texts: Sequence[str]) -> Any:
        """Return texts as symbols (B, S)."""
        return padded([self.source.encode(text) for text in texts])

    def served(self) -> Served:
        """Pack what has been trained."""
        return Served(self, AttentionSteps(self.parts), *self.head.get_weights())


class Served:
    """A packed `Translator`, which writes step by step."""

    def __init__(self, translator: Translator, steps: AttentionSteps, kernel: Any, bias: Any):
        self._translator, self._steps = translator, steps
        self._kernel, self._bias = kernel, bias

    def greedy(self, texts: Sequence[str]) -> list[str]:
        """Translate texts, by the likeliest character at each step."""
        return self._texts(greedy(*self.begin(texts), BOUNDARY, _LONGEST))

    def begin(self, texts: Sequence[str]) -> tuple[Step, State]:
        """Read texts; give what decoding takes: a step, and the state before the first."""
        memory, state = self._steps.read(self._translator.read(texts))
        return partial(self._step, memory), state

    def beam(self, text: str, width: int) -> str:
        """Translate one text, with a beam."""
        return self._texts([beam(*self.begin([text]), BOUNDARY, _LONGEST, width)])[0]

    def _step(self, memory: Any, symbols: Any, state: Any) -> tuple[Any, Any]:
        u, state = self._steps.step(symbols, state, memory)
        return u @ self._kernel + self._bias, state

    def _texts(self, sequences: Sequence[Sequence[int]]) -> list[str]:
        return ["".join(self._translator.target.decode(one)) for one in sequences]


def exact(found: Sequence[str], pairs: Sequence[Pair]) -> float:
    """Return the share of translations that are right to the last character."""
    return float(np.mean([text == pair.iso for text, pair in zip(found, pairs, strict=True)]))


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    options = _parser().parse_args(argv)
    set_random_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    training, test = dates.pairs(rng, options.pairs, options.test)
    for pair in training[:_SHOWN]:
        print(f"{pair.words:>45}  {pair.iso}")
    translator = Translator(training, 2 * options.units, options.embedding, options.attention)
    optimizer = optimizers.Adam(options.learning_rate, clipnorm=1.0)
    translator.model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = translator.arrays(training)
    translator.model.fit(
        x,
        y,
        batch_size=options.batch,
        epochs=options.epochs,
        validation_data=translator.arrays(test),
    )

    served = translator.served()
    words = [pair.words for pair in test]
    written = served.greedy(words)
    few = test[: options.beams]
    beamed = [served.beam(pair.words, options.width) for pair in few]
    print(f"\nexact match on {len(test)} dates of days that were not trained on")
    print(f"{options.attention + ', greedy':>28}  {exact(written, test):.4f}")
    name = f"{options.attention}, beam of {options.width}"
    print(f"{name:>28}  {exact(beamed, few):.4f}  (the first {len(few)})")
    patterns = exact([dates.by_patterns(text) for text in words], test)
    print(f"{'four regular expressions':>28}  {patterns:.4f}")
    wrong = [pair for pair, text in zip(test, written, strict=True) if text != pair.iso]
    for pair in wrong[:_SHOWN]:
        print(f"{pair.words:>45}  {pair.iso}, not {served.greedy([pair.words])[0]}")
    began = time.perf_counter()
    characters = sum(len(served.greedy([pair.words])[0]) for pair in few)
    rate = characters / (time.perf_counter() - began)
    print(f"one date at a time: {rate:,.0f} characters/s, written greedily")
    shown = sorted(test[:50], key=lambda pair: -len(pair.words))[:2]
    save_picture(options.plot, partial(_draw, translator, shown), (10.0, 7.0))


def _draw(translator: Translator, pairs: Sequence[Pair], figure: Any) -> None:
    maps = []
    for pair in pairs:
        x, _ = translator.arrays([pair])
        weights = translator.weights.predict(x, verbose=0)[0]
        maps.append((pair.words, pair.iso, weights[: len(pair.iso)]))
    draw_maps(figure, maps)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="translate", description="Translate dates in words to ISO 8601, with attention."
    )
    parser.add_argument(
        "--attention",
        choices=ATTENTIONS,
        default="bahdanau",
        help="additive (Bahdanau) or by products (Luong); default: bahdanau",
    )
    count = number(int, 1)
    options: tuple[Option, ...] = (
        ("--units", count, 64, "hidden units of either direction; the decoder has twice as many"),
        ("--embedding", count, 32, "width of a character's vector"),
        ("--pairs", count, 10_000, "dates to train on"),
        ("--test", count, 1000, "dates to test with"),
        ("--epochs", count, 8, "passes over the training dates"),
        ("--batch", count, 32, "dates for each step of the optimizer"),
        ("--learning-rate", number(float, 0), 0.003, "Adam's"),
        ("--width", count, 4, "of the beam"),
        ("--beams", count, 200, "dates to decode one by one, and with a beam"),
        ("--seed", number(int, 0, 2**32 - 1), 0, "of weights and dates"),
        ("--plot", Path, Path("translate.png"), "where to save the heat map"),
    )
    add_options(parser, options)
    return parser


if __name__ == "__main__":
    main()
