"""A PyTorch model, trained as it is and then swapped: python -m rnnfast.examples.torch_swap.

A character model in plain PyTorch: an embedding, recurrent layers, a Linear layer, Adam with
clipped gradients. It is trained twice from one seed on the same batches, first with torch's own
modules, then after `rnnfast.interop.torch.swap`. Losses and times are shown beside each other; the
text is that of `char_lm`.

Both runs use as many threads as torch does; set OMP_NUM_THREADS to choose. Losses differ in their
last digits, because sums are taken in another order, and training lets such differences grow.
"""

from __future__ import annotations

import argparse
import copy
import math
import statistics
import time
from collections.abc import Sequence
from typing import NamedTuple

from rnnfast.examples import char_lm, text
from rnnfast.examples.command_line import (
    Option,
    add_options,
    add_text_and_cell,
    needs_host,
    number,
)

with needs_host():
    import torch
    from torch import Tensor

    from rnnfast.interop.torch import swap

CELLS = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}

_WARM_UP = 2
_LINES = 10


class CharacterModel(torch.nn.Module):  # type: ignore[misc]  # torch is not looked into
    """Symbols `(B, T)` to the logits `(B, T, symbols)` of the next ones.

    Parameters
    ----------
    cell : {"lstm", "gru", "rnn"}
        The kind of recurrent layer.
    symbols : int
        Size of the alphabet.
    embedding : int
        Length of the vector that stands for a symbol.
    units : int
        Hidden units of each recurrent layer.
    depth : int
        Number of recurrent layers.
    """

    def __init__(self, cell: str, symbols: int, embedding: int, units: int, depth: int) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(symbols, embedding)
        self.recurrent = CELLS[cell](embedding, units, depth, batch_first=True)
        self.logits = torch.nn.Linear(units, symbols)

    def forward(self, symbols: Tensor) -> Tensor:
        """Return the logits."""
        y, _ = self.recurrent(self.embedding(symbols))
        return self.logits(y)


class Run(NamedTuple):
    """A training: the loss and the seconds of each step."""

    losses: list[float]
    seconds: list[float]


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    parser = _parser()
    options = parser.parse_args(argv)
    try:
        whole = text.read_text(options.text) if options.text else text.python_documentation()
        corpus = char_lm.prepare(whole, options.seq_len)
    except text.TextError as error:
        parser.error(str(error))
    batches = draw_batches(
        corpus.training, options.steps, options.batch_size, options.seq_len, options.seed
    )

    def fresh() -> CharacterModel:
        torch.manual_seed(options.seed)
        sizes = (options.embedding, options.units, options.layers)
        return CharacterModel(options.cell, len(corpus.alphabet), *sizes)

    model = fresh()
    weights = sum(weight.numel() for weight in model.parameters())
    print(
        f"{options.layers} x {options.cell} of {options.units} units, {weights:,} weights; "
        f"{options.steps} steps of {options.batch_size} sequences of {options.seq_len} characters; "
        f"torch {torch.__version__}, threads: {torch.get_num_threads()}"
    )
    try:
        before = train(model, batches, options.learning_rate, "torch")
        model = fresh()
        print(f"swapped: {swap(model)}")
        after = train(model, batches, options.learning_rate, "rnnfast")
    except FloatingPointError as error:
        raise SystemExit(f"torch_swap: {error}") from error
    _compare(before, after)


def draw_batches(
    symbols: text.Symbols, steps: int, batch_size: int, seq_len: int, seed: int
) -> list[tuple[Tensor, Tensor]]:
    """Draw windows at random.

    Parameters
    ----------
    symbols : int64 array (N,)
        The text.
    steps : int
        Number of batches.
    batch_size, seq_len : int
        Windows in a batch and symbols in a window.
    seed : int
        Of the drawing.

    Returns
    -------
    list of (Tensor, Tensor)
        Windows `(B, T)` and, for each symbol of theirs, the one that follows.
    """
    x, y = map(torch.from_numpy, text.windows(symbols, seq_len))
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(len(x), (steps, batch_size), generator=generator)
    return [(x[rows], y[rows]) for rows in drawn]


def train(
    model: torch.nn.Module,
    batches: Sequence[tuple[Tensor, Tensor]],
    learning_rate: float,
    title: str,
) -> Run:
    """Train a model, a step for each batch, and take the time.

    Parameters
    ----------
    model : torch.nn.Module
        Symbols to logits; trained in place.
    batches : sequence of (Tensor, Tensor)
        Symbols and those that follow.
    learning_rate : float
        Adam's step size.
    title : str
        What the progress bar says.

    Returns
    -------
    Run
        Losses and seconds.

    Raises
    ------
    FloatingPointError
        When the loss is not finite.
    """
    # A first call sets up threads and memory: a copy makes it, so that no step has to be left out.
    spare = copy.deepcopy(model)
    warmed = torch.optim.Adam(spare.parameters(), learning_rate)
    for _ in range(_WARM_UP):
        step(spare, warmed, *batches[0])

    optimizer = torch.optim.Adam(model.parameters(), learning_rate)
    run = Run([], [])
    from tqdm import tqdm

    with tqdm(batches, desc=title, unit=" steps") as bar:
        for x, y in bar:
            began = time.perf_counter()
            loss = step(model, optimizer, x, y)
            run.seconds.append(time.perf_counter() - began)
            run.losses.append(loss)
            bar.set_postfix_str(f"loss {loss:.4f}", refresh=False)
            if not math.isfinite(loss):
                raise FloatingPointError(
                    f"the loss became {loss} in step {len(run.losses)} with {title}; "
                    "try a smaller --learning-rate"
                )
    return run


def step(model: torch.nn.Module, optimizer: torch.optim.Adam, x: Tensor, y: Tensor) -> float:
    """Make one step of training.

    Parameters
    ----------
    model : torch.nn.Module
        Symbols to logits; changed in place.
    optimizer : torch.optim.Adam
        Of the model.
    x, y : Tensor, shape (B, T)
        Symbols and those that follow.

    Returns
    -------
    float
        The loss before the step.
    """
    loss = torch.nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten())
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return float(loss.item())


def _compare(before: Run, after: Run) -> None:
    """Print losses and times beside each other."""
    count = len(before.losses)
    every = -(-count // _LINES)
    print(f"{'step':>6}  {'loss, torch':>12}  {'loss, rnnfast':>13}")
    for i in sorted({*range(0, count, every), count - 1}):
        print(f"{i + 1:6}  {before.losses[i]:12.6f}  {after.losses[i]:13.6f}")
    pairs = zip(before.losses, after.losses, strict=True)
    print(f"largest relative difference of the losses: {max(abs(a - b) / a for a, b in pairs):.1e}")
    slow, fast = statistics.median(before.seconds), statistics.median(after.seconds)
    print(
        f"median step: torch {1e3 * slow:.1f} ms, rnnfast {1e3 * fast:.1f} ms, "
        f"ratio {slow / fast:.2f}"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="torch_swap",
        description="Train a PyTorch character model with torch's modules, then with rnnfast's.",
    )
    add_text_and_cell(parser, CELLS)
    count = number(int, 1)
    options: tuple[Option, ...] = (
        ("--steps", count, 50, "steps of each training"),
        ("--units", count, 256, "hidden units of each recurrent layer"),
        ("--layers", count, 2, "number of recurrent layers"),
        ("--embedding", count, 64, "length of a character's vector"),
        ("--batch-size", count, 32, "windows in a step"),
        ("--seq-len", count, 100, "characters in a window"),
        ("--learning-rate", number(float, 0), 2e-3, "Adam's step size"),
        ("--seed", number(int, 0, 2**32 - 1), 0, "of weights and batches"),
    )
    add_options(parser, options)
    return parser


if __name__ == "__main__":
    main()
