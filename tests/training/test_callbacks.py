"""What callbacks hear, and what the user sees."""

import re
import sys

import numpy as np
import pytest

from rnnfast import Sequential, callbacks, layers, metrics, optimizers

EVENTS = [name for name in vars(callbacks.Callback) if name.startswith("on_")]


class Listener(callbacks.Callback):
    """Writes down every event, with its number and the names in its logs."""

    def __init__(self):
        super().__init__()
        self.heard = []


def _listen(event):
    def hear(self, *arguments, **keywords):
        numbers = [value for value in arguments if isinstance(value, int)]
        logs = next((value for value in arguments if isinstance(value, dict)), {})
        self.heard.append((event.removeprefix("on_"), *numbers, *sorted(logs)))

    return hear


for _event in EVENTS:
    setattr(Listener, _event, _listen(_event))


@pytest.fixture
def model():
    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


X, Y = np.ones((10, 2)), np.ones(10)


def test_the_order_of_events(model):
    listener = Listener()
    model.fit(X, Y, batch_size=4, epochs=2, validation_split=0.2, callbacks=[listener], verbose=0)
    figures = ("loss", "mae")
    both = ("loss", "mae", "val_loss", "val_mae")
    validation = [
        ("test_begin",),
        ("test_batch_begin", 0),
        ("test_batch_end", 0, *figures),
        ("test_end", *figures),
    ]
    epochs = [
        [
            ("epoch_begin", epoch),
            ("train_batch_begin", 0),
            ("train_batch_end", 0, *figures),
            ("train_batch_begin", 1),
            ("train_batch_end", 1, *figures),
            *validation,
            ("epoch_end", epoch, *both),
        ]
        for epoch in (0, 1)
    ]
    assert listener.heard == [("train_begin",), *epochs[0], *epochs[1], ("train_end", *both)]
    assert listener.model is model
    assert listener.params["steps"] == 2


def test_evaluate_and_predict_are_heard(model):
    listener = Listener()
    model.evaluate(X, Y, batch_size=10, callbacks=listener, verbose=0)
    model.predict(X, batch_size=10, callbacks=[listener], verbose=0)
    assert listener.heard == [
        ("test_begin",),
        ("test_batch_begin", 0),
        ("test_batch_end", 0, "loss", "mae"),
        ("test_end", "loss", "mae"),
        ("predict_begin",),
        ("predict_batch_begin", 0),
        ("predict_batch_end", 0, "outputs"),
        ("predict_end",),
    ]


def test_logs_are_running_means(model):
    seen = []

    class Logs(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(logs["loss"])

    history = model.fit(X, Y, batch_size=4, callbacks=[Logs()], verbose=0)
    assert seen[-1] == history.history["loss"][0]


def test_a_callback_stops_the_training(model):
    class Stop(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = self.model.stop_training or batch == 1

    listener = Listener()
    history = model.fit(X, Y, batch_size=2, epochs=5, callbacks=[Stop(), listener], verbose=0)
    assert history.epoch == [0]
    assert [event for event, *_ in listener.heard].count("train_batch_begin") == 2
    assert model.fit(X, Y, epochs=2, verbose=0).epoch == [0, 1]


def test_a_callback_changes_what_was_compiled(model):
    class Change(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 0:
                self.model.optimizer = optimizers.SGD(0.0)
                self.model.metrics = [metrics.MeanSquaredError()]
                frozen.append(self.model.get_weights())

    frozen, listener = [], Listener()
    callbacks_ = [Change(), listener]
    model.fit(X, Y, batch_size=5, epochs=2, callbacks=callbacks_, verbose=0)
    # The optimizer from the next batch on, the metrics from the next pass over the data on.
    for weight, wanted in zip(model.get_weights(), frozen[0], strict=True):
        np.testing.assert_array_equal(weight, wanted)
    assert [heard[1:] for heard in listener.heard if heard[0] == "epoch_end"] == [
        (0, "loss", "mae"),
        (1, "loss", "mean_squared_error"),
    ]


def test_silence(model, capsys):
    model.fit(X, Y, validation_split=0.2, verbose=0)
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    assert capsys.readouterr() == ("", "")


def test_lines(model, capsys):
    model.fit(X, Y, epochs=2, validation_split=0.2, verbose=2)
    model.evaluate(X, Y, verbose=2)
    model.predict(X, verbose=2)
    out, err = capsys.readouterr()
    number = r"[-+.e\d]+"
    figures = rf"loss: {number} - mae: {number}"
    validation = rf"val_loss: {number} - val_mae: {number}"
    rate = r"\d+\.\ds - [\d,]+ samples/s"
    lines = [
        rf"Epoch 1/2 - {rate} - {figures} - {validation}",
        rf"Epoch 2/2 - {rate} - {figures} - {validation}",
        rf"Evaluate - {rate} - {figures}",
        rf"Predict - {rate}",
    ]
    assert err == ""
    for line, pattern in zip(out.splitlines(), lines, strict=True):
        assert re.fullmatch(pattern, line)


@pytest.mark.parametrize("verbose", [1, "auto"])
def test_a_bar_for_each_epoch(model, capsys, verbose):
    model.fit(X, Y, epochs=2, validation_split=0.2, verbose=verbose)
    model.evaluate(X, Y, verbose=verbose)
    model.predict(X, verbose=verbose)
    out, err = capsys.readouterr()
    assert out == ""
    bars = [line.split("\r")[-1] for line in err.rstrip("\n").split("\n")]
    assert [bar.split(":")[0] for bar in bars] == ["Epoch 1/2", "Epoch 2/2", "Evaluate", "Predict"]
    assert all("100%" in bar and "samples/s" in bar for bar in bars)
    assert ["8/8" in bar and "val_loss: " in bar for bar in bars] == [True, True, False, False]
    assert all(bar.count("loss: ") for bar in bars[:3])


def test_time_spent_in_validation_is_not_in_the_rate(capsys):
    class Slow(callbacks.Callback):
        def on_test_batch_begin(self, batch, logs=None):
            import time

            time.sleep(0.3)

    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    for verbose in (1, 2):
        model.fit(X, Y, validation_split=0.2, callbacks=[Slow()], verbose=verbose)
        shown = "".join(capsys.readouterr()).replace(",", "")
        assert float(re.findall(r"([\d.]+) ?samples/s", shown)[-1]) > 100


@pytest.mark.parametrize("verbose", [1, "auto"])
def test_without_tqdm(model, capsys, monkeypatch, verbose):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    if verbose == "auto":
        model.fit(X, Y, verbose=verbose)
        assert capsys.readouterr().out.startswith("Epoch 1/1 - ")
    else:
        with pytest.raises(ImportError, match="pip install tqdm"):
            model.fit(X, Y, verbose=verbose)
