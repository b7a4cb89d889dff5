"""A fit by MPI, run by tests: python mpi_fit.py KIND FOLDER.

KIND is one of `KINDS` and a dtype, such as ragged-float32; each process writes its weights and its
history to FOLDER/RANK-of-SIZE.npz. "fails" raises in one process, "trains" goes on until it is
killed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from rnnfast import Sequential, callbacks, layers, losses, optimizers, utils
from rnnfast.training import MPI

_RNG = np.random.default_rng(0)
_SAMPLES = 83  # of batches of 16 the last has 3


class Trains(callbacks.Callback):
    """Says by a file that training has begun, and whose it is."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Say so once."""
        if epoch == 0:
            begun = self.folder / f"{self.params['rank']}.pid"
            begun.with_suffix(".new").write_text(str(os.getpid()))
            begun.with_suffix(".new").rename(begun)


class FailsInTheLast(callbacks.Callback):
    """Raises an exception in the last process alone."""

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Raise it."""
        if self.params["rank"] == MPI().size - 1:
            raise KeyError("of one process alone")


def _layers(dtype: str, **head: Any) -> list[layers.Layer]:
    return [
        layers.LSTM(8, input_shape=(None, 3), dtype=dtype, **head),
        layers.Dense(4, dtype=dtype),
    ]


def arrays(dtype: str) -> tuple[Sequential, dict[str, Any]]:
    """Return a classifier, and sequences of one length with weights."""
    model = Sequential(_layers(dtype))
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    adam = optimizers.Adam(gradient_accumulation_steps=2)
    model.compile(adam, loss, metrics=["accuracy"])
    x = _RNG.normal(size=(_SAMPLES, 6, 3))
    weights = _RNG.uniform(0, 2, _SAMPLES)
    return model, {"x": x, "y": _RNG.integers(0, 4, _SAMPLES), "sample_weight": weights}


def ragged(dtype: str) -> tuple[Sequential, dict[str, Any]]:
    """Return a tagger, and sequences of different lengths."""
    model = Sequential(_layers(dtype, return_sequences=True))
    model.compile("adam", "mse", metrics=["mae"])
    x = [_RNG.normal(size=(length, 3)) for length in _RNG.integers(1, 9, _SAMPLES)]
    return model, {"x": x, "y": [_RNG.normal(size=(len(one), 4)) for one in x]}


def masked(dtype: str) -> tuple[Sequential, dict[str, Any]]:
    """Return a tagger of words, 0 for none."""
    words = layers.Embedding(9, 3, mask_zero=True, input_shape=(6,), dtype=dtype)
    recurrent = layers.GRU(8, return_sequences=True, dtype=dtype)
    model = Sequential([words, recurrent, layers.Dense(4, activation="softmax", dtype=dtype)])
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x = _RNG.integers(0, 9, (_SAMPLES, 6))
    return model, {"x": x, "y": _RNG.integers(0, 4, x.shape)}


KINDS = {"arrays": arrays, "ragged": ragged, "masked": masked}


def main(kind: str, folder: Path) -> None:
    """Fit, and write what became of it."""
    reducer = MPI()
    name, _, dtype = kind.partition("-")
    if name in KINDS:
        utils.set_random_seed(1)
        model, fit = KINDS[name](dtype)
        utils.set_random_seed(1 + reducer.rank)  # of the order, which the first one chooses
        history = model.fit(**fit, batch_size=16, epochs=3, verbose=2, reducer=reducer)
        found = {str(k): weight for k, weight in enumerate(model.get_weights())}
        np.savez(folder / f"{reducer.rank}-of-{reducer.size}.npz", **found, **history.history)
        return
    model, fit = arrays("float32")
    listener = FailsInTheLast() if name == "fails" else Trains(folder)
    model.fit(**fit, epochs=10**6, verbose=0, callbacks=[listener], reducer=reducer)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
