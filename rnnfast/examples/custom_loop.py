"""A training loop of one's own on functions of arrays, for sequences of different lengths.

    logits_t = W y_t + b,   y = lstm(x),   L = mean over steps that are there of -log p(x_{t+1})

An LSTM learns which keys of generated piano music (`music`) sound next. `train` is the loop:

    pad_ragged, lengths=          sequences of any lengths side by side, none of them padded in time
    sequence_mask                 which steps there are, for the loss
    value_and_grad, pullback      gradients by what was computed, then by what it was computed from
    global_norm                   how long they are
    optimizer.apply               on weights and gradients as they are nested and named
    one_blas_thread               or NumPy's threads take the cores from the kernels

Beside the network's loss, in nats a step, stands that of the keys' frequencies, given whether each
key has sounded in the step before.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast import losses, lstm, lstm_vjp, optimizers
from rnnfast.examples.command_line import Option, add_options, number
from rnnfast.examples.music import KEYS, Roll, songs
from rnnfast.examples.picture import save_picture
from rnnfast.utils import initial_weights, one_blas_thread, pad_ragged, sequence_mask

Weights = dict[str, Any]

# A loss a step, weighed by whether the step is there; each is the mean over keys.
LOSS = losses.BinaryCrossentropy(from_logits=True, reduction="mean_with_sample_weight")


def first_weights(units: int, seed: int) -> Weights:
    """Draw weights, nested as is convenient.

    Parameters
    ----------
    units : int
        H.
    seed : int
        Of the values.

    Returns
    -------
    dict
        Of the LSTM by the names of its arguments, and of the layer above.
    """
    head = np.random.default_rng(seed).uniform(-1, 1, (units, KEYS)) / np.sqrt(units)
    return {
        "lstm": initial_weights("lstm", KEYS, units, seed=seed),
        "head": {"kernel": head.astype(np.float32), "bias": np.zeros(KEYS, np.float32)},
    }


def train(
    weights: Weights,
    data: Sequence[Roll],
    optimizer: optimizers.Optimizer,
    batch_size: int,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Train for one epoch.

    Parameters
    ----------
    weights : dict
        Changed in place.
    data : sequence of ndarray
        Songs.
    optimizer : Optimizer
        Changes them.
    batch_size : int
        Songs in a batch.
    rng : numpy.random.Generator
        Of the order.

    Returns
    -------
    loss, norm : float
        In nats a step, and the joint norm of the gradients, both the means of all batches.
    """
    seen = []
    head, names = weights["head"], list(weights["lstm"])
    with one_blas_thread():
        for chosen in np.array_split(rng.permutation(len(data)), -(-len(data) // batch_size)):
            x, lengths = pad_ragged([data[k][:-1] for k in chosen])
            following, _ = pad_ragged([data[k][1:] for k in chosen])
            out, pullback = lstm_vjp(x, **weights["lstm"], lengths=lengths, wrt=names)
            logits = out.y @ head["kernel"] + head["bias"]
            loss, dlogits = LOSS.value_and_grad(following, logits, sequence_mask(lengths))
            gradients = {
                "lstm": pullback(dy=dlogits @ head["kernel"].T),
                "head": {
                    "kernel": np.tensordot(out.y, dlogits, axes=([0, 1], [0, 1])),
                    "bias": dlogits.sum(axis=(0, 1)),
                },
            }
            seen.append((float(loss) * KEYS, optimizers.global_norm(gradients)))
            optimizer.apply(gradients, weights)
    loss, norm = np.mean(seen, axis=0)
    return float(loss), float(norm)


def evaluate(weights: Weights, data: Sequence[Roll]) -> float:
    """Compute the loss of songs.

    Parameters
    ----------
    weights : dict
        As of `train`.
    data : sequence of ndarray
        Songs.

    Returns
    -------
    float
        In nats a step.
    """
    x, lengths = pad_ragged([song[:-1] for song in data])
    following, _ = pad_ragged([song[1:] for song in data])
    with one_blas_thread():
        out = lstm(x, **weights["lstm"], lengths=lengths)
        logits = out.y @ weights["head"]["kernel"] + weights["head"]["bias"]
    return float(LOSS(following, logits, sequence_mask(lengths))) * KEYS


def loss_of_frequencies(training: Sequence[Roll], validation: Sequence[Roll]) -> float:
    """Compute the loss of each key's frequency, given whether it has sounded in the step before.

    Parameters
    ----------
    training : sequence of ndarray
        Songs to count in.
    validation : sequence of ndarray
        Songs to predict.

    Returns
    -------
    float
        In nats a step.
    """
    before, after = (np.concatenate([song[part] for song in training]) for part in _SHIFTED)
    rates: list[NDArray[Any]] = []
    for sounded in (0, 1):
        there = before == sounded
        rates.append(((after * there).sum(axis=0) + 0.5) / (there.sum(axis=0) + 1))
    before, after = (np.concatenate([song[part] for song in validation]) for part in _SHIFTED)
    p = np.where(before == 1, rates[1], rates[0])
    return float(-np.mean(np.sum(np.log(np.where(after == 1, p, 1 - p)), axis=1)))


_SHIFTED = (slice(None, -1), slice(1, None))


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    options = _parser().parse_args(argv)
    rng = np.random.default_rng(options.seed)
    training, validation = songs(rng, options.songs), songs(rng, max(1, options.songs // 5))
    weights = first_weights(options.units, options.seed)
    optimizer = optimizers.Adam(options.learning_rate, global_clipnorm=1.0)
    baseline = loss_of_frequencies(training, validation)
    lengths = [len(song) for song in training]
    print(
        f"{len(training)} songs of {min(lengths)} to {max(lengths)} steps; nats a step\n"
        f"{'epoch':>5}{'training':>11}{'validation':>12}{'frequencies':>13}{'gradient norm':>15}"
    )
    curves: list[tuple[float, float]] = []
    for epoch in range(1, options.epochs + 1):
        loss, norm = train(weights, training, optimizer, options.batch_size, rng)
        curves.append((loss, evaluate(weights, validation)))
        print(f"{epoch:5}{loss:11.3f}{curves[-1][1]:12.3f}{baseline:13.3f}{norm:15.3f}")

    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        epochs = np.arange(1, len(curves) + 1)
        for values, name in zip(zip(*curves, strict=True), ("training", "validation"), strict=True):
            axes.plot(epochs, values, label=name)
        axes.axhline(baseline, color="gray", linestyle="-.", label="frequencies, validation")
        axes.set(xlabel="epoch", ylabel="nats a step", ylim=(0, None))
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(frameon=False)

    save_picture(options.plot, draw)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="custom_loop",
        description="Train an LSTM on generated piano music with a loop of one's own.",
    )
    count = number(int, 1)
    options: tuple[Option, ...] = (
        ("--songs", count, 400, "songs to train on; a fifth as many to validate on"),
        ("--units", count, 64, "hidden units"),
        ("--epochs", count, 20, "passes over the songs"),
        ("--batch-size", count, 16, "songs in a batch"),
        ("--learning-rate", number(float, 0), 5e-3, "Adam's step size"),
        ("--seed", number(int, 0, 2**32 - 1), 0, "of songs, weights and order"),
        ("--plot", Path, Path("custom_loop.png"), "where to save the curves"),
    )
    add_options(parser, options)
    return parser


if __name__ == "__main__":
    main()
