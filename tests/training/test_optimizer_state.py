"""The state of an optimizer: complete, saved by name, checked before it is taken over."""

import json

import numpy as np
import pytest

from rnnfast import optimizers
from rnnfast.optimizers import SGD, Adam, AdamW, RMSprop, schedules


def scheduled(cls, **options):
    return cls(schedules.ExponentialDecay(0.1, 3, 0.5), **options)


MAKES = {
    "sgd": lambda: SGD(0.1),
    "momentum": lambda: SGD(0.1, momentum=0.9),
    "rmsprop": lambda: RMSprop(0.01, momentum=0.9, centered=True),
    "amsgrad": lambda: Adam(0.01, amsgrad=True),
    "adamw": lambda: AdamW(0.01, 0.1, global_clipnorm=1.0),
    "accumulated": lambda: SGD(0.1, gradient_accumulation_steps=4),
    "accumulated adam": lambda: Adam(0.1, gradient_accumulation_steps=4, weight_decay=0.1),
    "scheduled": lambda: scheduled(Adam),
    "scheduled, accumulated": lambda: scheduled(SGD, gradient_accumulation_steps=2),
}
SHAPES = {"kernel": (3, 2), "bias": (2,)}
RNG = np.random.default_rng(1)
GRADS = [{name: RNG.normal(size=shape) for name, shape in SHAPES.items()} for _ in range(9)]


def start():
    return {name: np.ones(shape) for name, shape in SHAPES.items()}


def train(optimizer, w, grads):
    for grad in grads:
        optimizer.apply(grad, w)


def again(optimizer):
    """An equal optimizer, by way of JSON."""
    config = {"class_name": type(optimizer).__name__, "config": optimizer.get_config()}
    return optimizers.get(json.loads(json.dumps(config)))


@pytest.mark.parametrize("built", [False, True])
@pytest.mark.parametrize("stop", [0, 1, 5, 6])
@pytest.mark.parametrize("name", MAKES)
def test_training_resumed_ends_with_the_same_bits(name, stop, built):
    first, w = MAKES[name](), start()
    first.build(w)
    train(first, w, GRADS[:stop])
    state, halfway = first.get_state(), {name: array.copy() for name, array in w.items()}
    train(first, w, GRADS[stop:])

    second = again(MAKES[name]())
    if built:
        second.build(halfway)
    second.set_state(state)
    train(second, halfway, GRADS[stop:])
    for key, array in w.items():
        np.testing.assert_array_equal(halfway[key], array)
    assert second.iterations == first.iterations
    assert second.learning_rate == first.learning_rate
    for key, array in first.get_state().items():
        np.testing.assert_array_equal(second.get_state()[key], array)


def test_a_learning_rate_set_by_hand_and_exclusions_are_resumed():
    first, w = AdamW(0.1), start()
    first.exclude_from_weight_decay(var_names=["bias"])
    train(first, w, GRADS[:2])
    first.learning_rate = 0.03
    state, halfway = first.get_state(), {name: array.copy() for name, array in w.items()}
    train(first, w, GRADS[2:])
    second = AdamW(0.1)
    second.set_state(state)
    assert second.learning_rate == 0.03
    train(second, halfway, GRADS[2:])
    np.testing.assert_array_equal(halfway["bias"], w["bias"])
    np.testing.assert_array_equal(halfway["kernel"], w["kernel"])


def test_exclusions_hold_beside_a_state_that_knows_of_none():
    first, w = AdamW(0.1, 0.5), start()
    train(first, w, GRADS[:2])
    second, plain = AdamW(0.1, 0.5), Adam(0.1)
    state = first.get_state()
    second.exclude_from_weight_decay(var_names=["bias"])
    second.set_state(state)
    plain.set_state(state)
    other = {name: array.copy() for name, array in w.items()}
    train(second, w, GRADS[2:])
    train(plain, other, GRADS[2:])
    np.testing.assert_array_equal(w["bias"], other["bias"])
    assert (w["kernel"] != other["kernel"]).all()


def test_names_and_variables():
    optimizer = Adam(0.1, gradient_accumulation_steps=2)
    assert list(optimizer.get_state()) == ["iterations", "learning_rate"]
    train(optimizer, start(), GRADS[:3])
    kinds = ["gradient_accumulator", "momentum", "velocity"]
    state = optimizer.get_state()
    assert list(state) == [
        "iterations",
        "learning_rate",
        *(f"{index}/{kind}" for index in range(2) for kind in kinds),
    ]
    assert state["iterations"] == 3
    assert optimizer.iterations == 1
    for live, copy in zip(optimizer.variables, state.values(), strict=True):
        np.testing.assert_array_equal(live, copy)
        assert not np.shares_memory(live, copy)
    assert list(scheduled(SGD).get_state()) == ["iterations"]


def replaced(**arrays):
    return lambda state: {**state, **{name.replace("__", "/"): a for name, a in arrays.items()}}


def without(name):
    return lambda state: {key: array for key, array in state.items() if key != name}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (without("iterations"), ValueError, "state lacks 'iterations'"),
        (without("0/momentum"), ValueError, "state lacks '0/momentum'|for parameter 0"),
        (replaced(learning_rates=np.zeros(())), ValueError, "did you mean 'learning_rate'"),
        (replaced(**{"0__velocity": np.zeros((3, 2))}), ValueError, "has '0/velocity'"),
        (replaced(**{"3__momentum": np.zeros(2)}), ValueError, "3|2"),
        (replaced(**{"1__momentum": np.zeros(2, int)}), ValueError, r"state\['1/momentum'\]"),
        (replaced(iterations=np.array(1.5)), ValueError, r"state\['iterations'\] must be int64"),
        (replaced(iterations=np.array(-1)), ValueError, r"state\['iterations'\] must be at least"),
        (replaced(learning_rate=np.array(np.nan)), ValueError, "must be finite"),
        (replaced(weight_decay_mask=np.ones(3, bool)), ValueError, r"mask'\] must be bool of"),
        (lambda state: list(state.values()), TypeError, "must be a dict of arrays .* got a list"),
    ],
)
@pytest.mark.parametrize("built", [False, True])
def test_a_bad_state_is_refused_whole(change, error, message, built):
    saved, optimizer = SGD(0.1, momentum=0.9), SGD(0.2, momentum=0.9)
    train(saved, start(), GRADS[:2])
    if built:
        train(optimizer, start(), GRADS[2:5])
    before = optimizer.get_state()
    with pytest.raises(error, match=message):
        optimizer.set_state(change(saved.get_state()))
    assert optimizer.built == built
    after = optimizer.get_state()
    assert list(after) == list(before)
    for name, array in before.items():
        np.testing.assert_array_equal(after[name], array)


def test_a_state_of_other_parameters_is_refused():
    saved, optimizer = SGD(momentum=0.9), SGD(momentum=0.9)
    saved.build([np.ones(3), np.ones(2)])
    optimizer.build([np.ones(2), np.ones(2)])
    with pytest.raises(ValueError, match=r"state\['0/momentum'\] must be float64 of shape \(2,\)"):
        optimizer.set_state(saved.get_state())
    unbuilt = SGD(momentum=0.9)
    unbuilt.set_state(saved.get_state())
    with pytest.raises(ValueError, match=r"trainable_variables\[0\] was float64 of shape \(3,\)"):
        unbuilt.apply([np.ones(2)] * 2, [np.ones(2), np.ones(2)])
