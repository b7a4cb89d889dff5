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
from collections.abc import Sequence
from functools import partial

from rnnfast.examples import text
from rnnfast.examples.before_and_after import Run, describe, read, show, timed
from rnnfast.examples.command_line import needs_host

with needs_host():
    import torch
    from torch import Tensor

    from rnnfast.interop.torch import swap

CELLS = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}

_WARM_UP = 2


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


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    parser = argparse.ArgumentParser(
        prog="torch_swap",
        description="Train a PyTorch character model with torch's modules, then with rnnfast's.",
    )
    options, corpus = read(parser, CELLS, argv)
    batches = draw_batches(
        corpus.training, options.steps, options.batch_size, options.seq_len, options.seed
    )

    def fresh() -> CharacterModel:
        torch.manual_seed(options.seed)
        sizes = (options.embedding, options.units, options.layers)
        return CharacterModel(options.cell, len(corpus.alphabet), *sizes)

    model = fresh()
    weights = sum(weight.numel() for weight in model.parameters())
    host = f"torch {torch.__version__}, threads: {torch.get_num_threads()}"
    print(describe(options, weights, host))
    try:
        before = train(model, batches, options.learning_rate, "torch")
        model = fresh()
        print(f"swapped: {swap(model)}")
        after = train(model, batches, options.learning_rate, "rnnfast")
    except FloatingPointError as error:
        raise SystemExit(f"torch_swap: {error}") from error
    show("torch", before, after)


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
    return timed(partial(step, model, optimizer), batches, title)


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


if __name__ == "__main__":
    main()
