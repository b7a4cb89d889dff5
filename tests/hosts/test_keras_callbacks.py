"""Callbacks beside those of Keras 3, told the same."""

import os
from inspect import signature

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import pytest

from fake_fit import FakeModel, fit
from rnnfast import Sequential, callbacks, layers, optimizers
from rnnfast.callbacks.callback_list import as_callbacks

# Keras 3.15.1 with NumPy 2 and the torch backend.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

# Multiples of an eighth: Keras compares in float32, and ties are to be ties in both.
VALUES = np.random.default_rng(5).integers(0, 40, (12, 14)) / 8


def pair(name, *arguments, **options):
    """A callback of each library with a model for it; ours first."""
    for library, sgd in [(callbacks, optimizers.SGD), (keras.callbacks, keras.optimizers.SGD)]:
        yield getattr(library, name)(*arguments, **options), FakeModel(sgd(1.0))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"patience": 2},
        {"patience": 3, "min_delta": 0.5},
        {"patience": 2, "mode": "max"},
        {"patience": 1, "start_from_epoch": 4},
        {"patience": 3, "baseline": 1.0},
        {"patience": 2, "baseline": 4.0, "mode": "max", "min_delta": -0.25},
    ],
)
def test_early_stopping(options):
    for values in VALUES:
        ends = []
        for stopper, model in pair("EarlyStopping", restore_best_weights=True, **options):
            epochs = len(fit([stopper], values, model))
            best = None if stopper.best is None else float(stopper.best)
            ends.append((epochs, stopper.stopped_epoch, stopper.best_epoch, stopper.wait, best))
            ends[-1] += (*model.weights[0],)
        assert ends[0] == ends[1]


@pytest.mark.parametrize(
    "options",
    [
        {"patience": 1},
        {"factor": 0.5, "patience": 2, "cooldown": 2},
        {"factor": 0.5, "patience": 0, "min_lr": 0.1},
        {"factor": 0.3, "patience": 2, "mode": "max", "min_delta": 1.0},
    ],
)
def test_reduce_lr_on_plateau(options):
    for values in VALUES:
        ours, theirs = (
            [logs["learning_rate"] for logs in fit([slower], values, model)]
            for slower, model in pair("ReduceLROnPlateau", **options)
        )
        assert len(set(ours)) > 1
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize("schedule", [lambda epoch, rate: rate * 0.9, lambda epoch: 0.5**epoch])
def test_learning_rate_scheduler(schedule):
    ours, theirs = (
        [logs["learning_rate"] for logs in fit([scheduler], VALUES[0], model)]
        for scheduler, model in pair("LearningRateScheduler", schedule)
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"save_freq": 4},
        {"save_best_only": True},
        {"save_best_only": True, "mode": "max"},
        {"save_best_only": True, "initial_value_threshold": 2.0},
        {"save_best_only": True, "save_freq": 5, "mode": "min"},
    ],
)
@pytest.mark.parametrize("name", ["at", "{epoch:03d}-{val_loss:.1f}"])
def test_model_checkpoint(options, name):
    for values in VALUES:
        saved = []
        for library, suffix in [(callbacks, ".safetensors"), (keras.callbacks, ".keras")]:
            model, checkpoint = FakeModel(), library.ModelCheckpoint(f"{name}{suffix}", **options)
            if library is keras.callbacks:
                # It would do so when the first epoch ends, and fail in the batches before.
                checkpoint._set_monitor_op()
            fit([checkpoint], values, model, steps=3)
            saved.append([(file.removesuffix(suffix), epoch) for _, file, epoch in model.saved])
        assert saved[0] == saved[1]


@pytest.mark.parametrize("append", [False, True])
@pytest.mark.parametrize(
    "epochs",
    [
        [{"loss": 2.0, "acc": 0.125}, {"loss": 1 / 3, "acc": 1e-9}],
        [{"loss": 2.0, "val_loss": 0.5}, {"loss": 1.0}, {"loss": 0.1, "new": 1.0}],
        [{"loss": np.float32(0.1), "val_x": [1, 2], "y": np.array([0.5, 2]), "z": np.array(3)}],
        [{"loss": "a,b", "quoted": 'say "so"'}],
    ],
)
def test_csv_logger(append, epochs, tmp_path):
    files = []
    for library in (callbacks, keras.callbacks):
        path = tmp_path / library.__name__
        for _ in range(2):
            fit([library.CSVLogger(path, separator=";", append=append)], epochs)
        files.append(path.read_bytes())
    assert files[0] == files[1]


def test_lambda_callback_and_history():
    heard = {}
    for library in (callbacks, keras.callbacks):
        notes = heard[library] = []
        functions = {
            "on_train_begin": lambda logs, notes=notes: notes.append(("begin", *logs)),
            "on_epoch_begin": lambda epoch, logs, notes=notes: notes.append((epoch, *logs)),
            "on_epoch_end": lambda epoch, logs, notes=notes: notes.append((epoch, *logs)),
            "on_train_batch_end": lambda batch, logs, notes=notes: notes.append((batch, *logs)),
            "on_train_end": lambda logs, notes=notes: notes.append(("end", *logs)),
        }
        history = library.History()
        fit([library.LambdaCallback(**functions), history], [1.0, 2.0], steps=2)
        notes += [history.epoch, history.history]
    ours, theirs = heard.values()
    assert ours == theirs


def test_terminate_on_nan():
    for loss in (1.0, np.nan, -np.inf):
        stopped = []
        for quiet, model in pair("TerminateOnNaN"):
            fit([quiet], [{"loss": loss}], model, steps=1)
            stopped.append(model.stop_training)
        assert stopped == [not np.isfinite(loss)] * 2
        for strict, model in pair("TerminateOnNaN", raise_error=True):
            if np.isfinite(loss):
                fit([strict], [{"loss": loss}], model, steps=1)
            else:
                with pytest.raises(RuntimeError):
                    fit([strict], [{"loss": loss}], model, steps=1)


OURS = [
    *("CSVLogger", "EarlyStopping", "History", "LambdaCallback", "LearningRateScheduler"),
    *("BackupAndRestore", "ModelCheckpoint", "ReduceLROnPlateau", "TerminateOnNaN"),
]


@pytest.mark.parametrize("name", OURS)
def test_arguments_and_defaults(name):
    def listed(cls):
        return [
            (one.name, one.kind, one.default)
            for one in signature(cls).parameters.values()
            # Keras takes any for this one and does nothing with them.
            if (name, one.name) != ("ReduceLROnPlateau", "kwargs")
        ]

    assert listed(getattr(callbacks, name)) == listed(getattr(keras.callbacks, name))


def test_those_of_keras_are_told_by_name():
    class Mine(keras.callbacks.Callback):
        pass

    for theirs, ours in [
        (keras.callbacks.EarlyStopping(), "EarlyStopping"),
        (keras.callbacks.CSVLogger("log.csv"), "CSVLogger"),
        (Mine(), "Callback"),
    ]:
        message = rf"is keras's, use rnnfast\.callbacks\.{ours}$"
        with pytest.raises(TypeError, match=message):
            as_callbacks([theirs])
    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match=r"use rnnfast\.callbacks\.EarlyStopping$"):
        model.fit(np.ones((2, 1)), np.ones(2), callbacks=[keras.callbacks.EarlyStopping()])
