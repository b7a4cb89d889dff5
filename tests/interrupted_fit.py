"""Trainings in which everything is random, kept by `BackupAndRestore`; a program to be killed.

python interrupted_fit.py NAME FOLDER     begins or goes on, and prints a digest of all that is left

`outcome_after_kills` runs it, kills it at random moments and starts it again, to its end.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from rnnfast import Model, Sequential, callbacks, layers, optimizers, utils
from rnnfast.files import safetensors_file
from rnnfast.utils import random_seed

SAMPLES, STEPS, FEATURES, CLASSES = 96, 7, 3, 4

_DATA = np.random.default_rng(0)
X = _DATA.standard_normal((SAMPLES, STEPS, FEATURES)).astype(np.float32)
Y = _DATA.integers(CLASSES, size=SAMPLES)
LENGTHS = _DATA.integers(1, STEPS + 1, size=SAMPLES)
RAGGED = [sequence[:length] for sequence, length in zip(X, LENGTHS, strict=True)]

Fit = tuple[Any, dict[str, Any], list[callbacks.Callback]]


def of_arrays() -> Fit:
    """Everything that draws, a rate that callbacks lower, gradients of two batches at a time."""
    model = Sequential(
        [
            layers.Input((STEPS, FEATURES)),
            layers.Bidirectional(
                layers.LSTM(6, dropout=0.2, recurrent_dropout=0.1, return_sequences=True)
            ),
            layers.TimeDistributed(layers.Dense(5, "tanh", kernel_regularizer="l2")),
            layers.SpatialDropout1D(0.1),
            layers.GRU(8, zoneout=0.1, weight_dropout=0.1),
            layers.Dropout(0.3),
            layers.Dense(CLASSES, "softmax"),
        ]
    )
    optimizer = optimizers.AdamW(0.02, clipnorm=1.0, gradient_accumulation_steps=2)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    fit = {"x": X, "y": Y, "epochs": 12, "batch_size": 8, "validation_split": 0.25}
    listeners = [
        callbacks.EarlyStopping(patience=4, restore_best_weights=True),
        callbacks.ReduceLROnPlateau(patience=1),
        callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.95),
    ]
    return model, fit, listeners


def of_ragged() -> Fit:
    """Sequences of different lengths in buckets, cells, a schedule with a warm-up, weights."""
    model = Sequential(
        [
            layers.Input((None, FEATURES)),
            layers.RNN([layers.LSTMCell(6, zoneout=(0.1, 0.2)), layers.GRUCell(5, dropout=0.2)]),
            layers.Dense(CLASSES, "softmax"),
        ]
    )
    rate = optimizers.schedules.CosineDecay(0.0, 80, warmup_target=0.03, warmup_steps=20)
    model.compile(
        optimizers.Adam(rate, amsgrad=True),
        "sparse_categorical_crossentropy",
        weighted_metrics=["accuracy"],
    )
    fit = {
        "x": RAGGED,
        "y": Y,
        "epochs": 10,
        "batch_size": 9,
        "class_weight": {0: 2.0, 3: 0.5},
        "sample_weight": np.linspace(0.5, 1.5, SAMPLES),
        "validation_data": (RAGGED[:10], Y[:10]),
        "validation_freq": 2,
    }
    return model, fit, []


def of_states() -> Fit:
    """States that go on from batch to batch, and a callback of the user's that stops in one."""
    model = Sequential(
        [
            layers.Input(batch_shape=(8, STEPS, FEATURES)),
            layers.LSTM(6, stateful=True, return_sequences=True),
            layers.Bidirectional(layers.GRU(5, stateful=True, recurrent_dropout=0.2)),
            layers.Dense(1),
        ]
    )
    model.compile(optimizers.RMSprop(0.01, momentum=0.5), "mse", metrics=["mae"])
    fit = {"x": X, "y": Y, "epochs": 12, "batch_size": 8, "shuffle": False}
    return model, fit, [StopInAnEpoch()]


def of_generator() -> Fit:
    """Batches from a generator that draws, epochs that end within a pass, a graph of layers."""
    x = layers.Input((STEPS, FEATURES), name="x")
    y, h, c = layers.LSTM(6, return_sequences=True, return_state=True, dropout=0.1)(x)
    again = layers.LSTM(6)(layers.Concatenate()([x, y]), initial_state=[h, c])
    model = Model(x, layers.Dense(1)(layers.Dropout(0.2)(again)))
    model.compile(optimizers.SGD(0.05, momentum=0.9, nesterov=True), "mse")

    def batches() -> Iterator[Any]:
        while True:
            rows = np.random.permutation(SAMPLES)[:10]
            yield X[rows], Y[rows], np.random.random(10)

    fit = {
        "x": batches(),
        "epochs": 8,
        "steps_per_epoch": 11,
        "validation_data": (X, Y),
        "validation_steps": 2,
        "validation_batch_size": 20,
    }
    return model, fit, []


class StopInAnEpoch(callbacks.Callback):
    """End the training after a few batches of the tenth epoch."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Note the epoch."""
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Stop when it is time."""
        if (self.epoch, batch) == (9, 5):
            self.model.stop_training = True


FITS: dict[str, Callable[[], Fit]] = {
    "arrays": of_arrays,
    "ragged": of_ragged,
    "states": of_states,
    "generator": of_generator,
}


def run(name: str, folder: Path, save_freq: int = 3) -> str:
    """Begin a training or go on with it; return a digest of all that it leaves."""
    utils.set_random_seed(5)
    model, fit, listeners = FITS[name]()
    history = model.fit(
        **fit,
        verbose=0,
        callbacks=[
            # Its file is deleted by the caller, since a kill may come after the end as well.
            callbacks.BackupAndRestore(folder / "backup", save_freq, delete_checkpoint=False),
            callbacks.CSVLogger(folder / "log.csv"),
            callbacks.ModelCheckpoint(folder / "{epoch}.safetensors", save_freq=5),
            *listeners,
        ],
    )
    parts: list[bytes] = [weight.tobytes() for weight in model.get_weights()]
    parts += [array.tobytes() for array in model.optimizer.get_state().values()]
    for layer in model.layers:
        parts += [state.tobytes() for state in layer.get_carried_state() or ()]
        parts.append(repr(layer.get_random_state()).encode())
    parts += [repr(history.history).encode(), repr(history.epoch).encode()]
    parts.append((folder / "log.csv").read_bytes())
    for path in sorted(folder.glob("*.safetensors")):  # whose bytes depend on a random order
        metadata, arrays = safetensors_file.read_all(path)
        parts += [repr(sorted(metadata.items())).encode()]
        parts += [arrays[key].tobytes() for key in sorted(arrays)]
    # Whatever is drawn next in the process, from any of its sources.
    drawn = random.random(), np.random.random(), random_seed.make_seed()
    parts.append(repr(drawn).encode())
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return f"{len(history.epoch)} epochs {digest.hexdigest()}"


def start(name: str, folder: Path) -> subprocess.Popen[str]:
    """Start the program, which says when it begins."""
    command = [sys.executable, "-u", __file__, name, str(folder)]
    pipe, one_thread = subprocess.PIPE, {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=one_thread, stdout=pipe, stderr=pipe, text=True)


def outcome_after_kills(
    name: str, folder: Path, rng: random.Random, within: float, most: int
) -> tuple[str, int]:
    """Run a training to its end, and kill it at random moments on the way.

    Parameters
    ----------
    name : str
        Of one of `FITS`.
    folder : Path
        Of its files.
    rng : Random
        Of the moments.
    within : float
        Seconds within which it is killed, from when it begins or goes on.
    most : int
        Kills, after which it is let go on to the end.

    Returns
    -------
    digest : str
        What it printed in the end.
    kills : int
        How many times it was killed.
    """
    kills = 0
    while True:
        process = start(name, folder)
        assert process.stdout is not None
        process.stdout.readline()
        if kills < most:
            time.sleep(rng.uniform(0, within))
            process.send_signal(signal.SIGKILL)
        output, errors = process.communicate()
        if process.returncode == 0:
            return output.strip(), kills
        if process.returncode != -signal.SIGKILL:
            raise AssertionError(f"{name} did not go on after {kills} kills: {errors}")
        kills += 1


if __name__ == "__main__":
    print("begins", flush=True)
    print(run(sys.argv[1], Path(sys.argv[2])))
