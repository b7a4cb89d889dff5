"""What callbacks hear, and what the user sees."""

import re
import subprocess
import sys

import numpy as np
import pytest

from fake_fit import FakeModel, class_of
from rnnfast import Sequential, callbacks, layers, metrics, optimizers
from rnnfast.callbacks.callback import EVENTS
from rnnfast.callbacks.callback_list import CallbackList, as_callbacks


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
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    if verbose == "auto":
        model.fit(X, Y, verbose=verbose)
        assert capsys.readouterr().out.startswith("Epoch 1/1 - ")
    else:
        with pytest.raises(ImportError, match="pip install tqdm"):
            model.fit(X, Y, verbose=verbose)


def unknown_length(callback, steps, batches):
    """One epoch and a prediction of data that come from a generator."""
    listeners = CallbackList(callback, FakeModel(), epochs=1, steps=steps, samples=None)
    callback.params["batch_size"] = None
    listeners.tell("on_train_begin")
    listeners.tell("on_epoch_begin", 0)
    for batch in range(batches):
        listeners.tell("on_train_batch_end", batch, {"loss": 0.5})
    listeners.tell("on_epoch_end", 0, {"loss": 0.5})
    listeners.tell("on_predict_begin")
    listeners.tell("on_predict_batch_end", 0, {"outputs": None})
    listeners.tell("on_predict_end")


@pytest.mark.parametrize("steps", [3, None])
def test_lines_count_steps_where_samples_are_unknown(capsys, steps):
    unknown_length(callbacks.ProgressLines(), steps, batches=3)
    epoch, predict = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"Epoch 1/1 - 0\.\ds - [\d,]+ steps/s - loss: 0\.5000", epoch)
    assert re.fullmatch(r"Predict - 0\.\ds - [\d,]+ steps/s", predict)


@pytest.mark.parametrize(("steps", "shown"), [(3, r"100%\|.*\| 3/3 \["), (None, r"3 steps \[")])
def test_bars_count_steps_where_samples_are_unknown(capsys, steps, shown):
    unknown_length(callbacks.ProgressBar(), steps, batches=3)
    bar = capsys.readouterr().err.split("\n")[0].split("\r")[-1]
    assert re.match(rf"Epoch 1/1: {shown}", bar)
    assert bar.endswith("steps/s, loss: 0.5000]")


def test_a_notebook_without_widgets_has_the_bar_of_a_terminal():
    # As Jupyter's kernel shows itself to tqdm, which warns there when it looks for ipywidgets.
    program = """
import sys, types
sys.modules["ipykernel.zmqshell"] = types.ModuleType("ipykernel.zmqshell")
sys.modules["IPython"] = types.SimpleNamespace(get_ipython=lambda: None)
sys.modules["ipywidgets"] = None
from rnnfast.callbacks import ProgressBar
bar = ProgressBar()
bar.set_params({"samples": 2, "batch_size": 2, "steps": 1, "epochs": 1})
bar.on_epoch_begin(0)
bar.on_train_batch_end(0, {"loss": 1.0})
bar.on_epoch_end(0, {"loss": 1.0})
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "Epoch 1/1: 100%" in done.stderr
    assert "Warning" not in done.stderr
    assert done.returncode == 0


def test_methods_need_no_default_for_logs(model):
    class Strict(callbacks.Callback):
        def on_train_begin(self, logs):
            assert logs.get("loss") is None

        def on_epoch_begin(self, epoch, logs):
            heard.append((epoch, logs))

    heard = []
    model.fit(X, Y, callbacks=Strict(), verbose=0)
    assert heard == [(0, {})]


def test_older_names_of_training_steps(model):
    class Older(callbacks.Callback):
        def on_batch_begin(self, batch, logs=None):
            heard.append(("begin", batch))

        def on_batch_end(self, batch, logs=None):
            heard.append(("end", batch, *logs))

    heard = []
    model.fit(X, Y, batch_size=10, callbacks=[Older()], verbose=0)
    assert heard == [("begin", 0), ("end", 0, "loss", "mae")]


def test_a_misspelt_method_is_warned_of():
    with pytest.warns(UserWarning, match=r"Mine\.on_epoch_ends is never called.*'on_epoch_end'"):

        class Mine(callbacks.Callback):
            def on_epoch_ends(self, epoch, logs=None):
                pass

    class Own(callbacks.Callback):
        def on_button(self):
            pass


def test_functions_in_place_of_methods(model):
    heard = []
    model.fit(
        X,
        Y,
        batch_size=10,
        validation_split=0.5,
        callbacks=callbacks.LambdaCallback(
            on_train_begin=lambda logs: heard.append("begin"),
            on_epoch_end=lambda epoch, logs: heard.append((epoch, *logs)),
            on_train_batch_end=lambda batch, logs: heard.append((batch, *logs)),
            on_test_end=lambda logs: heard.append("tested"),
        ),
        verbose=0,
    )
    figures = ("loss", "mae")
    assert heard == ["begin", (0, *figures), "tested", (0, *figures, "val_loss", "val_mae")]


@pytest.mark.parametrize(
    ("functions", "message"),
    [
        ({"on_epoch_ends": print}, "'on_epoch_ends'; did you mean 'on_epoch_end'"),
        ({"set_model": print}, "unexpected argument 'set_model'"),
        ({"on_test_end": 1}, "on_test_end must be a function, got 1"),
    ],
)
def test_functions_that_are_refused(functions, message):
    with pytest.raises(TypeError, match=message):
        callbacks.LambdaCallback(**functions)


@pytest.mark.parametrize("loss", [np.nan, np.inf, -np.inf])
def test_a_loss_that_is_no_number_ends_the_training(loss, capsys):
    model, quiet = FakeModel(), callbacks.TerminateOnNaN()
    quiet.set_model(model)
    quiet.on_train_batch_end(0, {"loss": 1.0})
    quiet.on_train_batch_end(1, {"mae": np.nan})
    assert not model.stop_training
    quiet.on_train_batch_end(2, {"loss": loss})
    assert model.stop_training
    assert capsys.readouterr().out == "Batch 2: Invalid loss, terminating training\n"
    with pytest.raises(RuntimeError, match=f"the loss became {loss} in batch 2"):
        callbacks.TerminateOnNaN(raise_error=True).on_train_batch_end(2, {"loss": loss})


def test_a_model_ends_quietly_with_finite_weights(model, capsys):
    listener = Listener()
    y = np.where(np.arange(10) < 6, 1.0, np.nan)
    quiet = [callbacks.TerminateOnNaN(), listener]
    history = model.fit(X, y, batch_size=3, epochs=5, callbacks=quiet, shuffle=False, verbose=0)
    assert capsys.readouterr().out == "Batch 2: Invalid loss, terminating training\n"
    assert history.epoch == [0]
    assert np.isfinite(history.history["loss"]).all()
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert listener.heard[-1] == ("train_end", "loss", "mae")


def test_what_is_no_callback_is_refused():
    assert as_callbacks(None) == []
    listener = Listener()
    assert as_callbacks(listener) == as_callbacks(iter([listener])) == [listener]
    with pytest.raises(TypeError, match=r"of rnnfast\.callbacks\.Callback, got builtin_func\w+$"):
        as_callbacks([print])
    with pytest.raises(TypeError, match=r"the class EarlyStopping; call it: EarlyStopping\(\)"):
        as_callbacks([callbacks.EarlyStopping])


@pytest.mark.parametrize(
    ("callback", "message"),
    [
        (class_of("EarlyStopping")(), r"keras's, use rnnfast\.callbacks\.EarlyStopping$"),
        (class_of("EarlyStopping"), r"keras's, use rnnfast\.callbacks\.EarlyStopping$"),
        (
            type("Mine", (class_of("Callback", "tf_keras.callbacks"),), {})(),
            r"Mine; Callback is tf_keras's, use rnnfast\.callbacks\.Callback$",
        ),
        (class_of("TensorBoard")(), r"keras's, rnnfast\.callbacks has none of this name$"),
    ],
)
def test_callbacks_of_other_frameworks_are_told_by_name(callback, message):
    for given in (callback, [callback]):
        with pytest.raises(TypeError, match=message):
            as_callbacks(given)
