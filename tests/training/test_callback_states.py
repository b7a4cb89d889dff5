"""A training that was broken off and goes on with fresh callbacks ends as if it had not been."""

import itertools
import json

import numpy as np
import pytest

from fake_fit import FakeModel, fit
from rnnfast import Sequential, callbacks, layers, optimizers
from rnnfast.utils import set_random_seed

VALUES = [5.0, 3.0, 4.0, 4.0, 2.0, 6.0, 6.0, 7.0, 6.5, 8.0]


def written(state):
    """Numbers, strings, lists and arrays as a file would have them."""

    def plain(array):
        return {"array": array.tolist()}

    return json.dumps(state, default=plain, allow_nan=False)


def read(text):
    return json.loads(text, object_hook=lambda d: np.array(d["array"]) if "array" in d else d)


CALLBACKS = {
    "EarlyStopping": lambda path: callbacks.EarlyStopping(patience=4, restore_best_weights=True),
    "EarlyStopping, baseline": lambda path: callbacks.EarlyStopping(patience=5, baseline=2.5),
    "ReduceLROnPlateau": lambda path: callbacks.ReduceLROnPlateau(
        factor=0.5, patience=2, cooldown=2
    ),
    "LearningRateScheduler": lambda path: callbacks.LearningRateScheduler(lambda e, r: r / 2),
    "ModelCheckpoint": lambda path: callbacks.ModelCheckpoint(
        "{epoch}.safetensors", save_best_only=True
    ),
    "ModelCheckpoint, batches": lambda path: callbacks.ModelCheckpoint(
        "{epoch}-{batch}.safetensors", save_freq=7
    ),
    "CSVLogger": lambda path: callbacks.CSVLogger(path),
    "History": lambda path: callbacks.History(),
}


def outcome(callback, model, path):
    return {
        "state": written(callback.get_state()),
        "weights": model.weights[0].tolist(),
        "rate": model.optimizer.learning_rate,
        "saved": model.saved,
        "stopped": model.stop_training,
        "file": path.read_text() if path.exists() else None,
    }


@pytest.mark.parametrize("broken_off", [1, 3, 4, 7])
@pytest.mark.parametrize("name", CALLBACKS)
def test_a_fresh_callback_goes_on(name, broken_off, tmp_path):
    make = CALLBACKS[name]
    path = tmp_path / "whole.csv"
    model, callback = FakeModel(), make(path)
    fit([callback], VALUES, model, steps=3)
    wanted = outcome(callback, model, path)

    path = tmp_path / "parts.csv"
    model, killed = FakeModel(), make(path)
    fit([killed], VALUES[:broken_off], model, steps=3)
    text, rate, saved = written(killed.get_state()), model.optimizer.learning_rate, [*model.saved]
    killed.on_epoch_end(broken_off, {"val_loss": 0.0})  # and what it did since is lost

    model, fresh = FakeModel(optimizers.SGD(rate)), make(path)
    model.saved = saved
    fit([fresh], VALUES, model, first_epoch=broken_off, steps=3, state=[read(text)])
    assert outcome(fresh, model, path) == wanted


def test_a_callback_that_remembers_nothing():
    for callback in (callbacks.TerminateOnNaN(), callbacks.LambdaCallback()):
        assert callback.get_state() == {}
        callback.set_state({})


def test_a_state_is_not_what_goes_on_changing():
    history = callbacks.History()
    history.on_epoch_end(0, {"loss": 1.0})
    state = history.get_state()
    history.on_epoch_end(1, {"loss": 0.5})
    assert state == {"epoch": [0], "names": ["loss"], "values": [[1.0]]}
    fresh = callbacks.History()
    fresh.set_state(state)
    fresh.on_epoch_end(1, {"loss": 0.5})
    assert (fresh.epoch, fresh.history) == (history.epoch, history.history)
    assert state == {"epoch": [0], "names": ["loss"], "values": [[1.0]]}


class Killed(Exception):
    pass


def train(folder, kill_at=None):
    """A model that four callbacks steer; what comes of it, as bytes and numbers."""
    set_random_seed(3)
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(12, 2)), rng.normal(size=12)
    model = Sequential([layers.Dense(4, "tanh"), layers.Dense(1)])
    model.compile(optimizers.Adam(0.3), "mse")
    seen = itertools.count()

    def kill(batch, logs):
        if next(seen) == kill_at:
            raise Killed

    history = model.fit(
        x,
        y,
        batch_size=3,
        epochs=9,
        validation_data=(x, -y),
        callbacks=[
            callbacks.ReduceLROnPlateau(factor=0.5, patience=1),
            callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9),
            callbacks.EarlyStopping(patience=5, restore_best_weights=True),
            callbacks.ModelCheckpoint(
                folder / "{epoch}-{batch}.safetensors", save_weights_only=True, save_freq=3
            ),
            callbacks.CSVLogger(folder / "log.csv"),
            callbacks.LambdaCallback(on_train_batch_end=kill),
            callbacks.BackupAndRestore(folder / "backup", save_freq=2),
        ],
        verbose=0,
    )
    files = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    return history.epoch, history.history, [w.tolist() for w in model.get_weights()], files


@pytest.mark.parametrize("kill_at", [0, 1, 3, 4, 6, 7, 13])
def test_a_model_killed_and_resumed_ends_with_the_same_bits(tmp_path, kill_at):
    (tmp_path / "whole").mkdir()
    (tmp_path / "parts").mkdir()
    wanted = train(tmp_path / "whole")
    assert len(wanted[0]) < 9  # EarlyStopping has stopped it
    with pytest.raises(Killed):
        train(tmp_path / "parts", kill_at)
    assert train(tmp_path / "parts") == wanted
