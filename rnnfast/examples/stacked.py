"""Stacked LSTM layers, and the softmax that is missing: python -m rnnfast.examples.stacked.

Ten sources each have a melody of their own, 16 numbers at each of 8 steps. What is heard begins
anywhere in the melody, which goes on in a circle, under noise. Two LSTM layers say whose it is:

    LSTM(32, return_sequences=True), LSTM(32), Dense(10)

The last layer has no softmax, as in a tutorial that many have read. Its results are logits. The
loss "categorical_crossentropy" by name takes them for probabilities, warns, and learns little;
`CategoricalCrossentropy(from_logits=True)` takes them for what they are. Both are shown, from the
same weights, beside the answer that is most often right.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rnnfast import Sequential
from rnnfast.examples.command_line import Option, add_options, number
from rnnfast.layers import LSTM, Dense
from rnnfast.losses import CategoricalCrossentropy
from rnnfast.utils import set_random_seed, to_categorical

SOURCES, STEPS, FEATURES = 10, 8, 16

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
    melodies = rng.standard_normal((SOURCES, STEPS, FEATURES)).astype(np.float32)
    x_train, sources = heard(melodies, options.sequences, options.noise, rng)
    x_test, truth = heard(melodies, options.test_sequences, options.noise, rng)
    y_train = to_categorical(sources, SOURCES)

    for loss in ("categorical_crossentropy", CategoricalCrossentropy(from_logits=True)):
        set_random_seed(options.seed)
        model = build(options.units)
        model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
        title = f"loss={loss!r}" if isinstance(loss, str) else "from_logits=True"
        print(f"\n{title}:")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(x_train, y_train, epochs=options.epochs, batch_size=options.batch_size)
        for warning in {str(one.message) for one in caught}:
            print(f"warning: {warning}")
        right = np.mean(model.predict(x_test, verbose=0).argmax(axis=1) == truth)
        print(f"{title}: accuracy {right:.1%} on {len(x_test)} other sequences")
    commonest = np.bincount(sources, minlength=SOURCES).argmax()
    print(f"the commonest source, always: accuracy {np.mean(truth == commonest):.1%}")


def build(units: int) -> Sequential:
    """Make the model: sequences (B, 8, 16) to logits (B, 10).

    Parameters
    ----------
    units : int
        Hidden units of each layer.

    Returns
    -------
    Sequential
        The model, not yet compiled.
    """
    model = Sequential()
    model.add(LSTM(units, return_sequences=True, input_shape=(STEPS, FEATURES)))
    model.add(LSTM(units))
    model.add(Dense(SOURCES))
    return model


def heard(
    melodies: Floats, count: int, noise: float, rng: np.random.Generator
) -> tuple[Floats, Integers]:
    """Draw what is heard.

    Parameters
    ----------
    melodies : float32 array (10, 8, 16)
        Of all sources.
    count : int
        Number of sequences.
    noise : float
        Standard deviation of what is added; that of a melody is 1.
    rng : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    x : float32 array (count, 8, 16)
        The sequences.
    sources : int64 array (count,)
        Whose they are.
    """
    sources = rng.integers(SOURCES, size=count)
    steps = (rng.integers(STEPS, size=(count, 1)) + np.arange(STEPS)) % STEPS
    x = melodies[sources[:, None], steps]
    return x + noise * rng.standard_normal(x.shape, np.float32), sources


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stacked", description="Tell ten sources apart with stacked LSTM layers."
    )
    count = number(int, 1)
    options: tuple[Option, ...] = (
        ("--epochs", count, 20, "passes over the training data"),
        ("--sequences", count, 2000, "sequences to train on"),
        ("--test-sequences", count, 1000, "sequences to test on"),
        ("--noise", number(float, 0), 1.5, "standard deviation of the noise"),
        ("--units", count, 32, "hidden units of each layer"),
        ("--batch-size", count, 64, "sequences in a step"),
        ("--seed", number(int, 0, 2**32 - 1), 0, "of data, weights and order"),
    )
    add_options(parser, options)
    return parser


if __name__ == "__main__":
    main()
