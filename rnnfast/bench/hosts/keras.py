"""Keras beside us: `fit` of one model before and after `swap`.

    python -m rnnfast.bench.hosts.keras --backend {torch,jax,tensorflow} [--rounds 10]

Before anything is timed, both models have been trained from the same weights to the same loss.
"""

from __future__ import annotations

import argparse
import os
from functools import partial
from typing import Any

import numpy as np

from ..._threads import get_num_threads
from ..behaviour.ratios import BoundedRatio, medians, to_markdown
from ..timing import Call

__all__ = ["beside_keras"]

_T, _B, _I, _H, _LAYERS = 100, 32, 64, 128, 2
_BATCHES = 10  # of a call of fit
_FASTER = {
    "torch": (("LSTM", 3.5), ("GRU", 3.5)),
    "jax": (("LSTM", 2.0), ("GRU", 2.0)),
    "tensorflow": (("LSTM", 1.5), ("GRU", 2.0), ("SimpleRNN", 1.5)),
}


def beside_keras(backend: str, rounds: int) -> list[BoundedRatio]:
    """Compare Keras on a backend with itself after `swap`.

    Parameters
    ----------
    backend : {"torch", "jax", "tensorflow"}
        Keras must not have been imported with another one.
    rounds : int
        Turns of each.

    Returns
    -------
    list of BoundedRatio
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = backend
    import keras

    if keras.backend.backend() != backend:
        raise ValueError(f"Keras runs on {keras.backend.backend()} already, {backend} is wanted")
    if backend == "torch":
        import torch

        torch.set_num_threads(get_num_threads())
    return [_fit(backend, kind, bound, rounds) for kind, bound in _FASTER[backend]]


def _fit(backend: str, kind: str, bound: float, rounds: int) -> BoundedRatio:
    from ...interop.keras import swap

    rng = np.random.default_rng(1)
    x = rng.standard_normal((_B * _BATCHES, _T, _I), np.float32)
    y = rng.standard_normal((_B * _BATCHES, 1), np.float32)
    models = {"theirs": _model(kind), "own": _model(kind)}
    swap(models["own"])
    fits: dict[str, Call] = {
        name: partial(model.fit, x, y, batch_size=_B, shuffle=False, verbose=0)
        for name, model in models.items()
    }
    theirs, own = (fit().history["loss"] for fit in fits.values())
    np.testing.assert_allclose(own, theirs, rtol=1e-4)
    times = medians(fits, rounds)
    about = f"Keras's time / ours, fit on {backend}, {_LAYERS} x {kind} {_T}/{_B}/{_I}/{_H}"
    return BoundedRatio(about, times["theirs"] / times["own"], "at least", bound)


def _model(kind: str) -> Any:
    import keras

    keras.utils.set_random_seed(1)
    layer = getattr(keras.layers, kind)
    below = [layer(_H, return_sequences=True) for _ in range(_LAYERS - 1)]
    model = keras.Sequential([keras.Input((_T, _I)), *below, layer(_H), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    return model


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="rnnfast.bench.hosts.keras")
    parser.add_argument("--backend", choices=_FASTER, default="torch", help="of Keras (torch)")
    parser.add_argument("--rounds", type=int, default=10, help="turns of each contestant")
    options = parser.parse_args()
    print(to_markdown(beside_keras(options.backend, options.rounds)), end="")


if __name__ == "__main__":
    main()
