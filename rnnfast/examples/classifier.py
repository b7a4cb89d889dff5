"""Which symbol was marked last? The first program of every tutorial, where a memory is needed.

    python -m rnnfast.examples.classifier

Symbols come one by one, a tenth of them marked. The class of a sequence is the symbol that was
marked last: it must be kept while others go by, and given up for the next one that is marked.

The baseline is a multinomial logistic regression of the whole sequence at once, as a Sequential
model too. It sees every step in its place, but adds up what it sees: that a mark at one step
belongs to the symbol there, and makes all marks before it void, is beyond it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rnnfast.examples.command_line import Option, add_options, number
from rnnfast.examples.confusion import draw_confusion
from rnnfast.examples.picture import save_picture
from rnnfast.layers import LSTM, Dense, Flatten
from rnnfast.models import Sequential
from rnnfast.utils import set_random_seed, to_categorical

SYMBOLS = "abcd"
MARKED = 0.1
"""Share of the steps that are marked."""

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    options = _parser().parse_args(argv)
    rng = np.random.default_rng(options.seed)
    set_random_seed(options.seed)
    x_train, kinds = marked(options.sequences, options.steps, rng)
    x_test, truth = marked(options.test_sequences, options.steps, rng)
    y_train = to_categorical(kinds, len(SYMBOLS))

    print(f"{len(x_train)} sequences of {options.steps} steps; an LSTM of {options.units} units:")
    model = Sequential()
    model.add(LSTM(options.units, input_shape=x_train.shape[1:]))
    model.add(Dense(len(SYMBOLS), activation="softmax"))
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, epochs=options.epochs, batch_size=32)

    print("logistic regression of the whole sequence:")
    baseline = Sequential()
    baseline.add(Flatten(input_shape=x_train.shape[1:]))
    baseline.add(Dense(len(SYMBOLS), activation="softmax"))
    baseline.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    baseline.fit(x_train, y_train, epochs=options.epochs, batch_size=32)

    answers = {
        "LSTM": model.predict(x_test, verbose=0).argmax(axis=1),
        "logistic regression": baseline.predict(x_test, verbose=0).argmax(axis=1),
    }
    right = [f"{title} {np.mean(given == truth):.1%}" for title, given in answers.items()]
    print(f"accuracy on {len(x_test)} other sequences: {', '.join(right)}, chance 25%")

    def draw(figure: Any) -> None:
        for axes, (title, given) in zip(figure.subplots(1, 2), answers.items(), strict=True):
            draw_confusion(axes, truth, given, SYMBOLS)
            axes.set_title(title)

    save_picture(options.plot, draw)


def marked(count: int, steps: int, rng: np.random.Generator) -> tuple[Floats, Integers]:
    """Make sequences at random.

    Parameters
    ----------
    count, steps : int
        Number of sequences, and of steps in each.
    rng : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    x : float32 array (count, steps, 5)
        At each step one of `SYMBOLS`, one-hot, and whether it is marked; one is at least.
    kinds : int64 array (count,)
        The place among `SYMBOLS` of the one marked last.
    """
    symbols = rng.integers(len(SYMBOLS), size=(count, steps))
    marks = rng.random((count, steps)) < MARKED
    rows = np.arange(count)
    marks[rows, rng.integers(steps, size=count)] = True
    last = steps - 1 - marks[:, ::-1].argmax(axis=1)
    x = np.concatenate([np.eye(len(SYMBOLS))[symbols], marks[..., None]], axis=2)
    return x.astype(np.float32), symbols[rows, last]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="classifier", description="Tell which symbol was marked last, with an LSTM."
    )
    count = number(int, 1)
    options: tuple[Option, ...] = (
        ("--epochs", count, 10, "passes over the training data"),
        ("--sequences", count, 4000, "sequences to train on"),
        ("--test-sequences", count, 1000, "sequences to test on"),
        ("--steps", count, 40, "steps of a sequence"),
        ("--units", count, 128, "hidden units"),
        ("--seed", number(int, 0, 2**32 - 1), 0, "of data, weights and order"),
        ("--plot", Path, Path("classifier.png"), "where to save the confusions"),
    )
    add_options(parser, options)
    return parser


if __name__ == "__main__":
    main()
