"""A Flax model, trained as it is and then swapped: python -m rnnfast.examples.flax_swap.

A character model in plain Flax (nnx) and optax: an embedding, recurrent layers, a Linear layer,
Adam with clipped gradients, a compiled step. It is trained twice from one seed on the same batches,
first by Flax alone, then after `rnnfast.interop.jax.flax.swap`. Losses and times are shown beside
each other; the text is that of `char_lm`.

Losses differ in their last digits, because sums are taken in another order, and training lets such
differences grow.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from rnnfast.examples import char_lm, text
from rnnfast.examples.command_line import (
    Option,
    add_options,
    add_text_and_cell,
    needs_host,
    number,
)

with needs_host():
    import jax
    import optax
    from flax import nnx

    from rnnfast.interop.jax.flax import swap

CELLS = {"lstm": nnx.OptimizedLSTMCell, "gru": nnx.GRUCell, "rnn": nnx.SimpleCell}

_LINES = 10

Batches = Sequence[tuple[text.Symbols, text.Symbols]]


class CharacterModel(nnx.Module):  # type: ignore[misc]  # Flax is not looked into
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
    rngs : nnx.Rngs
        What weights are drawn from.
    """

    def __init__(
        self, cell: str, symbols: int, embedding: int, units: int, depth: int, rngs: nnx.Rngs
    ) -> None:
        sizes = [embedding, *[units] * depth]
        self.embedding = nnx.Embed(symbols, embedding, rngs=rngs)
        self.recurrent = nnx.List(
            nnx.RNN(CELLS[cell](below, units, rngs=rngs)) for below in sizes[:-1]
        )
        self.logits = nnx.Linear(units, symbols, rngs=rngs)

    def __call__(self, symbols: jax.Array) -> jax.Array:
        """Return the logits."""
        y = self.embedding(symbols)
        for layer in self.recurrent:
            y = layer(y)
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
        sizes = (options.embedding, options.units, options.layers)
        rngs = nnx.Rngs(options.seed)
        return CharacterModel(options.cell, len(corpus.alphabet), *sizes, rngs)

    model = fresh()
    weights = sum(leaf.size for leaf in jax.tree.leaves(nnx.state(model, nnx.Param)))
    print(
        f"{options.layers} x {options.cell} of {options.units} units, {weights:,} weights; "
        f"{options.steps} steps of {options.batch_size} sequences of {options.seq_len} characters; "
        f"jax {jax.__version__}"
    )
    try:
        before = train(model, batches, options.learning_rate, "flax")
        model = fresh()
        print(f"swapped:\n{swap(model)}")
        after = train(model, batches, options.learning_rate, "rnnfast")
    except FloatingPointError as error:
        raise SystemExit(f"flax_swap: {error}") from error
    _compare(before, after)


def draw_batches(
    symbols: text.Symbols, steps: int, batch_size: int, seq_len: int, seed: int
) -> Batches:
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
    list of (array, array)
        Windows `(B, T)` and, for each symbol of theirs, the one that follows.
    """
    x, y = text.windows(symbols, seq_len)
    drawn = np.random.default_rng(seed).integers(len(x), size=(steps, batch_size))
    return [(x[rows], y[rows]) for rows in drawn]


def train(model: CharacterModel, batches: Batches, learning_rate: float, title: str) -> Run:
    """Train a model, a step for each batch, and take the time.

    Parameters
    ----------
    model : CharacterModel
        Trained in place.
    batches : sequence of (array, array)
        Symbols and those that follow.
    learning_rate : float
        Adam's step size.
    title : str
        What the progress bar says.

    Returns
    -------
    Run
        Losses and seconds; the step is compiled before.

    Raises
    ------
    FloatingPointError
        When the loss is not finite.
    """
    rule = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(learning_rate))
    take = step()
    spare = nnx.clone(model)
    take(spare, nnx.Optimizer(spare, rule, wrt=nnx.Param), *batches[0])

    optimizer = nnx.Optimizer(model, rule, wrt=nnx.Param)
    run = Run([], [])
    from tqdm import tqdm

    with tqdm(batches, desc=title, unit=" steps") as bar:
        for x, y in bar:
            began = time.perf_counter()
            loss = float(take(model, optimizer, x, y))
            run.seconds.append(time.perf_counter() - began)
            run.losses.append(loss)
            bar.set_postfix_str(f"loss {loss:.4f}", refresh=False)
            if not math.isfinite(loss):
                raise FloatingPointError(
                    f"the loss became {loss} in step {len(run.losses)} with {title}; "
                    "try a smaller --learning-rate"
                )
    return run


def step() -> Callable[..., Any]:
    """Make a step of training, yet to be compiled.

    Returns
    -------
    callable
        Takes the model and the optimizer, which it changes, symbols and those that follow, both
        (B, T); gives the loss before.
    """

    @nnx.jit  # type: ignore[untyped-decorator]  # Flax is not looked into
    def take(
        model: CharacterModel, optimizer: nnx.Optimizer, x: jax.Array, y: jax.Array
    ) -> jax.Array:
        def loss_of(model: CharacterModel) -> jax.Array:
            return optax.softmax_cross_entropy_with_integer_labels(model(x), y).mean()

        loss, gradients = nnx.value_and_grad(loss_of)(model)
        optimizer.update(model, gradients)
        return loss

    return take  # type: ignore[no-any-return]  # Flax is not looked into


def _compare(before: Run, after: Run) -> None:
    """Print losses and times beside each other."""
    count = len(before.losses)
    every = -(-count // _LINES)
    print(f"{'step':>6}  {'loss, Flax':>12}  {'loss, rnnfast':>13}")
    for i in sorted({*range(0, count, every), count - 1}):
        print(f"{i + 1:6}  {before.losses[i]:12.6f}  {after.losses[i]:13.6f}")
    pairs = zip(before.losses, after.losses, strict=True)
    print(f"largest relative difference of the losses: {max(abs(a - b) / a for a, b in pairs):.1e}")
    slow, fast = statistics.median(before.seconds), statistics.median(after.seconds)
    print(
        f"median step: Flax {1e3 * slow:.1f} ms, rnnfast {1e3 * fast:.1f} ms, "
        f"ratio {slow / fast:.2f}"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="flax_swap",
        description="Train a Flax character model as it is, then with rnnfast's kernels.",
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
