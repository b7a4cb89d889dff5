"""A learning rate for each epoch."""

import math

import numpy as np
import pytest

from fake_fit import FakeModel, fit
from rnnfast import Sequential, layers, optimizers
from rnnfast.callbacks import LearningRateScheduler, ReduceLROnPlateau


def rates(schedule, epochs=3, **options):
    heard = fit([LearningRateScheduler(schedule, **options)], [1.0] * epochs)
    return [logs["learning_rate"] for logs in heard]


def test_functions_of_the_epoch_and_the_rate_or_of_the_epoch():
    assert rates(lambda epoch, rate: rate * 0.5) == [0.5, 0.25, 0.125]
    assert rates(lambda epoch: 2.0**-epoch) == [1, 0.5, 0.25]
    assert rates(lambda *places: float(len(places))) == [2, 2, 2]
    assert rates(max) == [1, 1, 2]  # of a built-in function Python may not know the arguments


def test_it_is_in_force_while_the_epoch_runs():
    seen = []

    class Schedule:
        def __call__(self, epoch, rate):
            seen.append(rate)
            return 0.1 / (epoch + 1)

    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    scheduler = LearningRateScheduler(Schedule())
    history = model.fit(np.ones((4, 1)), np.ones(4), epochs=2, callbacks=scheduler, verbose=0)
    assert seen == [0.01, 0.1]
    assert history.history["learning_rate"] == [0.1, 0.05]
    assert model.optimizer.learning_rate == 0.05


def test_what_it_prints(capsys):
    rates(lambda epoch: 0.5, epochs=1, verbose=1)
    wanted = "\nEpoch 1: LearningRateScheduler setting learning rate to 0.5.\n"
    assert capsys.readouterr().out == wanted


@pytest.mark.parametrize(
    ("result", "error", "message"),
    [
        (None, TypeError, "the result of schedule must be a number, got None"),
        (math.nan, ValueError, "the result of schedule must be finite"),
        (-1.0, ValueError, "the result of schedule must be at least 0, got -1.0"),
    ],
)
def test_results_that_are_no_rate(result, error, message):
    with pytest.raises(error, match=message):
        rates(lambda epoch: result)


def test_an_error_inside_the_function_is_shown_as_it_is():
    def schedule(epoch, rate):
        return rate * "0.5" * 0.5

    with pytest.raises(TypeError, match="multiply"):
        rates(schedule)


@pytest.mark.parametrize(
    ("schedule", "message"),
    [(0.1, "got 0.1"), (lambda: 0.1, r"got \(\)"), (lambda a, b, c: 0.1, r"got \(a, b, c\)")],
)
def test_what_is_no_function_of_the_epoch_is_refused(schedule, message):
    with pytest.raises(TypeError, match=rf"schedule must .*, {message}"):
        LearningRateScheduler(schedule)


@pytest.mark.parametrize(
    "callback", [LearningRateScheduler(lambda epoch: 0.1), ReduceLROnPlateau()]
)
def test_an_optimizer_that_has_a_schedule_is_refused_before_the_first_epoch(callback):
    model = FakeModel(optimizers.SGD(optimizers.schedules.ExponentialDecay(0.1, 9, 0.5)))
    name = type(callback).__name__
    with pytest.raises(TypeError, match=f"{name} sets the learning_rate.* is a schedule"):
        fit([callback], [1.0], model)
