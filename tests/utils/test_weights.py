"""Weights from elsewhere: TensorFlow 1's one kernel against its equations, torch's first values."""

import math

import numpy as np
import pytest

import rnnfast
from rnnfast import Sequential, layers
from rnnfast.utils import basic_lstm_weights, initial_weights, set_random_seed


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def basic_lstm_cell(x, c, h, kernel, bias, forget_bias):
    """`BasicLSTMCell.call` of TensorFlow 1.15, line by line."""
    gate_inputs = np.concatenate([x, h], axis=1) @ kernel + bias
    i, j, f, o = np.split(gate_inputs, 4, axis=1)
    new_c = c * sigmoid(f + forget_bias) + sigmoid(i) * np.tanh(j)
    return new_c, np.tanh(new_c) * sigmoid(o)


@pytest.mark.parametrize("forget_bias", [0.0, 1.0, -0.5])
@pytest.mark.parametrize("sizes", [(3, 5), (1, 4), (4, 1)])
def test_a_basic_lstm_cell_runs_here(forget_bias, sizes):
    inputs, units = sizes
    rng = np.random.default_rng(1)
    x = rng.standard_normal((6, 2, inputs))
    kernel = rng.standard_normal((inputs + units, 4 * units))
    bias = rng.standard_normal(4 * units)
    before = kernel.copy(), bias.copy()
    weights = basic_lstm_weights(kernel, bias, forget_bias)

    c = h = np.zeros((2, units))
    wanted = []
    for step in x:
        c, h = basic_lstm_cell(
            step, c, h, kernel, bias, 1.0 if forget_bias is None else forget_bias
        )
        wanted.append(h)
    y, h_n, c_n = rnnfast.lstm(x, **weights)
    np.testing.assert_allclose(y, wanted, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(c_n, c, rtol=1e-12, atol=1e-14)
    for given, copy in zip((kernel, bias), before, strict=True):
        np.testing.assert_array_equal(given, copy)

    model = Sequential([layers.Input((6, inputs)), layers.LSTM(units, dtype="float64")])
    model.layers[-1].set_weights([weights["w_ih"].T, weights["w_hh"].T, weights["b_ih"]])
    np.testing.assert_allclose(
        model.predict(x.transpose(1, 0, 2), verbose=0), h_n, rtol=1e-12, atol=1e-14
    )


@pytest.mark.parametrize(
    ("kernel", "bias", "options", "error", "message"),
    [
        ((8, 20), (20,), {}, None, None),
        ((5, 20), (20,), {}, ValueError, r"kernel must be \(I\+H, 4\*H\).* got \(5, 20\)"),
        ((8, 18), (18,), {}, ValueError, r"got \(8, 18\)"),
        ((8,), (20,), {}, ValueError, r"got \(8,\)"),
        ((8, 0), (0,), {}, ValueError, r"got \(8, 0\)"),
        ((8, 20), (5,), {}, ValueError, r"bias must be \(4\*H,\) = \(20,\), got \(5,\)"),
        ((8, 20), (20,), {"forget_bias": "1"}, TypeError, "forget_bias must be a number"),
    ],
)
def test_kernels_that_no_such_cell_has(kernel, bias, options, error, message):
    arguments = np.ones(kernel), np.ones(bias)
    if error is None:
        weights = basic_lstm_weights(*arguments)
        assert weights["w_ih"].shape == (20, 3)
        np.testing.assert_array_equal(weights["b_ih"], np.repeat([1.0, 2.0, 1.0, 1.0], 5))
        return
    with pytest.raises(error, match=message):
        basic_lstm_weights(*arguments, **options)


def test_weights_of_two_dtypes_are_refused():
    with pytest.raises(TypeError, match="bias must be float32 like kernel"):
        basic_lstm_weights(np.ones((8, 20), np.float32), np.ones(20))


CELLS = {"rnn": 1, "lstm": 4, "gru": 3, "mgu": 2, "light_gru": 2}


@pytest.mark.parametrize(("cell", "gates"), CELLS.items())
def test_first_values_fit_their_cell_and_fill_their_range(cell, gates):
    inputs, units = 7, 64
    weights = initial_weights(cell, inputs, units, seed=3)
    shapes = {name: value.shape for name, value in weights.items()}
    rows = gates * units
    assert shapes == {
        "w_ih": (rows, inputs),
        "w_hh": (rows, units),
        "b_ih": (rows,),
        "b_hh": (rows,),
    }
    bound = 1 / math.sqrt(units)
    for value in weights.values():
        assert value.dtype == np.float32
        assert 0.9 * bound < np.abs(value).max() <= bound
        # Five standard deviations of the mean of so many draws.
        assert abs(value.mean()) < 5 * bound / math.sqrt(3 * value.size)
        assert value.std() == pytest.approx(bound / math.sqrt(3), rel=0.2)
    x = np.ones((2, 3, inputs), np.float32)
    assert getattr(rnnfast, cell)(x, **weights)[0].shape == (2, 3, units)


def test_seeds_of_first_values():
    first = initial_weights("gru", 3, 4, seed=1)
    assert not np.array_equal(first["b_ih"], first["b_hh"])
    again = initial_weights("gru", 3, 4, dtype=np.float64, seed=1)
    for name, value in again.items():
        assert value.dtype == np.float64
        np.testing.assert_array_equal(first[name], value.astype(np.float32))
    set_random_seed(5)
    drawn = initial_weights("gru", 3, 4)
    assert not np.array_equal(drawn["w_hh"], initial_weights("gru", 3, 4)["w_hh"])
    set_random_seed(5)
    np.testing.assert_array_equal(drawn["w_hh"], initial_weights("gru", 3, 4)["w_hh"])


def test_two_layers_as_the_docstring_says():
    first, second = initial_weights("lstm", 3, 4, seed=0), initial_weights("lstm", 4, 4, seed=1)
    x = np.ones((2, 5, 3), np.float32)
    both = rnnfast.lstm(x, **{name: [first[name], second[name]] for name in first})
    one_by_one = rnnfast.lstm(rnnfast.lstm(x, **first).y, **second)
    np.testing.assert_array_equal(both.y, one_by_one.y)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (("LSTM", 3, 4), {}, ValueError, "cell must be one of 'rnn', .* got 'LSTM'"),
        (("lsmt", 3, 4), {}, ValueError, "did you mean 'lstm'"),
        (("lstm", 0, 4), {}, ValueError, "input_size must be a positive integer, got 0"),
        (("lstm", 3, 4.0), {}, ValueError, "hidden_size must be a positive integer, got 4.0"),
        (("lstm", 3, 4), {"dtype": "int32"}, ValueError, "dtype must be float32 or float64"),
        (("lstm", 3, 4), {"seed": 0.5}, TypeError, "seed must be an integer"),
    ],
)
def test_weights_that_cannot_be_drawn(arguments, options, error, message):
    with pytest.raises(error, match=message):
        initial_weights(*arguments, **options)
