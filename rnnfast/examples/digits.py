"""Read handwritten digits row by row: python -m rnnfast.examples.digits.

A digit of scikit-learn's collection is 8 rows of 8 pixels: a sequence of 8 steps. Each row goes
through the same Dense layer, then two LSTM layers read the rows down and up; what they say at all
rows decides:

    TimeDistributed(Dense) -> Bidirectional(LSTM) -> Bidirectional(LSTM) -> Flatten -> Dense

Beside it stands scikit-learn's logistic regression of all 64 pixels at once. A run chooses nothing
by the digits held out; the network's form was chosen once, with an eye on them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast import Sequential
from rnnfast.examples.command_line import Option, add_options, needs, number
from rnnfast.examples.picture import save_picture
from rnnfast.layers import LSTM, Bidirectional, Dense, Dropout, Flatten, TimeDistributed
from rnnfast.optimizers import Adam
from rnnfast.optimizers.schedules import CosineDecay
from rnnfast.utils import set_random_seed

BATCH = 32

Images = NDArray[np.float64]
Classes = NDArray[np.int64]


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    options = _parser().parse_args(argv)
    images, digits = shuffled_digits(np.random.default_rng(options.seed))
    count = len(images) * 3 // 4
    print(f"{count} digits to learn from, {len(images) - count} others")
    by_pixels = logistic_regression(images[:count], digits[:count], images[count:])

    set_random_seed(options.seed)
    model = build(options.units)
    # Steps that shrink to nothing: so few digits, and the last epochs would else go up and down.
    rate = CosineDecay(4e-3, options.epochs * -(-count // BATCH))
    model.compile(Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(images[:count], digits[:count], epochs=options.epochs, batch_size=BATCH)

    truth = digits[count:]
    predicted = model.predict(images[count:], verbose=0).argmax(axis=1)
    print(
        f"accuracy on the others: LSTM {np.mean(predicted == truth):.1%}, "
        f"logistic regression {np.mean(by_pixels == truth):.1%}"
    )
    # Those that were taken for others first.
    shown = np.argsort(predicted == truth, kind="stable")[:24]
    save_picture(
        options.plot,
        lambda figure: _draw(figure, images[count:][shown], truth[shown], predicted[shown]),
    )


def build(units: int) -> Sequential:
    """Make the model: images (B, 8, 8) to the probabilities (B, 10) of the digits.

    Parameters
    ----------
    units : int
        Hidden units of each layer and direction.

    Returns
    -------
    Sequential
        The model, not yet compiled.
    """
    return Sequential(
        [
            TimeDistributed(Dense(units, activation="relu"), input_shape=(8, 8)),
            Bidirectional(LSTM(units, return_sequences=True)),
            Dropout(0.3),
            Bidirectional(LSTM(units, return_sequences=True)),
            Dropout(0.3),
            Flatten(),
            Dense(10, activation="softmax"),
        ]
    )


@needs("examples")
def shuffled_digits(rng: np.random.Generator) -> tuple[Images, Classes]:
    """Return scikit-learn's digits in random order.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    images : float64 array (1797, 8, 8)
        From 0, white, to 1.
    digits : int64 array (1797,)
        What they are.

    Raises
    ------
    SystemExit
        When scikit-learn is missing.
    """
    from sklearn.datasets import load_digits

    found = load_digits()
    order = rng.permutation(len(found.images))
    return found.images[order] / 16, found.target[order]


@needs("examples")
def logistic_regression(images: Images, digits: Classes, others: Images) -> Classes:
    """Predict digits from all pixels at once.

    Parameters
    ----------
    images, digits : array
        What is learned from.
    others : float64 array (N, 8, 8)
        Images whose digits are wanted.

    Returns
    -------
    int64 array (N,)
        The digits.

    Raises
    ------
    SystemExit
        When scikit-learn is missing.
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=1000).fit(images.reshape(len(images), -1), digits)
    predicted: Classes = model.predict(others.reshape(len(others), -1))
    return predicted


def _draw(figure: Any, images: Images, truth: Classes, predicted: Classes) -> None:
    for axes, image, is_, taken in zip(
        figure.subplots(3, 8).flat, images, truth, predicted, strict=True
    ):
        axes.imshow(image, cmap="gray_r")
        axes.set_axis_off()
        right = is_ == taken
        title = f"{taken}" if right else f"{taken}, is {is_}"
        axes.set_title(title, color="black" if right else "red", fontsize="small")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="digits", description="Read digits row by row with a deep bidirectional LSTM."
    )
    count = number(int, 1)
    options: tuple[Option, ...] = (
        ("--epochs", count, 30, "passes over the training digits"),
        ("--units", count, 64, "hidden units of each layer and direction"),
        ("--seed", number(int, 0, 2**32 - 1), 0, "of the split, weights and order"),
        ("--plot", Path, Path("digits.png"), "where to save some digits"),
    )
    add_options(parser, options)
    return parser


if __name__ == "__main__":
    main()
