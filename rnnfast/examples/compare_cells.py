"""Which cells remember: tanh units, GRU and LSTM on two tasks of long memory.

adding    T steps of a number from 0 to 1 and a mark; two steps are marked. Target: the sum of
          their numbers, at the end. Guessing 1 each time has a squared error of 1/6 = 0.167.
copy      10 symbols out of 8, then T blanks, then the order to repeat the 10. Remembering nothing
          costs 10 log(8) / (T + 20) nats a step.

Every cell has the same data, optimizer and number of units. The published outcome, for T = 100: an
LSTM or GRU learns to add, to an error below 1e-3; tanh units stay near 0.167.

Sources: Hochreiter and Schmidhuber, Long short-term memory, 1997 (both tasks, in its first form);
Chung, Gulcehre, Cho and Bengio, Empirical evaluation of gated recurrent neural networks on sequence
modeling, 2014; Arjovsky, Shah and Bengio, Unitary evolution recurrent neural networks, 2016 (the
tasks as they are here).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnnfast import Sequential, layers, optimizers, utils
from rnnfast.callbacks import Callback
from rnnfast.examples.command_line import Option, add_options, number
from rnnfast.examples.picture import save_picture

Array = NDArray[Any]
Batch = tuple[Array, Array]

CELLS: dict[str, type[layers.SimpleRNN | layers.GRU | layers.LSTM]] = {
    "tanh units": layers.SimpleRNN,
    "GRU": layers.GRU,
    "LSTM": layers.LSTM,
}
SYMBOLS, LENGTH = 8, 10  # of what is to be copied
VALIDATION = 2000  # sequences


class Task(NamedTuple):
    """Sequences and targets, what follows the recurrent layer, and what guessing costs."""

    draw: Callable[[np.random.Generator, int, int], Batch]
    inputs: int
    outputs: int
    every_step: bool
    loss: str
    guessing: Callable[[int], float]


def adding(rng: np.random.Generator, samples: int, steps: int) -> Batch:
    """Draw sequences (samples, steps, 2) and the sums of their marked numbers (samples, 1).

    Parameters
    ----------
    rng : numpy.random.Generator
        Of the numbers and marks: one in either half.
    samples, steps : int
        How many, and of what length, at least 2.

    Returns
    -------
    x, y : ndarray of float32
        Sequences and sums.
    """
    x = np.zeros((samples, steps, 2), np.float32)
    x[:, :, 0] = rng.random((samples, steps))
    rows, half = np.arange(samples), steps // 2
    for low, high in ((0, half), (half, steps)):
        x[rows, rng.integers(low, high, samples), 1] = 1
    return x, np.sum(x[:, :, 0] * x[:, :, 1], axis=1, keepdims=True)


def copy(rng: np.random.Generator, samples: int, steps: int) -> Batch:
    """Draw one-hot sequences (samples, steps + 20, 10) and the symbols of each step.

    Parameters
    ----------
    rng : numpy.random.Generator
        Of the symbols.
    samples, steps : int
        How many, and blanks between the symbols and their copy.

    Returns
    -------
    x : ndarray of float32
        Sequences: symbols 0 to 7, 8 the blank, 9 the order to repeat.
    y : ndarray of int
        Blanks, then the symbols.
    """
    symbols = rng.integers(SYMBOLS, size=(samples, LENGTH))
    shown = np.full((samples, steps + 2 * LENGTH), SYMBOLS)
    wanted = shown.copy()
    shown[:, :LENGTH] = symbols
    shown[:, steps + LENGTH - 1] = SYMBOLS + 1
    wanted[:, -LENGTH:] = symbols
    return np.eye(SYMBOLS + 2, dtype=np.float32)[shown], wanted


TASKS = {
    "adding": Task(adding, 2, 1, False, "mse", lambda steps: 1 / 6),
    "copy": Task(
        copy,
        SYMBOLS + 2,
        SYMBOLS + 1,
        True,
        "sparse_categorical_crossentropy",
        lambda steps: LENGTH * np.log(SYMBOLS) / (steps + 2 * LENGTH),
    ),
}


def curve(
    task: Task, cell: str, steps: int, units: int, rate: float, epochs: int, seed: int
) -> list[float]:
    """Train one cell on one task.

    Parameters
    ----------
    task : Task
        Of `TASKS`.
    cell : str
        Of `CELLS`.
    steps : int
        T.
    units : int
        H.
    rate : float
        Adam's step size; gradients are clipped to a joint norm of 1.
    epochs : int
        Of 100 batches of 50 fresh sequences.
    seed : int
        Of weights and data.

    Returns
    -------
    list of float
        The loss of held-out sequences after each epoch.
    """
    utils.set_random_seed(seed)
    model = Sequential([layers.Input((None, task.inputs))])
    model.add(CELLS[cell](units, return_sequences=task.every_step))
    model.add(layers.Dense(task.outputs, "softmax" if task.every_step else None))
    model.compile(optimizers.Adam(rate, global_clipnorm=1.0), task.loss)

    def batches() -> Iterator[Batch]:
        rng = np.random.default_rng(seed)
        while True:
            yield task.draw(rng, 50, steps)

    history = model.fit(
        batches(),
        epochs=epochs,
        steps_per_epoch=100,
        validation_data=task.draw(np.random.default_rng(seed + 1), VALIDATION, steps),
        callbacks=[_StopWhenLearned(task.guessing(steps))],
    )
    losses: list[float] = history.history["val_loss"]
    return losses


class _StopWhenLearned(Callback):
    """Ends a training whose loss is a thousandth of what guessing costs."""

    def __init__(self, guessing: float) -> None:
        super().__init__()
        self._enough = guessing / 1000

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Stop if it is learned; see `Callback.on_epoch_end`."""
        if logs and logs["val_loss"] < self._enough:
            self.model.stop_training = True


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    options = _parser().parse_args(argv)
    chosen = list(TASKS) if options.task == "both" else [options.task]
    curves: dict[str, dict[str, list[float]]] = {}
    for name in chosen:
        curves[name] = {}
        for cell in CELLS:
            print(f"{name}, {cell}")
            curves[name][cell] = curve(
                TASKS[name],
                cell,
                options.steps,
                options.units,
                options.learning_rate,
                options.epochs,
                options.seed,
            )
    print(f"\n{'loss, T = ' + str(options.steps):16}" + "".join(f"{name:>12}" for name in chosen))
    for cell in CELLS:
        print(f"{cell:16}" + "".join(f"{min(curves[name][cell]):12.2e}" for name in chosen))
    guessing = [TASKS[name].guessing(options.steps) for name in chosen]
    print(f"{'guessing':16}" + "".join(f"{value:12.2e}" for value in guessing))

    def draw(figure: Any) -> None:
        for place, name in enumerate(chosen):
            axes = figure.add_subplot(1, len(chosen), place + 1)
            for cell, losses in curves[name].items():
                axes.semilogy(np.arange(1, len(losses) + 1) * 5000, losses, label=cell)
            axes.axhline(guessing[place], color="gray", linestyle="-.", label="guessing")
            axes.set(title=f"{name}, T = {options.steps}", xlabel="sequences", ylabel="loss")
            axes.legend(frameon=False)

    save_picture(options.plot, draw, (5.5 * len(chosen), 4.0))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="compare_cells", description="Compare tanh units, GRU and LSTM on tasks of memory."
    )
    parser.add_argument(
        "--task", choices=[*TASKS, "both"], default="both", help="what to learn (default: both)"
    )
    count = number(int, 1)
    options: tuple[Option, ...] = (
        ("--steps", number(int, 2), 100, "T, the steps to remember over"),
        ("--units", count, 64, "hidden units"),
        ("--epochs", count, 30, "of 5000 sequences, at most"),
        ("--learning-rate", number(float, 0), 3e-3, "Adam's step size"),
        ("--seed", number(int, 0, 2**32 - 2), 0, "of weights and sequences"),
        ("--plot", Path, Path("compare_cells.png"), "where to save the curves"),
    )
    add_options(parser, options)
    return parser


if __name__ == "__main__":
    main()
