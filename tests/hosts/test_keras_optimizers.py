"""Weight decay, schedules and gradient accumulation beside those of Keras 3, in float64."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import pytest
import torch

from rnnfast import optimizers

# Keras 3.15.1 with NumPy 2 and the torch backend.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.usefixtures("keras_in_float64"),
]

SHAPES = {"kernel": (3, 4), "bias": (4,)}
STEPS = 20

# Keras keeps some numbers in float32 for all that: rates and powers of the betas.
CLOSE = {"rtol": 1e-6, "atol": 1e-9}


def steps_of_both(ours, theirs):
    """The parameters after each of 20 steps, and the rates before: ours, Keras's."""
    rng = np.random.default_rng(11)
    w = {name: rng.normal(size=shape) for name, shape in SHAPES.items()}
    variables = [keras.Variable(array, name=name) for name, array in w.items()]
    for step in range(STEPS):
        assert ours.learning_rate == pytest.approx(float(theirs.learning_rate), rel=1e-6, abs=1e-9)
        grads = {name: rng.normal(size=shape) * 0.8**step for name, shape in SHAPES.items()}
        ours.apply(grads, w)
        theirs.apply([torch.tensor(grad) for grad in grads.values()], variables)
        yield w, [keras.ops.convert_to_numpy(variable) for variable in variables]
        assert ours.iterations == int(theirs.iterations)


def both(name, build):
    """An optimizer of ours and of Keras, from one function of the module they are in."""
    return build(getattr(optimizers, name), optimizers), build(
        getattr(keras.optimizers, name), keras.optimizers
    )


def agree(ours, theirs):
    for w, variables in steps_of_both(ours, theirs):
        for array, variable in zip(w.values(), variables, strict=True):
            np.testing.assert_allclose(array, variable, **CLOSE)


NAMES = ["SGD", "RMSprop", "Adam", "AdamW"]
OPTIONS = [
    {},
    {"weight_decay": 0.3},
    {"weight_decay": 0.0, "gradient_accumulation_steps": 3},
    {"weight_decay": 0.3, "global_clipnorm": 0.5, "gradient_accumulation_steps": 4},
    {"clipnorm": 0.3, "gradient_accumulation_steps": 2},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_decay_and_accumulation(name, options):
    agree(*both(name, lambda cls, _: cls(learning_rate=0.05, **options)))


@pytest.mark.parametrize("excluded", [["bias"], ["kern", "gamma"], ["b.as"]])
def test_exclusion_by_name(excluded):
    ours, theirs = both("AdamW", lambda cls, _: cls(0.05, weight_decay=0.5))
    for optimizer in (ours, theirs):
        optimizer.exclude_from_weight_decay(var_names=excluded)
    agree(ours, theirs)


SCHEDULES = [
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 4, "decay_rate": 0.7}),
    (
        "ExponentialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 4, "decay_rate": 0.7, "staircase": True},
    ),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 12, "alpha": 0.1}),
    (
        "CosineDecay",
        {
            "initial_learning_rate": 0.01,
            "decay_steps": 9,
            "warmup_target": 0.2,
            "warmup_steps": 5,
        },
    ),
    ("CosineDecay", {"initial_learning_rate": 0.01, "decay_steps": 9, "warmup_target": 0.2}),
    ("PiecewiseConstantDecay", {"boundaries": [3, 8], "values": [0.2, 0.1, 0.01]}),
]


@pytest.mark.parametrize(("name", "config"), SCHEDULES)
def test_schedule(name, config):
    ours = getattr(optimizers.schedules, name)(**config)
    theirs = getattr(keras.optimizers.schedules, name)(**config)
    assert ours.get_config() == theirs.get_config()
    for step in range(25):
        assert ours(step) == pytest.approx(float(theirs(step)), rel=1e-6, abs=1e-9)
    again = optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(theirs))
    assert again.get_config() == ours.get_config()


@pytest.mark.parametrize("options", [{}, {"gradient_accumulation_steps": 3, "weight_decay": 0.2}])
@pytest.mark.parametrize(("schedule", "config"), SCHEDULES)
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_scheduled_steps(name, schedule, config, options):
    def build(cls, package):
        return cls(getattr(package.schedules, schedule)(**config), **options)

    agree(*both(name, build))


def test_a_number_in_place_of_a_schedule_is_refused_by_both():
    def build(cls, package):
        return cls(package.schedules.ExponentialDecay(0.1, 4, 0.7))

    for optimizer in both("SGD", build):
        with pytest.raises(TypeError):
            optimizer.learning_rate = 0.1
    for optimizer in both("SGD", lambda cls, _: cls(0.1)):
        package = optimizers if isinstance(optimizer, optimizers.SGD) else keras.optimizers
        optimizer.learning_rate = package.schedules.ExponentialDecay(0.3, 4, 0.7)
        assert float(optimizer.learning_rate) == pytest.approx(0.3)


def test_a_keras_schedule_is_told_where_ours_are():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 4, 0.7)
    with pytest.raises(TypeError, match=r"LearningRateSchedule of rnnfast\.optimizers\.schedules"):
        optimizers.SGD(schedule)
