"""What travels beside numbers: parts of a pickled cell, states of a stream, lists of weights."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from random_calls import DAMAGES, in_part, odd_values, problems, seeds
from rnnfast import Sequential, layers
from rnnfast.testing.bits import digest
from rnnfast.testing.options import OPTIONS

OF_CELLS = tuple(option for option in OPTIONS if option.belongs_to == "cell")
damages = st.sampled_from(DAMAGES)


def harmed(value: Any, damage) -> Any:
    try:
        return damage.of(value)
    except (ValueError, IndexError, AttributeError, np.exceptions.AxisError):
        return None


def arrays(state: Any) -> tuple:
    return state if isinstance(state, tuple) else (state,)


@in_part
@given(problem=problems(OF_CELLS), seed=seeds)
def test_a_cell_survives_pickling(problem, seed):
    rng = np.random.default_rng(seed)
    arguments, options = problem.arguments(rng), problem.call(rng)
    cell = problem.cell.prepack(arguments, **options)
    for twin in (pickle.loads(pickle.dumps(cell)), copy.deepcopy(cell)):
        assert digest(twin(arguments["x"])) == digest(cell(arguments["x"]))


@in_part
@given(
    data=st.data(),
    problem=problems(OF_CELLS),
    seed=seeds,
    changes=st.dictionaries(st.integers(0, 15), damages | odd_values, min_size=1, max_size=3),
)
def test_a_pickle_of_other_parts_is_refused_or_makes_a_cell(data, problem, seed, changes):
    rng = np.random.default_rng(seed)
    arguments, options = problem.arguments(rng), problem.call(rng)
    make, weights = problem.cell.prepack(arguments, **options).__reduce__()
    places: list[Any] = [*range(len(weights)), *make.keywords]
    parts = {**dict(enumerate(weights)), **make.keywords}
    for number, change in changes.items():
        place = places[number % len(places)]
        parts[place] = harmed(parts[place], change) if hasattr(change, "of") else change
    keywords = {name: parts[name] for name in make.keywords}
    try:
        cell = make.func(*make.args, *(parts[i] for i in range(len(weights))), **keywords)
    except (ValueError, TypeError, MemoryError) as error:
        assert str(error)
        return
    x = np.ones((2, 3, cell.input_size), cell.dtype)
    assert cell(x).y.shape[:2] == (2, 3)


@in_part
@given(data=st.data(), problem=problems(OF_CELLS), seed=seeds, rows=st.integers(0, 5))
def test_states_of_a_stream(data, problem, seed, rows):
    rng = np.random.default_rng(seed)
    arguments = problem.arguments(rng)
    cell = problem.cell.prepack(arguments)
    x_t = rng.standard_normal((rows, problem.I)).astype(problem.dtype)
    good = cell.step(x_t)
    state: Any = tuple(
        harmed(part, data.draw(damages)) if data.draw(st.booleans()) else part
        for part in arrays(good)
    )
    if data.draw(st.booleans()):
        state = data.draw(odd_values)
    elif data.draw(st.booleans()) or not isinstance(good, tuple):
        state = state[0]
    row = harmed(x_t, data.draw(damages)) if data.draw(st.booleans()) else x_t
    try:
        after = cell.step(row, state)
    except (ValueError, TypeError, MemoryError) as error:
        assert str(error)
    else:
        assert [a.dtype for a in arrays(after)] == [problem.dtype] * len(arrays(good))
    assert digest(arrays(cell.step(x_t))) == digest(arrays(good))


@in_part
@given(
    data=st.data(),
    changes=st.dictionaries(st.integers(0, 4), damages | odd_values, max_size=3),
    drop=st.booleans(),
)
def test_other_weights_of_a_model_are_refused_or_taken_whole(data, changes, drop):
    model = Sequential([layers.Input((None, 3)), layers.GRU(4), layers.Dense(2)])
    before = model.get_weights()
    weights: list[Any] = list(before)
    for number, change in changes.items():
        place = number % len(weights)
        weights[place] = harmed(weights[place], change) if hasattr(change, "of") else change
    if drop:
        del weights[data.draw(st.integers(0, len(weights) - 1))]
    try:
        with np.errstate(over="ignore"):
            model.set_weights(weights)
    except (ValueError, TypeError, MemoryError) as error:
        assert str(error)
        return
    assert [a.shape for a in model.get_weights()] == [a.shape for a in before]
    assert model(np.ones((1, 2, 3), np.float32)).shape == (1, 2)


@pytest.mark.parametrize("damage", DAMAGES, ids=repr)
def test_every_damage_does_something(damage):
    whole = np.ones((2, 3, 4), np.float32)
    assert damage.of(whole) is not whole
