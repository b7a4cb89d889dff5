"""A Keras model that reads text, before and after swap: python -m rnnfast.examples.keras_text.

It tells prose about Python from program text, line by line, a character at a time: an embedding
that masks the padding, an LSTM in both directions, a Dense layer. It is trained twice from one
seed, by Keras and after `rnnfast.interop.keras.swap`; times and results are shown beside each
other. KERAS_BACKEND chooses among torch, jax and tensorflow.
"""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from rnnfast.examples import text
from rnnfast.examples.command_line import add_options, number
from rnnfast.examples.keras_beside import OPTIONS, load_keras, train_twice

Integers = npt.NDArray[np.int32]


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    parser = argparse.ArgumentParser(
        prog="keras_text", description="Train a Keras classifier of text, then the same swapped."
    )
    lines = ("--lines", number(int, 20), 2000, "lines of either kind")
    add_options(parser, (lines, *OPTIONS))
    options = parser.parse_args(argv)
    keras = load_keras()
    x, y = examples(options.lines, options.seed)
    cut = len(x) * 4 // 5
    print(f"{cut} lines of up to {x.shape[1]} characters, {len(x) - cut} others; shown: accuracy")
    train_twice(
        lambda: _model(keras, options.units, x.shape[1]),
        (x[:cut], y[:cut]),
        (x[cut:], y[cut:]),
        options,
    )


def examples(lines: int, seed: int) -> tuple[Integers, Integers]:
    """Take lines of prose, 0, and of programs, 1, in a random order.

    Parameters
    ----------
    lines : int
        How many of either kind, at most.
    seed : int
        Of the order.

    Returns
    -------
    x : int32 array (N, 60)
        Characters from 1, 0 after the end.
    y : int32 array (N,)
        Which kind each is.
    """
    kinds = [_long_lines(text.python_documentation()), _long_lines(_programs())]
    rng = np.random.default_rng(seed)
    chosen = [rng.permutation(len(kind))[:lines] for kind in kinds]
    found = [(kinds[k][i][:60], k) for k, of_kind in enumerate(chosen) for i in of_kind]
    x = np.zeros((len(found), 60), np.int32)
    for row, (line, _) in zip(x, found, strict=True):
        row[: len(line)] = [min(ord(character), 127) for character in line]
    order = rng.permutation(len(found))
    return x[order], np.array([kind for _, kind in found], np.int32)[order]


def _long_lines(whole: str) -> list[str]:
    lines = (line.strip() for line in whole.splitlines())
    return [line for line in lines if len(line) > 15]


def _programs() -> str:
    """Return the source of what is loaded already of Python's library."""
    modules: list[ModuleType] = [argparse, inspect]
    return "\n".join(map(inspect.getsource, modules))


def _model(keras: Any, units: int, steps: int) -> Any:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((steps,)),
            layers.Embedding(128, 32, mask_zero=True),
            layers.Bidirectional(layers.LSTM(units)),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy"])
    return model


if __name__ == "__main__":
    main()
