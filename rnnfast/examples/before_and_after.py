"""What programs share that train a library's character model as it is, then swapped."""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from rnnfast.examples import char_lm, text
from rnnfast.examples.command_line import Option, add_options, add_text_and_cell, number

_LINES = 10  # of the table


class Run(NamedTuple):
    """A training: the loss and the seconds of each step."""

    losses: list[float]
    seconds: list[float]


def read(
    parser: argparse.ArgumentParser, cells: Iterable[str], argv: Sequence[str] | None
) -> tuple[argparse.Namespace, char_lm.Corpus]:
    """Read the command line and the text that it names.

    Parameters
    ----------
    parser : ArgumentParser
        Of the program; given its options here.
    cells : iterable of str
        The kinds of recurrent layer that there are.
    argv : sequence of str or None
        Arguments of the command line.

    Returns
    -------
    options, corpus

    Raises
    ------
    SystemExit
        When an option is wrong, or the text too short.
    """
    add_text_and_cell(parser, cells)
    count = number(int, 1)
    own: tuple[Option, ...] = (
        ("--steps", count, 50, "steps of each training"),
        ("--units", count, 256, "hidden units of each recurrent layer"),
        ("--layers", count, 2, "number of recurrent layers"),
        ("--embedding", count, 64, "length of a character's vector"),
        ("--batch-size", count, 32, "windows in a step"),
        ("--seq-len", count, 100, "characters in a window"),
        ("--learning-rate", number(float, 0), 2e-3, "Adam's step size"),
        ("--seed", number(int, 0, 2**32 - 1), 0, "of weights and batches"),
    )
    add_options(parser, own)
    options = parser.parse_args(argv)
    try:
        whole = text.read_text(options.text) if options.text else text.python_documentation()
        return options, char_lm.prepare(whole, options.seq_len)
    except text.TextError as error:
        parser.error(str(error))


def timed(step: Callable[[Any, Any], float], batches: Sequence[tuple[Any, Any]], title: str) -> Run:
    """Take a step of training for each batch, and the time.

    Parameters
    ----------
    step : callable
        Takes symbols and those that follow; gives the loss before.
    batches : sequence of (array, array)
        Symbols and those that follow.
    title : str
        What the progress bar says.

    Returns
    -------
    Run

    Raises
    ------
    FloatingPointError
        When the loss is not finite.
    """
    from tqdm import tqdm

    run = Run([], [])
    with tqdm(batches, desc=title, unit=" steps") as bar:
        for x, y in bar:
            began = time.perf_counter()
            loss = step(x, y)
            run.seconds.append(time.perf_counter() - began)
            run.losses.append(loss)
            bar.set_postfix_str(f"loss {loss:.4f}", refresh=False)
            if not math.isfinite(loss):
                raise FloatingPointError(
                    f"the loss became {loss} in step {len(run.losses)} with {title}; "
                    "try a smaller --learning-rate"
                )
    return run


def describe(options: argparse.Namespace, weights: int, host: str) -> str:
    """Return a line that says what is trained, and on what.

    Parameters
    ----------
    options : Namespace
        As `read` gives them.
    weights : int
        Their number.
    host : str
        The library and its version.
    """
    return (
        f"{options.layers} x {options.cell} of {options.units} units, {weights:,} weights; "
        f"{options.steps} steps of {options.batch_size} sequences of {options.seq_len} characters; "
        f"{host}"
    )


def show(host: str, before: Run, after: Run) -> None:
    """Print losses and times beside each other.

    Parameters
    ----------
    host : str
        The library's name.
    before, after : Run
        By it, and swapped.
    """
    count = len(before.losses)
    every = -(-count // _LINES)
    print(f"{'step':>6}  {'loss, ' + host:>12}  {'loss, rnnfast':>13}")
    for i in sorted({*range(0, count, every), count - 1}):
        print(f"{i + 1:6}  {before.losses[i]:12.6f}  {after.losses[i]:13.6f}")
    pairs = zip(before.losses, after.losses, strict=True)
    print(f"largest relative difference of the losses: {max(abs(a - b) / a for a, b in pairs):.1e}")
    slow, fast = statistics.median(before.seconds), statistics.median(after.seconds)
    print(
        f"median step: {host} {1e3 * slow:.1f} ms, rnnfast {1e3 * fast:.1f} ms, "
        f"ratio {slow / fast:.2f}"
    )
