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
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rnnfast.examples import text
from rnnfast.examples.before_and_after import Run, describe, read, show, timed
from rnnfast.examples.command_line import needs_host

with needs_host():
    import jax
    import optax
    from flax import nnx

    from rnnfast.interop.jax.flax import swap

CELLS = {"lstm": nnx.OptimizedLSTMCell, "gru": nnx.GRUCell, "rnn": nnx.SimpleCell}

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


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    parser = argparse.ArgumentParser(
        prog="flax_swap",
        description="Train a Flax character model as it is, then with rnnfast's kernels.",
    )
    options, corpus = read(parser, CELLS, argv)
    batches = draw_batches(
        corpus.training, options.steps, options.batch_size, options.seq_len, options.seed
    )

    def fresh() -> CharacterModel:
        sizes = (options.embedding, options.units, options.layers)
        rngs = nnx.Rngs(options.seed)
        return CharacterModel(options.cell, len(corpus.alphabet), *sizes, rngs)

    model = fresh()
    weights = sum(leaf.size for leaf in jax.tree.leaves(nnx.state(model, nnx.Param)))
    print(describe(options, weights, f"jax {jax.__version__}"))
    try:
        before = train(model, batches, options.learning_rate, "flax")
        model = fresh()
        print(f"swapped:\n{swap(model)}")
        after = train(model, batches, options.learning_rate, "rnnfast")
    except FloatingPointError as error:
        raise SystemExit(f"flax_swap: {error}") from error
    show("Flax", before, after)


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
    return timed(lambda x, y: float(take(model, optimizer, x, y)), batches, title)


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


if __name__ == "__main__":
    main()
