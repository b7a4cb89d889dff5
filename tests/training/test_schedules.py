"""Learning rate schedules: rates worked by hand, inside an optimizer, what is refused."""

import json

import numpy as np
import pytest

from rnnfast.optimizers import SGD, Adam, schedules
from rnnfast.optimizers.schedules import (
    CosineDecay,
    ExponentialDecay,
    LearningRateSchedule,
    PiecewiseConstantDecay,
)


def test_exponential_decay_by_hand():
    smooth = ExponentialDecay(0.8, 4, 0.25)
    assert [smooth(step) for step in (0, 2, 4)] == pytest.approx([0.8, 0.4, 0.2])
    stairs = ExponentialDecay(0.8, 4, 0.25, staircase=True)
    assert [stairs(step) for step in (0, 3, 4, 7, 8)] == pytest.approx([0.8, 0.8, 0.2, 0.2, 0.05])


def test_cosine_decay_by_hand():
    plain = CosineDecay(0.8, 4, alpha=0.5)
    assert [plain(step) for step in (0, 2, 4, 9)] == pytest.approx([0.8, 0.6, 0.4, 0.4])
    warm = CosineDecay(0.2, 4, warmup_target=1.0, warmup_steps=2)
    rates = [0.2, 0.6, 1.0, 0.5, 0.0, 0.0]
    assert [warm(step) for step in (0, 1, 2, 4, 6, 7)] == pytest.approx(rates, abs=1e-15)


def test_piecewise_constant_decay_by_hand():
    rate = PiecewiseConstantDecay([2, 5], [1.0, 0.5, 0.1])
    assert [rate(step) for step in range(7)] == [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.1]
    assert PiecewiseConstantDecay([], [0.3])(7) == 0.3


def test_an_optimizer_takes_the_rate_of_each_step():
    optimizer, w = SGD(PiecewiseConstantDecay([0, 1], [1.0, 0.5, 0.25])), np.zeros(1)
    seen = []
    for _ in range(4):
        rate = optimizer.learning_rate
        before = w.copy()
        optimizer.apply([np.ones(1)], [w])
        seen.append(rate)
        assert w == before - rate
    assert seen == [1.0, 0.5, 0.25, 0.25]


def test_the_rate_of_an_accumulated_step_is_that_of_its_last_call():
    schedule = PiecewiseConstantDecay([0, 1, 2], [1.0, 0.5, 0.25, 0.125])
    optimizer, w = SGD(schedule, gradient_accumulation_steps=2), np.zeros(1)
    for _ in range(4):
        optimizer.apply([np.ones(1)], [w])
    assert w == -0.5 - 0.125


def test_a_number_is_not_set_in_place_of_a_schedule():
    optimizer = SGD(0.5)
    optimizer.learning_rate = CosineDecay(0.1, 10)
    assert optimizer.learning_rate == 0.1
    with pytest.raises(TypeError, match=r"is a schedule, CosineDecay, and not to be set to 0\.2"):
        optimizer.learning_rate = 0.2
    optimizer.learning_rate = ExponentialDecay(0.3, 10, 0.9)
    assert optimizer.learning_rate == 0.3


@pytest.mark.parametrize(
    "schedule",
    [
        ExponentialDecay(0.1, 5, 0.5, staircase=True),
        CosineDecay(0.0, 5, 0.1, warmup_target=0.2, warmup_steps=3),
        PiecewiseConstantDecay((2, 4), (0.3, 0.2, 0.1)),
    ],
)
def test_a_schedule_is_saved_within_its_optimizer(schedule):
    config = json.loads(json.dumps(Adam(schedule).get_config()))
    assert config["learning_rate"]["class_name"] == type(schedule).__name__
    again = Adam.from_config(config)
    assert again.get_config() == Adam(schedule, name=again.name).get_config()
    alone = type(schedule).from_config(schedule.get_config())
    rates = [schedule(step) for step in range(9)]
    assert [alone(step) for step in range(9)] == rates
    for rate in rates:
        assert again.learning_rate == rate
        again.apply([np.ones(1)], [np.ones(1)])


class Halving(LearningRateSchedule):
    def __call__(self, step):
        return 1.0 if step < 0 else 1.5 - step


def test_a_schedule_of_ones_own():
    optimizer, w = SGD(Halving()), np.zeros(1)
    optimizer.apply([np.ones(1)], [w])
    assert optimizer.learning_rate == 0.5
    with pytest.raises(NotImplementedError, match=r"Halving must define get_config\(\)"):
        optimizer.get_config()
    optimizer.apply([np.ones(1)], [w])
    with pytest.raises(ValueError, match=r"the rate of Halving must be at least 0, got -0\.5"):
        optimizer.apply([np.ones(1)], [w])
    assert w == -2.0
    assert optimizer.iterations == 2


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ExponentialDecay(0.1, 0, 0.5), ValueError, "decay_steps must be above 0"),
        (lambda: ExponentialDecay(-0.1, 5, 0.5), ValueError, "initial_learning_rate"),
        (lambda: ExponentialDecay(0.1, 5, "half"), TypeError, "decay_rate must be a number"),
        (lambda: CosineDecay(0.1, -1), ValueError, "decay_steps must be above 0"),
        (lambda: CosineDecay(0.1, 5, warmup_steps=3), ValueError, "needs a warmup_target"),
        (lambda: CosineDecay(0.1, 5, warmup_target=-1.0), ValueError, "warmup_target"),
        (lambda: PiecewiseConstantDecay([1, 2], [0.1, 0.2]), ValueError, "one more than the 2"),
        (lambda: PiecewiseConstantDecay([2, 1], [1, 2, 3]), ValueError, "increasing whole"),
        (lambda: PiecewiseConstantDecay([0.5], [1, 2]), ValueError, "increasing whole"),
        (lambda: PiecewiseConstantDecay([1], [0.1, "x"]), TypeError, r"values\[1\]"),
        (
            lambda: SGD({"class_name": "CosinDecay", "config": {}}),
            ValueError,
            "'CosinDecay'; did you mean 'CosineDecay'.* known are CosineDecay, Exp",
        ),
        (lambda: schedules.deserialize({}), TypeError, "class_name"),
        (lambda: LearningRateSchedule(), TypeError, "abstract"),
    ],
)
def test_bad_argument_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_misspelt_attribute_is_refused():
    with pytest.raises(AttributeError, match="did you mean 'decay_rate'"):
        ExponentialDecay(0.1, 5, 0.5).decay_rates = 0.3
