"""How far gradients reach back in time, and what clipping does to those that grow.

    dL/dh_t = (dh_{t+1}/dh_t)^T dL/dh_{t+1}          L = u . h_T, u of length 1, drawn at random

A factor a step: where it is below 1, what is seen at step t has no say in what is learned at T;
where it is above 1, a single update throws the weights anywhere. Of a plain RNN the factor is
W_hh^T times a slope. An LSTM's gradient goes past the products, through c: the factor there is the
forget gate f, and a bias of 1 makes it sigmoid(1) = 0.73 at first in place of 0.5. A GRU's goes
through its gate z likewise.

The left picture is the norm of dL/dh_t for weights as Keras starts with, and for an RNN whose W_hh
is too large. It is the gradient by the first state of the sequence that is left at t: a call of
`*_vjp` for each t. The right one trains that RNN to tell whether a sequence began with more than
zero, with gradients as they are and with their joint norm clipped to 1 (Pascanu, Mikolov and
Bengio, 2013).

Sources: Bengio, Simard and Frasconi, Learning long-term dependencies with gradient descent is
difficult, 1994; Jozefowicz, Zaremba and Sutskever, An empirical exploration of recurrent network
architectures, 2015, for the forget gate's bias.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import rnnfast
from rnnfast import initializers, optimizers
from rnnfast.examples.command_line import Option, add_options, number
from rnnfast.examples.picture import save_picture

Array = NDArray[np.float64]
GATES = {"rnn": 1, "gru": 3, "lstm": 4}
INPUTS = 8


class Case:
    """A cell with weights.

    Parameters
    ----------
    cell : {"rnn", "gru", "lstm"}
        Its function.
    units : int
        H.
    seed : int
        Of the weights: a glorot-uniform kernel, an orthogonal recurrent one.
    gain : float, default 1.0
        What the recurrent kernel is multiplied with.
    forget_bias : float, default 0.0
        Of an LSTM.
    """

    def __init__(
        self, cell: str, units: int, seed: int, gain: float = 1.0, forget_bias: float = 0.0
    ) -> None:
        self.cell = cell
        rows = GATES[cell] * units
        draw = initializers.GlorotUniform(seed), initializers.Orthogonal(seed=seed)
        w_ih, w_hh = (
            one((size, rows), np.float64).T.copy()
            for one, size in zip(draw, (INPUTS, units), strict=True)
        )
        bias = np.zeros(rows)
        if cell == "lstm":
            bias[units : 2 * units] = forget_bias  # the second of i f g o
        self.weights: dict[str, Any] = {"w_ih": w_ih, "w_hh": gain * w_hh, "b_ih": bias}

    def gradient_norms(self, x: Array, u: Array) -> Array:
        """Compute the norm of dL/dh_t of the mean over sequences.

        Parameters
        ----------
        x : ndarray, shape (T, B, 8)
            Sequences.
        u : ndarray, shape (H,)
            L = u . h_T.

        Returns
        -------
        ndarray, shape (T,)
            For t from 0, before the first step, to T - 1.
        """
        forward = getattr(rnnfast, self.cell)
        backward = getattr(rnnfast, f"{self.cell}_vjp")
        dh_n = np.broadcast_to(u, (x.shape[1], len(u)))
        norms, state = [], None
        for t in range(len(x)):
            _, pullback = backward(x[t:], **self.weights, state=state, wrt=["h0"])
            norms.append(np.linalg.norm(pullback(dh_n=dh_n).h0, axis=1).mean())
            state = forward(x[t : t + 1], **self.weights, state=state).state
        return np.array(norms)


def cases(units: int, seed: int) -> dict[str, Case]:
    """Make the cells of the left picture.

    Parameters
    ----------
    units : int
        H.
    seed : int
        Of the weights.

    Returns
    -------
    dict of Case
        By the names of the lines.
    """
    return {
        "RNN": Case("rnn", units, seed),
        "RNN, 1.5 W_hh": Case("rnn", units, seed, gain=1.5),
        "GRU": Case("gru", units, seed),
        "LSTM, forget bias 0": Case("lstm", units, seed),
        "LSTM, forget bias 1": Case("lstm", units, seed, forget_bias=1.0),
    }


def sequences(rng: np.random.Generator, steps: int) -> Array:
    """Draw a batch: a first step that counts, and little noise after it.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws.
    steps : int
        T.

    Returns
    -------
    ndarray, shape (T, 32, 8)
        The sequences.
    """
    x = rng.standard_normal((steps, 32, INPUTS))
    x[1:] *= 0.3
    return x


def train(case: Case, steps: int, updates: int, seed: int, clip: float | None) -> tuple[Any, Any]:
    """Teach an RNN by which sign its sequence began, by plain gradient descent.

    Parameters
    ----------
    case : Case
        Its weights change.
    steps : int
        T.
    updates : int
        Batches of 32.
    seed : int
        Of the sequences.
    clip : float or None
        Joint norm of the gradients at most.

    Returns
    -------
    losses, norms : ndarray, shape (updates,)
        The mean squared error of each batch, and the joint norm of its gradients before clipping.
    """
    rng = np.random.default_rng(seed)
    units = len(case.weights["w_hh"])
    weights = {**case.weights, "head": np.zeros(units)}
    optimizer = optimizers.SGD(0.03, global_clipnorm=clip)
    losses, norms = [], []
    for _ in range(updates):
        x = sequences(rng, steps)
        (_, h), pullback = rnnfast.rnn_vjp(x, **case.weights, wrt=list(case.weights))
        error = h @ weights["head"] - np.sign(x[0, :, 0])
        dh = 2 * error[:, None] * weights["head"] / len(error)
        gradients = {**pullback(dh_n=dh)._asdict(), "head": 2 * error @ h / len(error)}
        losses.append(np.mean(error**2))
        norms.append(optimizers.global_norm(gradients))
        optimizer.apply(gradients, weights)
    return np.array(losses), np.array(norms)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    options = _parser().parse_args(argv)
    rng = np.random.default_rng(options.seed)
    x = sequences(rng, options.steps)
    u = rng.standard_normal(options.units)
    found = {
        name: case.gradient_norms(x, u / np.linalg.norm(u))
        for name, case in cases(options.units, options.seed).items()
    }
    print(f"{'norm of dL/dh_t':24}{'t = 0':>12}{'a factor a step':>18}")
    for name, norms in found.items():
        factor = (norms[0] / norms[-1]) ** (1 / max(1, len(norms) - 1))
        print(f"{name:24}{norms[0]:12.2e}{factor:18.3f}")

    trained = {}
    print(f"\n{'RNN, 1.5 W_hh, in training':28}{'largest norm':>14}{'median loss at the end':>24}")
    for name, clip in (("as they are", None), ("clipped to 1", 1.0)):
        case = Case("rnn", options.units, options.seed, gain=1.5)
        losses, norms = train(case, min(options.steps, 40), options.updates, options.seed, clip)
        trained[name] = losses
        end = float(np.median(losses[-len(losses) // 4 :]))
        print(f"gradients {name:18}{norms.max():14.3g}{end:24.3f}")
    print(f"{'guessing':28}{'':14}{1.0:24.3f}")
    save_picture(options.plot, lambda figure: draw(figure, found, trained), (11.0, 4.2))


def draw(figure: Any, found: dict[str, Array], trained: dict[str, Array]) -> None:
    """Draw the norms, and the losses beside them.

    Parameters
    ----------
    figure : matplotlib Figure
        Is drawn on.
    found : dict of ndarray
        Norms of dL/dh_t by name.
    trained : dict of ndarray
        Losses by name.
    """
    left, right = figure.subplots(1, 2)
    for name, norms in found.items():
        left.semilogy(np.arange(len(norms)) - len(norms), norms, label=name)
    left.axhline(1, color="gray", linewidth=0.8)
    left.set(xlabel="t - T", ylabel="norm of dL/dh_t", title="How far gradients reach back")
    left.legend(frameon=False, fontsize="small")
    for (name, losses), color in zip(trained.items(), ("#d6604d", "#2166ac"), strict=True):
        right.semilogy(losses, color=color, linewidth=0.9, label=f"gradients {name}")
    right.axhline(1, color="gray", linestyle="-.", linewidth=0.8, label="guessing")
    right.set(xlabel="update", ylabel="mean squared error", title="RNN, 1.5 W_hh, in training")
    right.legend(frameon=False, fontsize="small")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vanishing_gradients",
        description="Show how far gradients reach back in time, and what clipping does.",
    )
    count = number(int, 1)
    options: tuple[Option, ...] = (
        ("--units", count, 32, "hidden units"),
        ("--steps", count, 100, "steps of a sequence"),
        ("--updates", count, 400, "of the training with and without clipping"),
        ("--seed", number(int, 0, 2**32 - 1), 0, "of weights and sequences"),
        ("--plot", Path, Path("vanishing_gradients.png"), "where to save the picture"),
    )
    add_options(parser, options)
    return parser


if __name__ == "__main__":
    main()
