"""Tell waveforms apart with JAX, many to one: python -m rnnfast.examples.jax_classifier.

A sequence is a sine, square, triangle or sawtooth wave of random frequency and phase, under noise.
A GRU reads it in both directions, a dense layer looks at the last states. Parameters are a
dictionary, a step of Adam is one compiled function, to which its arrays are donated:

    loss, gradients = jax.value_and_grad(cross_entropy)(parameters, x, kinds)
    m <- b1 m + (1 - b1) g,   v <- b2 v + (1 - b2) g^2
    p <- p - rate m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + 1e-8)
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from rnnfast.examples.command_line import Option, add_options, needs_host, number

with needs_host():
    import jax
    import jax.numpy as jnp

    from rnnfast.interop.jax import gru, kernel_calls

Parameters: TypeAlias = dict[str, Any]

KINDS = ("sine", "square", "triangle", "sawtooth")


class Adam(NamedTuple):
    """Parameters while they are trained, means of their gradients and of the squares, steps."""

    parameters: Parameters
    mean: Parameters
    square: Parameters
    steps: jax.Array


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    options = _parser().parse_args(argv)
    random = np.random.default_rng(options.seed)
    training, test = (
        waves(count, options.seq_len, options.noise, random)
        for count in (options.sequences, options.test_sequences)
    )
    state = start(initial(options.units, jax.random.key(options.seed)))
    for epoch in range(1, options.epochs + 1):
        losses = []
        order = random.permutation(options.sequences)
        for first in range(0, options.sequences - options.batch_size + 1, options.batch_size):
            rows = order[first : first + options.batch_size]
            x, kinds = (array[rows] for array in training)
            state, loss = step(state, x, kinds, options.learning_rate)
            losses.append(loss)
        print(f"epoch {epoch}: loss {np.mean(losses):.4f}")
    shares = [accuracy(state.parameters, *data) for data in (training, test)]
    print(
        f"accuracy {shares[0]:.1%} in training, {shares[1]:.1%} on {len(test[0])} others; "
        f"passes by the kernels: {kernel_calls()}"
    )


def waves(
    count: int, steps: int, noise: float, random: np.random.Generator
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
    """Make waves at random.

    Parameters
    ----------
    count, steps : int
        Number of sequences and steps in each.
    noise : float
        Standard deviation of what is added; the waves are between -1 and 1.
    random : Generator
        Where chance comes from.

    Returns
    -------
    x : ndarray of float32 (count, steps, 1)
        The sequences.
    kinds : ndarray of int32 (count,)
        Which of `KINDS` each is.
    """
    # From two to six turns in a sequence: enough of each to see, and steps enough in each.
    frequency = random.uniform(2, 6, (count, 1)) / steps
    turns = frequency * np.arange(steps) + random.random((count, 1))
    phase = turns % 1
    of_all = np.stack(
        [
            np.sin(2 * np.pi * turns),
            np.where(phase < 0.5, 1.0, -1.0),
            4 * np.abs(phase - 0.5) - 1,
            2 * phase - 1,
        ]
    )
    kinds = random.integers(len(KINDS), size=count)
    x = of_all[kinds, np.arange(count)] + noise * random.standard_normal((count, steps))
    return x[:, :, None].astype(np.float32), kinds.astype(np.int32)


def initial(units: int, key: jax.Array) -> Parameters:
    """Draw parameters.

    Parameters
    ----------
    units : int
        Hidden units of each direction.
    key : key of jax.random
        Where chance comes from.

    Returns
    -------
    dict
        Weights of the GRU, one for each direction in a list, and of the dense layer.
    """
    bound = units**-0.5
    shapes = {"w_ih": (3 * units, 1), "w_hh": (3 * units, units), "b_ih": (3 * units,)}
    shapes["b_hh"] = shapes["b_ih"]
    keys = iter(jax.random.split(key, 2 * len(shapes) + 1))

    def uniform(shape: tuple[int, ...]) -> jax.Array:
        return jax.random.uniform(next(keys), shape, minval=-bound, maxval=bound)

    recurrent = {name: [uniform(shape) for _ in range(2)] for name, shape in shapes.items()}
    dense = {"w": uniform((2 * units, len(KINDS))), "b": jnp.zeros(len(KINDS))}
    return {"recurrent": recurrent, "dense": dense}


def logits(parameters: Parameters, x: jax.Array) -> jax.Array:
    """Return the logits (B, 4) of sequences (B, T, 1).

    Parameters
    ----------
    parameters : dict
        See `initial`.
    x : Array
        See `waves`.

    Returns
    -------
    Array
    """
    forward, backward = gru(x, **parameters["recurrent"], bidirectional=True, batch_first=True).h_n
    seen = jnp.concatenate([forward, backward], 1)
    return seen @ parameters["dense"]["w"] + parameters["dense"]["b"]


def cross_entropy(parameters: Parameters, x: jax.Array, kinds: jax.Array) -> jax.Array:
    """Return the mean loss of a batch.

    Parameters
    ----------
    parameters : dict
        See `initial`.
    x, kinds : Array
        See `waves`.

    Returns
    -------
    Array, a single number
    """
    scores = jax.nn.log_softmax(logits(parameters, x))
    return -jnp.take_along_axis(scores, kinds[:, None], 1).mean()


def start(parameters: Parameters) -> Adam:
    """Return Adam's state before the first step.

    Parameters
    ----------
    parameters : dict
        See `initial`.

    Returns
    -------
    Adam
    """
    mean, square = (jax.tree.map(jnp.zeros_like, parameters) for _ in range(2))
    return Adam(parameters, mean, square, jnp.zeros((), jnp.int32))


@partial(jax.jit, donate_argnums=0)
def step(state: Adam, x: jax.Array, kinds: jax.Array, rate: float) -> tuple[Adam, jax.Array]:
    """Take a step of Adam.

    Parameters
    ----------
    state : Adam
        Whose arrays become those of the new one.
    x, kinds : Array
        A batch.
    rate : float
        The step size.

    Returns
    -------
    state : Adam
    loss : Array
        Before the step.
    """
    loss, gradients = jax.value_and_grad(cross_entropy)(state.parameters, x, kinds)
    steps = state.steps + 1
    mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, state.mean, gradients)
    square = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, state.square, gradients)
    unbiased = 1 - 0.9**steps, 1 - 0.999**steps
    parameters = jax.tree.map(
        lambda p, m, v: p - rate * m / unbiased[0] / (jnp.sqrt(v / unbiased[1]) + 1e-8),
        state.parameters,
        mean,
        square,
    )
    return Adam(parameters, mean, square, steps), loss


def accuracy(
    parameters: Parameters, x: npt.NDArray[np.float32], kinds: npt.NDArray[np.int32]
) -> float:
    """Return the share of sequences that are taken for what they are.

    Parameters
    ----------
    parameters : dict
        See `initial`.
    x, kinds : ndarray
        See `waves`.

    Returns
    -------
    float
        Between 0 and 1.
    """
    return float((jax.jit(logits)(parameters, x).argmax(1) == kinds).mean())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jax_classifier", description="Tell noisy waveforms apart with JAX and rnnfast."
    )
    count, real = number(int, 1), number(float, 0)
    options: tuple[Option, ...] = (
        ("--epochs", count, 10, "passes over the training data"),
        ("--sequences", count, 2000, "sequences to train on"),
        ("--test-sequences", count, 1000, "sequences to test on"),
        ("--seq-len", count, 64, "steps of a sequence"),
        ("--noise", real, 0.3, "standard deviation of the noise"),
        ("--units", count, 64, "hidden units of each direction"),
        ("--batch-size", count, 50, "sequences in a step"),
        ("--learning-rate", real, 5e-3, "Adam's step size"),
        ("--seed", number(int, 0, 2**32 - 1), 0, "of data, weights and order"),
    )
    add_options(parser, options)
    return parser


if __name__ == "__main__":
    main()
