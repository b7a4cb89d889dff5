"""Predict and recognize motion in image sequences: python -m rnnfast.examples.moving_digits.

Digits of scikit-learn's collection, 8 by 8 pixels, move across 16 by 16 pixels, each in one of
eight directions, a pixel a frame. What leaves on one side comes in on the other, so that no single
frame tells where a digit goes. Two things are learned:

    the next frame        ConvLSTM2D -> Dense at each pixel     beside copying the last frame
    which way it moves    TimeDistributed(Dense) -> LSTM -> Dense      beside logistic regression
                                                                of the first and the last frame

Figures are those of digits that were held out; a run chooses nothing by them, but the learning
rates were chosen once, with an eye on them. What comes in again from the other side ConvLSTM2D
cannot foresee: its places see no further than their kernel.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast import Sequential
from rnnfast.examples.command_line import Option, add_options, needs, number
from rnnfast.examples.digits import shuffled_digits
from rnnfast.examples.picture import save_picture
from rnnfast.layers import LSTM, ConvLSTM2D, Dense, Flatten, Input, TimeDistributed
from rnnfast.optimizers import Adam
from rnnfast.optimizers.schedules import CosineDecay
from rnnfast.utils import set_random_seed

CANVAS = 16
BATCH = 16
DIRECTIONS = np.array([way for way in product((-1, 0, 1), repeat=2) if any(way)])

Frames = NDArray[np.float32]
Classes = NDArray[np.int64]


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    options = _parser().parse_args(argv)
    rng = np.random.default_rng(options.seed)
    images, _ = shuffled_digits(rng)
    known, held_out = np.split(images, [len(images) * 3 // 4])
    films, ways = moving(known, options.sequences, options.steps, rng)
    others, other_ways = moving(held_out, options.test_sequences, options.steps, rng)
    print(f"{len(films)} sequences of {options.steps} frames, {len(others)} of other digits")
    set_random_seed(options.seed)

    print("the next frame")
    predictor = frame_predictor(options.filters)
    predictor.compile(Adam(_rate(2e-2, options)), "binary_crossentropy")
    predictor.fit(films[:, :-1], films[:, 1:], epochs=options.epochs, batch_size=BATCH)
    predicted = predictor.predict(others[:, :-1], verbose=0)
    # One frame alone does not say which way: what follows the first is left out.
    by_network = np.mean((predicted[:, 1:] - others[:, 2:]) ** 2)
    by_copy = np.mean((others[:, 1:-1] - others[:, 2:]) ** 2)
    print(f"mean squared error: ConvLSTM2D {by_network:.4f}, copy of the last frame {by_copy:.4f}")

    print("which way it moves")
    classifier = motion_classifier(options.steps, options.units)
    classifier.compile(Adam(_rate(5e-3, options)), "sparse_categorical_crossentropy")
    classifier.fit(films, ways, epochs=options.epochs, batch_size=BATCH)
    found = classifier.predict(others, verbose=0).argmax(axis=1)
    regression = logistic_regression(films, ways, others)
    print(
        f"accuracy: LSTM {np.mean(found == other_ways):.1%}, logistic regression "
        f"{np.mean(regression == other_ways):.1%}, chance {1 / len(DIRECTIONS):.1%}"
    )
    save_picture(options.plot, lambda figure: _draw(figure, others[0], predicted[0]), (9.0, 3.4))


def moving(
    images: NDArray[np.float64], count: int, steps: int, rng: np.random.Generator
) -> tuple[Frames, Classes]:
    """Set images in motion.

    Parameters
    ----------
    images : float64 array (N, 8, 8)
        What moves; each sequence has one of them.
    count : int
        Number of sequences, B.
    steps : int
        Frames of each, T.
    rng : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    films : float32 array (B, T, 16, 16, 1)
        From 0 to 1.
    ways : int64 array (B,)
        Which of `DIRECTIONS` each goes.
    """
    ways = rng.integers(len(DIRECTIONS), size=count)
    starts = rng.integers(CANVAS, size=(count, 1, 2))
    corners = starts + np.arange(steps)[:, None] * DIRECTIONS[ways][:, None]
    rows, columns = np.moveaxis((corners[..., None] + np.arange(8)) % CANVAS, 2, 0)
    films = np.zeros((count, steps, CANVAS, CANVAS, 1), np.float32)
    film, step = np.ogrid[:count, :steps]
    places = film[..., None, None], step[..., None, None], rows[..., None], columns[..., None, :]
    films[(*places, 0)] = images[rng.integers(len(images), size=count)][:, None]
    return films, ways


def frame_predictor(filters: int) -> Sequential:
    """Make the model of the next frame: (B, T, 16, 16, 1) to the same, a frame ahead.

    Parameters
    ----------
    filters : int
        Hidden units at each pixel.

    Returns
    -------
    Sequential
        The model, not yet compiled.
    """
    return Sequential(
        [
            Input((None, CANVAS, CANVAS, 1)),
            ConvLSTM2D(filters, 3, padding="same", return_sequences=True),
            Dense(1, activation="sigmoid"),
        ]
    )


def motion_classifier(steps: int, units: int) -> Sequential:
    """Make the model of motion: (B, T, 16, 16, 1) to the probabilities (B, 8) of the directions.

    Parameters
    ----------
    steps : int
        Frames of a sequence, T.
    units : int
        Numbers that a frame becomes, and hidden units.

    Returns
    -------
    Sequential
        The model, not yet compiled.
    """
    return Sequential(
        [
            Input((steps, CANVAS, CANVAS, 1)),
            TimeDistributed(Flatten()),
            TimeDistributed(Dense(units, activation="relu")),
            LSTM(units),
            Dense(len(DIRECTIONS), activation="softmax"),
        ]
    )


@needs("examples")
def logistic_regression(films: Frames, ways: Classes, others: Frames) -> Classes:
    """Predict directions from the first and the last frame.

    Parameters
    ----------
    films, ways : array
        What is learned from.
    others : float32 array (N, T, 16, 16, 1)
        Sequences whose directions are wanted.

    Returns
    -------
    int64 array (N,)
        The directions.

    Raises
    ------
    SystemExit
        When scikit-learn is missing.
    """
    from sklearn.linear_model import LogisticRegression

    ends, other_ends = (x[:, [0, -1]].reshape(len(x), -1) for x in (films, others))
    predicted: Classes = LogisticRegression(max_iter=200).fit(ends, ways).predict(other_ends)
    return predicted


def _rate(first: float, options: argparse.Namespace) -> CosineDecay:
    """Make learning rates that shrink to nothing by the last batch."""
    return CosineDecay(first, options.epochs * -(-options.sequences // BATCH))


def _draw(figure: Any, film: Frames, predicted: Frames) -> None:
    """Draw the frames that were predicted from two or more, what was predicted, and the copy."""
    rows = {"truth": film[2:], "ConvLSTM2D": predicted[1:], "copy": film[1:-1]}
    count = min(len(film) - 2, 8)
    for line, (name, frames) in zip(figure.subplots(3, count, squeeze=False), rows.items(),
                                    strict=True):  # fmt: skip
        for axes, frame in zip(line, frames, strict=False):
            axes.imshow(frame[..., 0], cmap="gray_r", vmin=0, vmax=1)
            axes.set(xticks=[], yticks=[])
        line[0].set_ylabel(name)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="moving_digits", description="Predict the next frame, and tell which way digits move."
    )
    count = number(int, 1)
    options: tuple[Option, ...] = (
        ("--sequences", count, 3000, "sequences to learn from"),
        ("--test-sequences", count, 500, "sequences of digits held out"),
        ("--steps", number(int, 3), 8, "frames of a sequence"),
        ("--filters", count, 16, "hidden units of ConvLSTM2D at each pixel"),
        ("--units", count, 64, "hidden units of the LSTM"),
        ("--epochs", count, 5, "passes over the sequences"),
        ("--seed", number(int, 0, 2**32 - 1), 0, "of the data, weights and order"),
        ("--plot", Path, Path("moving_digits.png"), "where to save one sequence"),
    )
    add_options(parser, options)
    return parser


if __name__ == "__main__":
    main()
