"""Train an LSTM so that nobody can tell whom it was trained on, and attack it.

    g_b   = dL_b / dw                                    of each sequence b, over all weights
    g     = sum_b g_b min(1, C / |g_b|) + N(0, (s C)^2)  no sequence moves it by more than C
    w    <- w - step of Adam by g / (expected batch size)

`lstm_vjp(..., per_sample=True)` gives all g_b in one backward pass. Each update draws every
sequence with probability q. `privacy` computes what that promises, and attacks either model.

The data are sequences of noise in three channels, one of which is a little higher throughout: a
step says little, all of them nearly all. Some labels are wrong, and whoever knows these has seen
the training set. Beside the private model stands one trained on the same sequences with neither
bound nor noise.

Source: Abadi et al., Deep learning with differential privacy, 2016.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnnfast import losses, lstm, lstm_vjp, optimizers
from rnnfast.examples.command_line import Option, add_options, number
from rnnfast.examples.picture import save_picture
from rnnfast.examples.privacy import attack, epsilon
from rnnfast.utils import initial_weights, one_blas_thread

Array = NDArray[Any]
Weights = dict[str, Any]

CHANNELS = 3
HIGHER = 0.6  # standard deviations of the noise
EACH = losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)
TOTAL = losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum")


class Data(NamedTuple):
    """Sequences x (T, N, 3), the labels that are told, and the true ones, (N,) each."""

    x: Array
    told: Array
    true: Array

    def some(self, rows: Array) -> Data:
        """Return some of the sequences."""
        return Data(self.x[:, rows], self.told[rows], self.true[rows])


class Privacy(NamedTuple):
    """How gradients are made private: the bound C of a sequence's, and the noise in units of C."""

    clip: float
    noise: float


def draw_data(rng: np.random.Generator, count: int, steps: int, wrong: float) -> Data:
    """Draw sequences.

    Parameters
    ----------
    rng : numpy.random.Generator
        Of all that is drawn.
    count, steps : int
        N and T.
    wrong : float
        Share of labels that are drawn anew.

    Returns
    -------
    Data
        In float32.
    """
    true, other = rng.integers(CHANNELS, size=(2, count))
    x = rng.standard_normal((steps, count, CHANNELS))
    x[:, np.arange(count), true] += HIGHER
    told = np.where(rng.random(count) < wrong, other, true)
    return Data(x.astype(np.float32), told, true)


def first_weights(units: int, seed: int) -> Weights:
    """Draw weights of an LSTM and of the layer above its last state.

    Parameters
    ----------
    units : int
        H.
    seed : int
        Of the values.

    Returns
    -------
    dict
        "lstm", by the names of its arguments, and "head"; one bias does, so there is no b_hh.
    """
    drawn = initial_weights("lstm", CHANNELS, units, seed=seed)
    of_lstm = {name: array for name, array in drawn.items() if name != "b_hh"}
    kernel = np.random.default_rng(seed).uniform(-1, 1, (units, CHANNELS)) / np.sqrt(units)
    head = {"kernel": kernel.astype(np.float32), "bias": np.zeros(CHANNELS, np.float32)}
    return {"lstm": of_lstm, "head": head}


def logits_of(weights: Weights, x: Array) -> Array:
    """Compute what the model says of sequences.

    Parameters
    ----------
    weights : dict
        As of `first_weights`.
    x : ndarray, shape (T, N, 3)
        Sequences.

    Returns
    -------
    ndarray, shape (N, 3)
        Logits.
    """
    head = weights["head"]
    logits: Array = lstm(x, **weights["lstm"]).h_n @ head["kernel"] + head["bias"]
    return logits


def each_loss(weights: Weights, data: Data) -> Array:
    """Compute the loss of each sequence.

    Parameters
    ----------
    weights : dict
        As of `first_weights`.
    data : Data
        N sequences.

    Returns
    -------
    ndarray, shape (N,)
        In nats, of the labels that are told.
    """
    return np.asarray(EACH(data.told, logits_of(weights, data.x)))


def sample_gradients(weights: Weights, batch: Data) -> dict[str, dict[str, Array]]:
    """Compute the gradients of each sequence's loss.

    Parameters
    ----------
    weights : dict
        As of `first_weights`.
    batch : Data
        B sequences.

    Returns
    -------
    dict
        Nested and named as the weights, each with an axis B before its own.
    """
    head, of_lstm = weights["head"], weights["lstm"]
    out, pullback = lstm_vjp(batch.x, **of_lstm, wrt=list(of_lstm), per_sample=True)
    _, dlogits = TOTAL.value_and_grad(batch.told, out.h_n @ head["kernel"] + head["bias"])
    gradients = pullback(dh_n=dlogits @ head["kernel"].T)
    return {
        "lstm": {name: getattr(gradients, name) for name in of_lstm},
        "head": {"kernel": out.h_n[:, :, None] * dlogits[:, None, :], "bias": dlogits},
    }


def private_sum(
    gradients: Mapping[str, Mapping[str, Array]], privacy: Privacy, rng: np.random.Generator
) -> dict[str, dict[str, Array]]:
    """Bound the gradient of each sequence, add them up, and add noise.

    Parameters
    ----------
    gradients : dict
        As from `sample_gradients`.
    privacy : Privacy
        The bound and the noise.
    rng : numpy.random.Generator
        Of the noise. (Who publishes a model draws it from a generator that nobody can guess.)

    Returns
    -------
    dict
        Nested and named alike, without the axis B.
    """
    squares = [
        np.sum(np.square(g), axis=tuple(range(1, g.ndim)), dtype=np.float64)
        for part in gradients.values()
        for g in part.values()
    ]
    factors = np.minimum(1, privacy.clip / np.maximum(np.sqrt(sum(squares)), 1e-12))
    deviation = privacy.noise * privacy.clip

    def noisy(g: Array) -> Array:
        total: Array = np.tensordot(factors.astype(g.dtype), g, axes=1)
        return total + deviation * rng.standard_normal(total.shape).astype(g.dtype)

    return {
        part: {name: noisy(g) for name, g in named.items()} for part, named in gradients.items()
    }


def train(
    weights: Weights,
    data: Data,
    privacy: Privacy | None,
    sampling: float,
    updates: int,
    learning_rate: float,
    rng: np.random.Generator,
    tell: Callable[[int], None],
) -> None:
    """Train in place.

    Parameters
    ----------
    weights : dict
        As of `first_weights`.
    data : Data
        Training sequences.
    privacy : Privacy or None
        None for gradients as they are.
    sampling : float
        q.
    updates : int
        How many.
    learning_rate : float
        Adam's step size.
    rng : numpy.random.Generator
        Of batches and noise.
    tell : callable
        Is given the number of each update done.
    """
    optimizer = optimizers.Adam(learning_rate)
    expected = sampling * len(data.true)
    for update in range(1, updates + 1):
        chosen = np.flatnonzero(rng.random(len(data.true)) < sampling)
        gradients = sample_gradients(weights, data.some(chosen))
        if privacy is None:
            summed = {p: {n: g.sum(axis=0) for n, g in of.items()} for p, of in gradients.items()}
        else:
            summed = private_sum(gradients, privacy, rng)
        mean = {p: {n: g / np.float32(expected) for n, g in of.items()} for p, of in summed.items()}
        optimizer.apply(mean, weights)
        tell(update)


def highest_channel(x: Array) -> Array:
    """Say which channel is highest on average.

    Parameters
    ----------
    x : ndarray, shape (T, N, 3)
        Steps: all of them, for the best that anybody can do, or one.

    Returns
    -------
    ndarray of int, shape (N,)
        Labels.
    """
    labels: Array = x.mean(axis=0).argmax(axis=1)
    return labels


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    options = _parser().parse_args(argv)
    rng = np.random.default_rng(options.seed)
    members, others, test = (
        draw_data(rng, count, options.steps, options.wrong)
        for count in (options.sequences, options.sequences, 2000)
    )
    spent = epsilon(options.sampling, options.noise, options.updates, options.delta)
    print(
        f"{options.sequences} sequences of {options.steps} steps, {options.wrong:.0%} of their "
        f"labels drawn anew; {options.sampling:.0%} of them an update\n"
        f"private: {options.updates} updates, epsilon {spent:.2f} at delta {options.delta:g}\n"
        f"not private: {options.plain_updates} updates\n"
    )
    found = {}
    for name, how, updates in (
        ("private", Privacy(options.clip, options.noise), options.updates),
        ("not private", None, options.plain_updates),
    ):
        weights = first_weights(options.units, options.seed)

        def tell(
            update: int, name: str = name, weights: Weights = weights, updates: int = updates
        ) -> None:
            if update % max(1, updates // 5) == 0:
                loss = each_loss(weights, members).mean()
                print(f"{name}: update {update:5}, training loss {loss:.3f}")

        with one_blas_thread():
            rate = options.learning_rate
            train(weights, members, how, options.sampling, updates, rate, rng, tell)
            right = logits_of(weights, test.x).argmax(axis=1) == test.true
            by_loss = attack(each_loss(weights, members), each_loss(weights, others))
        found[name] = float(right.mean()), by_loss

    print(f"\n{'':24}{'accuracy':>9}  advantage of the attack")
    for name, (accuracy, by_loss) in found.items():
        print(f"{name:24}{accuracy:9.3f}  {by_loss.advantage:+.3f} +- {by_loss.error:.3f}")
    for name, x in (("best possible: the mean", test.x), ("the last step alone", test.x[-1:])):
        print(f"{name:24}{(highest_channel(x) == test.true).mean():9.3f}")

    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        for name, (_, by_loss) in found.items():
            axes.plot(by_loss.false_alarms, by_loss.hits, label=name)
        axes.plot([0, 1], [0, 1], color="gray", linestyle="-.", label="chance")
        axes.set(xlabel="false alarms", ylabel="hits", title="Who was trained on, told by the loss")
        axes.legend(frameon=False)

    save_picture(options.plot, draw, (5.0, 5.0))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="private_training",
        description="Train an LSTM with differential privacy, and attack it.",
    )
    count = number(int, 1)
    share = number(float, 1e-6, 1)
    options: tuple[Option, ...] = (
        ("--sequences", count, 1000, "sequences to train on"),
        ("--steps", count, 20, "steps of each"),
        ("--wrong", number(float, 0, 1), 0.3, "share of labels that are drawn anew"),
        ("--units", count, 16, "hidden units"),
        ("--updates", count, 150, "updates of the private model"),
        ("--plain-updates", count, 1000, "updates of the other: until it has learned its samples"),
        ("--sampling", share, 0.1, "probability that an update draws a sequence"),
        ("--clip", number(float, 1e-6), 1.0, "bound of a sequence's gradient"),
        ("--noise", number(float, 0), 2.0, "standard deviation of the noise over that bound"),
        ("--delta", number(float, 1e-300, 1), 1e-5, "at which epsilon is stated"),
        ("--learning-rate", number(float, 0), 2e-2, "Adam's step size"),
        ("--seed", number(int, 0, 2**32 - 1), 0, "of data, weights, batches and noise"),
        ("--plot", Path, Path("private_training.png"), "where to save the curves"),
    )
    add_options(parser, options)
    return parser


if __name__ == "__main__":
    main()
