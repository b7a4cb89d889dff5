"""A training that was broken off and goes on with fresh callbacks ends as if it had not been."""

import json

import numpy as np
import pytest

from fake_fit import FakeModel, fit
from rnnfast import callbacks, optimizers

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
