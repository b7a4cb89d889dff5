"""A recurrent network from its equations, on functions of arrays.

    h_t = f(W_xh x_t + W_hh h_{t-1} + b_h)          f = tanh, sigmoid or relu
    y_t = W_hy h_t + b_y
    L   = mean (y_t - d_t)^2                        over the N numbers of all steps and sequences

Going backwards, from the last step to the first, with a_t for what f is applied to:

    dy_t  = 2 (y_t - d_t) / N
    dh_t  = W_hy^T dy_t + W_hh^T da_{t+1}           what comes from above, and from the step after
    da_t  = f'(a_t) * dh_t

    dW_hy = sum dy_t h_t^T        dW_hh = sum da_t h_{t-1}^T        db_y = sum dy_t
    dW_xh = sum da_t x_t^T        db_h  = sum da_t

and each weight w becomes w - rate * dw, until L is below a threshold.

The W_hh^T in dh_t is what tutorials leave out, or write without the transposition: h_{t-1} acts on
a_t through W_hh, and so da_t acts on dh_{t-1} through its transpose. Without the term the gradient
ends after a single step, as with ``truncate=1``: the table shows how far off it is.

The network learns by how much its input has changed, d_t = x_t - x_{t-1}, for which it must
remember the step before. Whoever sees x_t alone can do no better than d_t = x_t, which costs the
mean of x_{t-1}^2.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnnfast import layers, losses, rnn_vjp
from rnnfast.examples.command_line import Option, add_options, number
from rnnfast.examples.picture import save_picture

Array = NDArray[np.floating[Any]]
NONLINEARITIES = ("tanh", "sigmoid", "relu")


class Weights(NamedTuple):
    """The five arrays of the equations, or their gradients: I inputs, H hidden, O outputs."""

    w_xh: Array  # (H, I)
    w_hh: Array  # (H, H)
    b_h: Array  # (H,)
    w_hy: Array  # (O, H)
    b_y: Array  # (O,)


def loss_and_gradients(
    weights: Weights, x: Array, d: Array, nonlinearity: str, truncate: int | None = None
) -> tuple[float, Weights]:
    """Compute L and its gradients: the equations, of which `rnn_vjp` has those of the recurrence.

    Parameters
    ----------
    weights : Weights
        As they are.
    x : ndarray, shape (T, B, I)
        Inputs.
    d : ndarray, shape (T, B, O)
        What is wanted.
    nonlinearity : {"tanh", "sigmoid", "relu"}
        f.
    truncate : int, optional
        Steps after which the gradient ends; never by default.

    Returns
    -------
    loss : float
        L.
    gradients : Weights
        Of each.
    """
    w_xh, w_hh, b_h, w_hy, b_y = weights
    out, pullback = rnn_vjp(x, w_xh, w_hh, b_h, nonlinearity=nonlinearity, truncate=truncate)
    error = out.y @ w_hy.T + b_y - d
    dy = 2 * error / error.size
    below = pullback(dy=dy @ w_hy)
    above = np.einsum("tbo,tbh->oh", dy, out.y), dy.sum(axis=(0, 1))
    return float(np.mean(error**2)), Weights(below.w_ih, below.w_hh, below.b_ih, *above)


def fit(
    weights: Weights,
    x: Array,
    d: Array,
    nonlinearity: str,
    rate: float,
    threshold: float,
    most: int,
) -> list[float]:
    """Change weights by gradient descent until the loss is below a threshold.

    Parameters
    ----------
    weights : Weights
        Changed in place.
    x, d, nonlinearity
        As for `loss_and_gradients`.
    rate : float
        Size of a step.
    threshold : float
        Where to stop.
    most : int
        Updates at most.

    Returns
    -------
    list of float
        The loss before each update, and at the end.
    """
    seen = []
    for _ in range(most + 1):
        loss, gradients = loss_and_gradients(weights, x, d, nonlinearity)
        seen.append(loss)
        if not loss >= threshold:  # reached, or not a number any more
            break
        for weight, gradient in zip(weights, gradients, strict=True):
            weight -= rate * gradient
    return seen


def gradients_of_layers(weights: Weights, x: Array, d: Array, nonlinearity: str) -> Weights:
    """Compute the same by `SimpleRNN` and `Dense`, samples first, each with its own pullback.

    Parameters
    ----------
    weights, x, d, nonlinearity
        As for `loss_and_gradients`.

    Returns
    -------
    Weights
        The gradients.
    """
    hidden, outputs = len(weights.w_hh), len(weights.w_hy)
    recurrent = layers.SimpleRNN(hidden, nonlinearity, return_sequences=True, dtype="float64")
    dense = layers.Dense(outputs, dtype="float64")
    recurrent.build((None, None, x.shape[2]))
    dense.build((None, None, hidden))
    recurrent.set_weights([weights.w_xh.T, weights.w_hh.T, weights.b_h])
    dense.set_weights([weights.w_hy.T, weights.b_y])
    h, pull_recurrent = recurrent.vjp(x.swapaxes(0, 1), wrt_input=False)
    y, pull_dense = dense.vjp(h, wrt_input=True)
    _, dy = losses.MeanSquaredError().value_and_grad(d.swapaxes(0, 1), y)
    dh, (dw_hy, db_y) = pull_dense(dy)
    assert dh is not None
    _, (dw_xh, dw_hh, db_h) = pull_recurrent(dh)
    return Weights(dw_xh, dw_hh, db_h, dw_hy.T, db_y)


def changes(rng: np.random.Generator, steps: int, sequences: int) -> tuple[Array, Array]:
    """Draw x (T, B, 1), and by how much each step differs from the one before.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws.
    steps, sequences : int
        T and B.

    Returns
    -------
    x, d : ndarray, shape (T, B, 1)
        Inputs from -1 to 1, and what is wanted; before the first step x is 0.
    """
    x = rng.uniform(-1, 1, (steps, sequences, 1))
    return x, np.diff(x, axis=0, prepend=0)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    options = _parser().parse_args(argv)
    rng = np.random.default_rng(options.seed)
    x, d = changes(rng, options.steps, 32)
    hidden = options.units
    shapes = [(hidden, 1), (hidden, hidden), (hidden,), (1, hidden), (1,)]
    weights = Weights(*(rng.uniform(-1, 1, shape) / np.sqrt(hidden) for shape in shapes))

    _print_gradients(weights, x, d, options.nonlinearity)
    seen = fit(
        weights, x, d, options.nonlinearity, options.rate, options.threshold, options.updates
    )
    baseline = float(np.mean((d - x) ** 2))
    print(
        f"\nloss {seen[0]:.4f}, after {len(seen) - 1} updates {seen[-1]:.4f}; "
        f"{baseline:.4f} for whoever sees x_t alone"
    )
    if not seen[-1] < options.threshold:
        print(f"{options.threshold:g} was not reached: try more --updates or another --rate")
    _plot(options.plot, seen, baseline)


def _print_gradients(weights: Weights, x: Array, d: Array, nonlinearity: str) -> None:
    _, ours = loss_and_gradients(weights, x, d, nonlinearity)
    _, cut = loss_and_gradients(weights, x, d, nonlinearity, truncate=1)
    theirs = gradients_of_layers(weights, x, d, nonlinearity)
    print(f"{'norm of the gradient':22}{'functions':>12}{'layers':>12}{'off without W_hh^T':>21}")
    for name, own, of_layers, short in zip(Weights._fields, ours, theirs, cut, strict=True):
        norm, other, off = map(np.linalg.norm, (own, of_layers, short - own))
        print(f"{name:22}{norm:12.8f}{other:12.8f}{off / norm:21.0%}")
    apart = max(np.abs(a - b).max() for a, b in zip(ours, theirs, strict=True))
    print(f"functions and layers differ by {apart:.0e} at most")


def _plot(path: Path, seen: Sequence[float], baseline: float) -> None:
    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        axes.semilogy(seen, color="#2166ac", label="network")
        axes.axhline(baseline, color="gray", linestyle="-.", label="from x_t alone")
        axes.set(xlabel="update", ylabel="mean squared error")
        axes.legend(frameon=False)

    save_picture(path, draw)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="from_equations",
        description="Train a recurrent network by its equations and plain gradient descent.",
    )
    parser.add_argument(
        "--nonlinearity", choices=NONLINEARITIES, default="tanh", help="f (default: tanh)"
    )
    count, real = number(int, 1), number(float, 0)
    options: tuple[Option, ...] = (
        ("--units", count, 16, "hidden units"),
        ("--steps", count, 20, "steps of a sequence"),
        ("--rate", real, 0.1, "size of a step of gradient descent"),
        ("--threshold", real, 0.001, "loss at which to stop"),
        ("--updates", count, 5000, "updates at most"),
        ("--seed", number(int, 0, 2**32 - 1), 0, "of data and first weights"),
        ("--plot", Path, Path("from_equations.png"), "where to save the curve"),
    )
    add_options(parser, options)
    return parser


if __name__ == "__main__":
    main()
