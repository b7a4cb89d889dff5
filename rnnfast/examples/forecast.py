"""Forecast sunspots one year ahead and many: python -m rnnfast.examples.forecast.

The yearly number of sunspots, 1700 to 2008, rises and falls every eleven years or so; no two
cycles are alike. SimpleRNN, LSTM and GRU each read the 33 years before and give the next one. For
many years ahead they go on from their own forecasts.

Beside them stands the forecast that is hard to beat for what repeats, the value eleven years before
(seasonal naive), and that of the last year, which is better one year ahead and far worse later.
One year ahead the networks halve its error or nearly so; over eleven years they are no better than
it, and mostly somewhat worse: they tend to the usual cycle, and no cycle is the usual one.

The years of the test come after all that the models were trained or watched on. All forecasts start
from years that were measured.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rnnfast import Sequential
from rnnfast.callbacks import EarlyStopping
from rnnfast.examples.command_line import Option, add_options, needs, number
from rnnfast.examples.picture import save_picture
from rnnfast.layers import GRU, LSTM, Dense, SimpleRNN
from rnnfast.optimizers import Adam
from rnnfast.utils import set_random_seed

CELLS = {"SimpleRNN": SimpleRNN, "LSTM": LSTM, "GRU": GRU}
SEASON = 11
"""Years of a cycle, and of a forecast."""

VALIDATION, TEST = 1900, 1940
"""The first years to be forecast in validation and in the test."""

Floats = npt.NDArray[np.float64]


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    options = _parser().parse_args(argv)
    years, spots = sunspots()
    # Square roots: the swing of a cycle then depends less on its height.
    series = np.sqrt(spots)
    known, ahead, first = windows(series, years, options.window)
    scale = Scale(series[years < VALIDATION])
    x, y = scale.to(known)[..., None], scale.to(ahead[:, :1])
    training, validation = first < VALIDATION, (first >= VALIDATION) & (first < TEST)
    test = first >= TEST

    forecasts = {
        "seasonal naive": known[test, -SEASON:] ** 2,
        "last year": np.repeat(known[test, -1:], SEASON, axis=1) ** 2,
    }
    for name, cell in CELLS.items():
        set_random_seed(options.seed)
        model = Sequential([cell(options.units, input_shape=x.shape[1:]), Dense(1)])
        model.compile(Adam(options.learning_rate), "mse")
        history = model.fit(
            x[training],
            y[training],
            epochs=options.epochs,
            batch_size=16,
            validation_data=(x[validation], y[validation]),
            callbacks=[EarlyStopping(patience=40, restore_best_weights=True)],
            verbose=options.verbose,
        )
        losses = history.history["val_loss"]
        best = int(np.argmin(losses))
        print(f"{name}: least validation loss {losses[best]:.3f}, in epoch {best + 1}", flush=True)
        forecasts[name] = scale.back(go_on(model, x[test], SEASON)) ** 2

    truth = ahead[test] ** 2
    errors = {name: np.sqrt(np.mean((f - truth) ** 2, axis=0)) for name, f in forecasts.items()}
    print(f"\nroot mean squared error of forecasts from {test.sum()} years, {TEST} on:")
    for name, error in errors.items():
        whole = np.sqrt(np.mean(error**2))
        print(f"{name:>15}: 1 year ahead {error[0]:5.1f}, 1 to {SEASON} years ahead {whole:5.1f}")
    save_picture(
        options.plot, lambda figure: _draw(figure, years, spots, forecasts, errors), (8, 7)
    )


class Scale:
    """Numbers as multiples of the deviation of others, from their mean.

    Parameters
    ----------
    of : float64 array
        The others: what was there for training.
    """

    def __init__(self, of: Floats) -> None:
        self._mean, self._deviation = of.mean(), of.std()

    def to(self, values: Floats) -> Floats:
        """Return values on this scale."""
        scaled: Floats = (values - self._mean) / self._deviation
        return scaled

    def back(self, values: Floats) -> Floats:
        """Return what was on this scale as it was, roots of spots, of which none is below 0."""
        roots: Floats = np.maximum(values * self._deviation + self._mean, 0)
        return roots


def go_on(model: Sequential, x: Floats, steps: int) -> Floats:
    """Forecast step by step, each from the forecasts before.

    Parameters
    ----------
    model : Sequential
        Windows (B, T, 1) to the next value (B, 1).
    x : float array (B, T, 1)
        The windows.
    steps : int
        How far.

    Returns
    -------
    float array (B, steps)
        The values that follow.
    """
    forecasts: list[Floats] = []
    for _ in range(steps):
        forecasts.append(model.predict(x, verbose=0))
        x = np.concatenate([x[:, 1:], forecasts[-1][:, None]], axis=1)
    return np.concatenate(forecasts, axis=1)


@needs("examples")
def sunspots() -> tuple[Floats, Floats]:
    """Return the years and the numbers of sunspots, of the data that statsmodels has with it.

    Returns
    -------
    years, spots : float64 array (309,)
        From 1700 on.

    Raises
    ------
    SystemExit
        When statsmodels is missing.
    """
    from statsmodels.datasets import sunspots as source

    table = source.load_pandas().data
    return table["YEAR"].to_numpy(), table["SUNACTIVITY"].to_numpy()


def windows(series: Floats, years: Floats, length: int) -> tuple[Floats, Floats, Floats]:
    """Cut a series into what is known and what comes then, from every year on.

    Parameters
    ----------
    series, years : float64 array (N,)
        Values and their years.
    length : int
        Known years, T.

    Returns
    -------
    known : float64 array (W, T)
        W = N - T - 10 windows.
    ahead : float64 array (W, 11)
        What follows each.
    first : float64 array (W,)
        The year of `ahead[:, 0]`.
    """
    both = np.lib.stride_tricks.sliding_window_view(series, length + SEASON)
    return both[:, :length], both[:, length:], years[length : length + len(both)]


def _draw(
    figure: Any,
    years: Floats,
    spots: Floats,
    forecasts: dict[str, Floats],
    errors: dict[str, Floats],
) -> None:
    """Draw forecasts from every eleventh year on, and the error of each year ahead."""
    above, below = figure.subplots(2, 1)
    steps = np.arange(SEASON)
    styles = dict(zip(forecasts, ("0.6", "0.8", "C0", "C1", "C2"), strict=True))
    above.plot(years[years >= TEST], spots[years >= TEST], color="black", label="measured")
    for name, forecast in forecasts.items():
        if name == "last year":
            continue
        for start in range(0, len(forecast), SEASON):
            label = name if start == 0 else None
            above.plot(TEST + start + steps, forecast[start], color=styles[name], label=label)
    above.set_ylabel("sunspots")
    above.legend(fontsize="small", ncols=5, loc="upper center", bbox_to_anchor=(0.5, 1.2))
    for name, error in errors.items():
        below.plot(steps + 1, error, marker=".", color=styles[name], label=name)
    below.set_xlabel("years ahead")
    below.set_ylabel("root mean squared error")
    below.set_ylim(bottom=0)
    below.legend(fontsize="small")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="forecast", description="Forecast sunspots with recurrent networks."
    )
    count = number(int, 1)
    options: tuple[Option, ...] = (
        ("--epochs", count, 300, "most passes over the training data"),
        ("--window", number(int, SEASON, 150), 33, "years that are known"),
        ("--units", count, 32, "hidden units"),
        ("--learning-rate", number(float, 0), 5e-3, "Adam's step size"),
        ("--seed", number(int, 0, 2**32 - 1), 0, "of weights and order"),
        ("--verbose", number(int, 0, 2), 0, "2 for a line, 1 for a bar an epoch"),
        ("--plot", Path, Path("forecast.png"), "where to save the picture"),
    )
    add_options(parser, options)
    return parser


if __name__ == "__main__":
    main()
