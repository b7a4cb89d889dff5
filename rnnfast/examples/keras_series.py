"""A Keras forecaster before and after swap: python -m rnnfast.examples.keras_series.

The load of a made-up power grid, hour by hour: a day's and a week's rhythm, weather, noise. Two GRU
layers with dropout look at a week and say the next hour. They are trained twice from one seed, by
Keras and after `rnnfast.interop.keras.swap`; times and results are shown beside each other.
KERAS_BACKEND chooses among torch, jax and tensorflow.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rnnfast.examples.command_line import add_options, number
from rnnfast.examples.keras_beside import OPTIONS, load_keras, train_twice

Floats = npt.NDArray[np.float32]

_WEEK = 7 * 24


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    parser = argparse.ArgumentParser(
        prog="keras_series", description="Train a Keras forecaster, then the same swapped."
    )
    weeks = ("--weeks", number(int, 3), 12, "weeks of the series")
    add_options(parser, (weeks, *OPTIONS))
    options = parser.parse_args(argv)
    keras = load_keras()
    series = load(options.weeks, options.seed)
    x = np.lib.stride_tricks.sliding_window_view(series, _WEEK)[:-1, :, None].copy()
    y = series[_WEEK:, None]
    cut = len(x) * 4 // 5
    naive = np.abs(x[cut:, -24, 0] - y[cut:, 0]).mean()
    print(
        f"{cut} windows of {_WEEK} hours, {len(x) - cut} later ones; shown: mean absolute error, "
        f"which is {naive:.4f} for the same hour of the day before"
    )
    train_twice(
        lambda: _model(keras, options.units), (x[:cut], y[:cut]), (x[cut:], y[cut:]), options
    )


def load(weeks: int, seed: int) -> Floats:
    """Make a series up.

    Parameters
    ----------
    weeks : int
        Its length.
    seed : int
        Of weather and noise.

    Returns
    -------
    float32 array (hours,)
    """
    rng = np.random.default_rng(seed)
    hours = np.arange(weeks * _WEEK)
    day = np.sin(2 * np.pi * hours / 24) + 0.4 * np.sin(4 * np.pi * hours / 24 + 1)
    weekend = -0.6 * (hours // 24 % 7 >= 5)
    weather = np.convolve(rng.standard_normal(len(hours)), np.exp(-np.arange(48) / 12))
    series: Floats = (day + weekend + 0.1 * weather[: len(hours)]).astype(np.float32)
    return series


def _model(keras: Any, units: int) -> Any:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((_WEEK, 1)),
            layers.GRU(units, return_sequences=True, dropout=0.1),
            layers.GRU(units),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), "mse", metrics=["mae"])
    return model


if __name__ == "__main__":
    main()
