"""What the loop takes beside the kernels: an LSTM over T=100, B=32, I=H=128 under a Dense of 10.

    own = (step - kernels) / step

The kernels are `lstm_vjp` and its pullback, on a batch as the layer hands it on and for the same
gradients. Parts of the rest are timed alone: the batch copied out of the data, Dense and loss, the
optimizer. What they leave is bookkeeping: Python between the calls, and caches that are cold.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import redirect_stderr
from typing import NamedTuple

import numpy as np

import rnnfast
from rnnfast.losses import CategoricalCrossentropy

from ..busy import OtherWork, too_much_taken
from ..timing import Call, play_rounds, spread
from .programs import classifier

__all__ = ["OwnTime", "measure_own_time"]

_T, _B, _H = 100, 32, 128
_STEPS = 64  # of an epoch, so that what `fit` does once counts little


class OwnTime(NamedTuple):
    """Seconds a step.

    Parameters
    ----------
    step, with_bar, kernels : float
        Of `fit` with verbose=0 and 1, and of the kernels alone.
    batch, dense, optimizer : float
        Parts of the rest.
    busy : str or None
        What shows that the machine was.
    """

    step: float
    with_bar: float
    kernels: float
    batch: float
    dense: float
    optimizer: float
    busy: str | None

    @property
    def share(self) -> float:
        """Share of a step that is not the kernels'."""
        return (self.step - self.kernels) / self.step


def measure_own_time(rounds: int, threads: int) -> OwnTime:
    """Time steps and their parts in turns.

    Parameters
    ----------
    rounds : int
        Turns of each.
    threads : int
        Of the kernels.

    Returns
    -------
    OwnTime
    """
    program = classifier(_STEPS * _B, _T, _H, _H)
    rnnfast.utils.set_random_seed(0)
    model = program.make(rnnfast)
    x, y = program.data()
    lstm, dense = model.layers
    weights = lstm.parameters
    some = np.random.default_rng(0).permutation(len(x))[:_B]
    batch, targets = x[some], y[some]
    gradients = [np.full_like(weight, 1e-3) for weight in model.parameters]
    loss = CategoricalCrossentropy(from_logits=True)
    logits, _ = dense.without_activation()
    optimizer = rnnfast.optimizers.Adam()
    rest = [weight.copy() for weight in model.parameters]

    def fit(verbose: int) -> Call:
        def call() -> None:
            with redirect_stderr(io.StringIO()):
                model.fit(x, y, batch_size=_B, verbose=verbose)

        return call

    def kernels() -> None:
        _, pullback = rnnfast.lstm_vjp(
            batch.transpose(1, 0, 2), *weights, wrt=("w_ih", "w_hh", "b_ih")
        )
        pullback(dh_n=of_last)

    of_last = np.full((_B, _H), 1e-3, np.float32)

    def dense_and_loss() -> None:
        z, pullback = logits.vjp(of_last, wrt_input=True)
        _, dz = loss.value_and_grad(targets, z)
        pullback(dz)

    calls: dict[str, Callable[[], object]] = {
        "step": fit(0),
        "with_bar": fit(1),
        "kernels": kernels,
        "batch": lambda: (x[some], y[some]),
        "dense": dense_and_loss,
        "optimizer": lambda: optimizer.apply(gradients, rest),
    }
    others = OtherWork(threads)
    with rnnfast.num_threads(threads), rnnfast.utils.one_blas_thread():
        played = list(play_rounds(calls, rounds))
    found = {name: spread([times[name] for times in played]).median for name in calls}
    for name in ("step", "with_bar"):
        found[name] /= _STEPS
    return OwnTime(**found, busy=too_much_taken(others.taken()))
