"""A forecast by darts, whose model Lightning trains: python -m rnnfast.examples.torch_darts.

darts makes its networks inside of ``fit``, where nobody can swap them; a callback can:

    RNNModel(..., pl_trainer_kwargs={"callbacks": [rnnfast.interop.lightning.Swap()]})

One model is trained twice from one seed, without it and with it. The series is a year's and a
week's rhythm under noise.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnfast.examples.command_line import Option, add_options, needs_host, number

with needs_host():
    from darts import TimeSeries
    from darts.models import RNNModel

    from rnnfast.interop.lightning import Swap


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    options = _parser().parse_args(argv)
    values = series(options.days, options.seed)
    train, test = values[: -options.ahead], values[-options.ahead :]
    found, swap = {}, Swap()
    trained(train[: 2 * options.window], options, [])  # Lightning loads much at its first fit
    for name, callbacks in (("torch", []), ("rnnfast", [swap])):
        began = time.perf_counter()
        forecast = trained(train, options, callbacks).predict(options.ahead).values()[:, 0]
        found[name] = forecast, time.perf_counter() - began
    print(f"swapped: {swap.report}")
    for name, (forecast, seconds) in found.items():
        error = np.abs(forecast - test).mean()
        print(f"{name:8} mean error of {options.ahead} days {error:.4f}, {seconds:.1f} s")
    apart = np.abs(found["torch"][0] - found["rnnfast"][0]).max()
    ratio = found["torch"][1] / found["rnnfast"][1]
    print(f"forecasts are {apart:.1e} apart at most; ratio of times {ratio:.2f}")


def series(days: int, seed: int) -> Any:
    """Return values for `days` days, float32."""
    t = np.arange(days)
    rhythm = np.sin(2 * np.pi * t / 365) + 0.5 * np.sin(2 * np.pi * t / 7)
    return (rhythm + 0.1 * np.random.default_rng(seed).standard_normal(days)).astype(np.float32)


def trained(values: Any, options: argparse.Namespace, callbacks: list[Any]) -> Any:
    """Return a model that was trained on a series."""
    quiet = dict.fromkeys(("enable_progress_bar", "enable_model_summary", "logger"), False)
    model = RNNModel(
        input_chunk_length=options.window // 2,
        training_length=options.window,
        model="LSTM",
        hidden_dim=options.units,
        n_rnn_layers=2,
        n_epochs=options.epochs,
        random_state=options.seed,
        pl_trainer_kwargs={"accelerator": "cpu", "callbacks": callbacks, **quiet},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning, about workers of data loaders
        return model.fit(TimeSeries.from_values(values))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="torch_darts", description="Forecast with darts, on torch and on rnnfast."
    )
    count = number(int, 1)
    options: tuple[Option, ...] = (
        ("--days", number(int, 100), 1000, "of the series"),
        ("--ahead", count, 28, "days to forecast, the last of the series"),
        ("--window", number(int, 4), 56, "days of a training sequence"),
        ("--units", count, 64, "hidden units of each of two layers"),
        ("--epochs", count, 5, "of training"),
        ("--seed", number(int, 0, 2**32 - 1), 0, "of the series and weights"),
    )
    add_options(parser, options)
    return parser


if __name__ == "__main__":
    main()
