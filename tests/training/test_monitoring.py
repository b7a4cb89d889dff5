"""What is better, and what callbacks do where nothing is: EarlyStopping, ReduceLROnPlateau."""

import math
import warnings

import numpy as np
import pytest

from fake_fit import FakeModel, fit
from rnnfast import Sequential, callbacks, layers, metrics
from rnnfast.callbacks import EarlyStopping, ReduceLROnPlateau
from rnnfast.metrics import _BY_NAME

FALLING_THEN_RISING = [5.0, 3.0, 2.0, 4.0, 3.0, 6.0, 1.0]


@pytest.mark.parametrize(
    ("options", "epochs", "best"),
    [
        ({}, 4, 2),
        ({"patience": 1}, 4, 2),
        ({"patience": 3}, 6, 2),
        ({"patience": 4}, 7, 6),
        ({"mode": "max"}, 2, 0),
        ({"min_delta": 1.5}, 3, 1),
        ({"min_delta": -1.5}, 3, 1),
        ({"patience": 1, "start_from_epoch": 3}, 6, 4),
        ({"patience": 2, "baseline": 2.5}, 5, 2),
        # What stays above the baseline is given no more time than patience.
        ({"patience": 2, "baseline": 1.5}, 4, 2),
    ],
)
def test_the_epoch_that_stops_and_the_best(options, epochs, best):
    model, stopper = FakeModel(), EarlyStopping(restore_best_weights=True, **options)
    heard = fit([stopper], FALLING_THEN_RISING, model)
    assert (len(heard), stopper.best_epoch) == (epochs, best)
    assert stopper.stopped_epoch == (epochs - 1 if epochs < 7 else 0)
    assert model.weights[0][0] == best


def test_the_first_epoch_does_not_stop():
    assert len(fit([EarlyStopping(baseline=0.0)], [2.0, 2.0, 2.0])) == 2
    assert len(fit([EarlyStopping()], [math.nan, 1.0, 2.0, 3.0])) == 3


def test_without_restoring_the_weights_are_the_last():
    model = FakeModel()
    stopper = EarlyStopping()
    fit([stopper], FALLING_THEN_RISING, model)
    assert model.weights[0][0] == 3
    assert stopper.best_weights is None


def test_an_instance_forgets_the_training_before():
    stopper = EarlyStopping(restore_best_weights=True)
    fit([stopper], [0.0, 1.0])
    model = FakeModel()
    fit([stopper], [5.0, 4.0, 3.0], model)
    assert stopper.best == 3.0
    assert stopper.stopped_epoch == 0
    assert model.weights[0][0] == 2


def test_a_training_that_was_stopped_and_killed_before_it_ended(capsys):
    killed = EarlyStopping(restore_best_weights=True, verbose=1)
    killed.set_model(FakeModel())
    killed.on_epoch_end(0, {"val_loss": 1.0})
    killed.on_epoch_end(1, {"val_loss": 2.0})
    resumed = EarlyStopping(restore_best_weights=True, verbose=1)
    # There is no epoch left to be run.
    fit([resumed], [1.0, 2.0], first_epoch=2, state=[killed.get_state()])
    assert (resumed.stopped_epoch, resumed.best_epoch) == (1, 0)
    assert capsys.readouterr().out.startswith("Epoch 2: early stopping")


def test_what_it_prints(capsys):
    fit([EarlyStopping(verbose=1, restore_best_weights=True)], [1.0, 2.0])
    assert capsys.readouterr().out == (
        "Epoch 2: early stopping\nRestoring the weights of the best epoch, 1\n"
    )


def test_a_model_ends_with_its_best_weights():
    x, y = np.linspace(-1, 1, 16)[:, None], np.linspace(-1, 1, 16)
    kept = []

    class Keep(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            kept.append(self.model.get_weights())

    model = Sequential([layers.Input((1,)), layers.Dense(1, kernel_initializer="zeros")])
    model.compile("sgd", "mse")
    history = model.fit(
        x,
        y,
        epochs=4,
        validation_data=(x, -y),  # what is learned makes these worse
        callbacks=[Keep(), EarlyStopping(patience=9, restore_best_weights=True)],
        verbose=0,
    )
    best = int(np.argmin(history.history["val_loss"]))
    assert len(history.epoch) == 4
    assert best == 0
    for weight, wanted in zip(model.get_weights(), kept[best], strict=True):
        np.testing.assert_array_equal(weight, wanted)


def test_nan_is_never_better():
    stopper = EarlyStopping(patience=3)
    fit([stopper], [math.nan, 2.0, math.nan, 3.0])
    assert (stopper.best, stopper.best_epoch) == (2.0, 1)


@pytest.mark.parametrize(
    ("monitor", "values", "best"),
    [
        ("val_loss", [2.0, 1.0, 3.0], 1),
        ("loss", [2.0, 1.0, 3.0], 1),
        ("val_words_loss", [2.0, 1.0, 3.0], 1),
        ("val_accuracy", [2.0, 1.0, 3.0], 2),
        ("accuracy_1", [2.0, 1.0, 3.0], 2),
        ("val_words_accuracy", [2.0, 1.0, 3.0], 2),
        ("val_mae", [2.0, 1.0, 3.0], 1),
    ],
)
def test_auto_asks_the_metric(monitor, values, best):
    model = FakeModel(metrics=[metrics.get("accuracy"), metrics.get("mae")])
    stopper = EarlyStopping(monitor, patience=5)
    fit([stopper], [{monitor: value} for value in values], model)
    assert stopper.best_epoch == best


def test_auto_asks_the_nearest_of_several_metrics():
    model = FakeModel(metrics=[metrics.get("mae"), metrics.BinaryAccuracy(name="words_mae")])
    for monitor, best in [("val_words_mae", 2), ("val_letters_mae", 1)]:
        stopper = EarlyStopping(monitor, patience=5)
        fit([stopper], [{monitor: value} for value in (2.0, 1.0, 3.0)], model)
        assert stopper.best_epoch == best


def test_every_metric_found_by_name_says_what_is_better():
    assert {name for name, make in _BY_NAME.items() if make().direction is None} == set()


def test_auto_that_cannot_be_told_is_an_error_after_the_first_epoch():
    class Words(metrics.Metric):
        reset_state = update_state = result = None

    model = FakeModel(metrics=[Words(name="words")])
    with pytest.raises(ValueError, match=r"'val_words'.*pass mode='min' or mode='max'"):
        fit([EarlyStopping("val_words")], [{"val_words": 1.0}], model)


def test_what_is_monitored_is_one_number():
    fit([EarlyStopping("recall", mode="max")], [{"recall": np.array(0.5)}])
    with pytest.raises(ValueError, match=r"'recall', which must be one number, .* shape \(2,\)"):
        fit([EarlyStopping("recall", mode="max")], [{"recall": np.array([0.5, 0.25])}])


@pytest.mark.parametrize(
    ("monitor", "logs", "hint"),
    [
        ("val_los", {"loss": 1.0, "val_loss": 1.0}, "did you mean 'val_loss'.*loss, val_loss"),
        ("val_loss", {"loss": 1.0}, "it needs validation_data or validation_split; there are loss"),
        ("loss", {"mae": 1.0}, "which is not in the logs; there are mae"),
    ],
)
@pytest.mark.parametrize("kind", [EarlyStopping, ReduceLROnPlateau])
def test_what_is_not_in_the_logs_is_warned_of_once(kind, monitor, logs, hint):
    with pytest.warns(UserWarning, match=f"{kind.__name__} monitors '{monitor}'.*{hint}") as heard:
        assert len(fit([kind(monitor)], [logs] * 4)) == 4
    assert len(heard) == 1


def rates(options, values):
    return [logs["learning_rate"] for logs in fit([ReduceLROnPlateau(**options)], values)]


def test_the_rate_is_lowered_on_a_plateau():
    flat = [1.0] * 7
    assert rates({"factor": 0.5, "patience": 2}, flat) == [1, 1, 1, 0.5, 0.5, 0.25, 0.25]
    options = {"factor": 0.5, "patience": 1, "cooldown": 2}
    assert rates(options, flat) == [1, 1, 0.5, 0.5, 0.25, 0.25, 0.125]
    assert rates({"factor": 0.5, "patience": 1, "min_lr": 0.3}, flat)[-4:] == [0.3] * 4
    assert rates({"factor": 0.5, "patience": 1}, [4.0, 3.0, 2.0, 1.0]) == [1] * 4
    assert rates({"factor": 0.5, "patience": 1}, [1.0, 1.0 - 5e-5, 1.0 - 9e-5]) == [1, 1, 0.5]


def test_a_callback_forgets_the_plateau_of_the_training_before():
    slower = ReduceLROnPlateau(factor=0.5, patience=2)
    fit([slower], [1.0, 1.0])
    assert [logs["learning_rate"] for logs in fit([slower], [2.0] * 4)] == [1, 1, 1, 0.5]


def test_what_it_prints_of_the_rate(capsys):
    rates({"factor": 0.5, "patience": 1, "min_lr": 0.5, "verbose": 1}, [1.0, 1.0, 1.0])
    wanted = "\nEpoch 2: ReduceLROnPlateau reducing learning rate to 0.5.\n"
    assert capsys.readouterr().out == wanted


def test_the_optimizer_of_a_model_is_slowed_down():
    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    slower = ReduceLROnPlateau("mae", factor=0.5, patience=1, min_delta=1e9)
    history = model.fit(np.ones((4, 1)), np.ones(4), epochs=3, callbacks=[slower], verbose=0)
    assert model.optimizer.learning_rate == 0.0025
    assert history.history["learning_rate"] == [0.01, 0.01, 0.005]


@pytest.mark.parametrize("kind", [EarlyStopping, ReduceLROnPlateau])
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"mode": "mini"}, ValueError, "mode must be 'auto', 'min' or 'max', got 'mini'.*'min'"),
        ({"min_delta": math.nan}, ValueError, "min_delta must be finite"),
        ({"min_delta": "0"}, TypeError, "min_delta must be a number"),
        ({"patience": -1}, ValueError, "patience must be at least 0"),
        ({"patiense": 1}, TypeError, "unexpected argument 'patiense'; did you mean 'patience'"),
        ({"whatever": 1}, TypeError, "unexpected argument 'whatever'$"),
    ],
)
def test_arguments_that_are_refused(kind, options, error, message):
    with pytest.raises(error, match=message):
        kind(**options)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"factor": 1.0}, ValueError, "factor must be below 1, got 1.0"),
        ({"factor": -0.1}, ValueError, "factor must be at least 0"),
        ({"cooldown": -1}, ValueError, "cooldown must be at least 0"),
        ({"min_lr": -1}, ValueError, "min_lr must be at least 0"),
    ],
)
def test_rates_that_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        ReduceLROnPlateau(**options)


def test_flags_and_baselines_that_are_refused():
    with pytest.raises(TypeError, match="restore_best_weights must be True or False, got 'yes'"):
        EarlyStopping(restore_best_weights="yes")
    with pytest.raises(ValueError, match="baseline must be finite"):
        EarlyStopping(baseline=math.inf)


def test_a_misspelt_attribute_is_an_error():
    stopper = EarlyStopping()
    stopper.patience = 3
    with pytest.raises(AttributeError, match="did you mean 'patience'"):
        stopper.patince = 3


def test_no_warning_where_all_is_well():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit([EarlyStopping(), ReduceLROnPlateau()], [1.0, 2.0])
