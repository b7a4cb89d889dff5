"""Bidirectional: what it merges, its weights, its errors."""

import re

import numpy as np
import pytest

import rnnfast
from rnnfast import Sequential, initializers, layers

X = np.random.default_rng(0).standard_normal((3, 5, 4)).astype(np.float32)


def refused(error, message):
    return pytest.raises(error, match=f"^{re.escape(message)}")


@pytest.mark.parametrize("return_sequences", [False, True])
def test_it_is_the_bidirectional_function(return_sequences):
    layer = layers.Bidirectional(layers.LSTM(6, return_sequences=return_sequences))
    got = layer(X)
    parts = (layer.forward_layer, layer.backward_layer)
    weights = zip(*(part._weights()[:3] for part in parts), strict=True)
    out = rnnfast.lstm(X.swapaxes(0, 1), *map(list, weights), bidirectional=True)
    if return_sequences:
        np.testing.assert_array_equal(got, out.y.swapaxes(0, 1))
    else:
        np.testing.assert_array_equal(got, np.concatenate(list(out.h_n), axis=-1))
    assert got.shape == layer.compute_output_shape(X.shape)


def test_a_layer_that_goes_backwards_has_one_that_goes_forward_beside_it():
    layer = layers.Bidirectional(layers.GRU(6, go_backwards=True, return_sequences=True))
    plain = layers.Bidirectional(layers.GRU(6, return_sequences=True))
    y = layer(X)
    plain.build(X.shape)
    own = layer.get_weights()
    plain.set_weights([*own[3:], *own[:3]])
    swapped = np.concatenate([y[..., 6:], y[..., :6]], axis=-1)[:, ::-1]
    np.testing.assert_array_equal(plain(X), swapped)


def test_weights_belong_to_the_parts_and_are_saved(tmp_path):
    given = layers.SimpleRNN(6, name="inner")
    model = Sequential([layers.Input((5, 4)), layers.Bidirectional(given)])
    layer = model.layers[-1]
    assert not given.built
    assert layer.forward_layer.name == "forward_inner"
    assert layer.backward_layer.name == "backward_inner"
    assert layer.weight_names == [
        f"{side}_{name}"
        for side in ("forward", "backward")
        for name in ("kernel", "recurrent_kernel", "bias")
    ]
    assert layer.count_params() == 2 * (4 * 6 + 6 * 6 + 6)
    assert not np.array_equal(layer.get_weights()[0], layer.get_weights()[3])
    seeded = layers.SimpleRNN(6, kernel_initializer=initializers.GlorotUniform(seed=1))
    twice = layers.Bidirectional(seeded)
    twice.build(X.shape)
    np.testing.assert_array_equal(twice.get_weights()[0], twice.get_weights()[3])
    path = tmp_path / "model.weights.safetensors"
    model.save_weights(path)
    want = model.predict(X, verbose=0)
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    assert not model.predict(X, verbose=0).any()
    model.load_weights(path)
    np.testing.assert_array_equal(model.predict(X, verbose=0), want)


def test_refused():
    lstm = layers.LSTM(4)
    with refused(TypeError, "layer must be a SimpleRNN, LSTM, GRU or RNN, got Dense"):
        layers.Bidirectional(layers.Dense(4))
    with refused(ValueError, "merge_mode must be one of concat, sum, mul, ave, None, got 'max'"):
        layers.Bidirectional(lstm, "max")
    with refused(ValueError, "backward_layer must have go_backwards=True, the opposite"):
        layers.Bidirectional(lstm, backward_layer=layers.LSTM(4))
    with refused(ValueError, "backward_layer must have return_sequences=False like layer"):
        other = layers.LSTM(4, go_backwards=True, return_sequences=True)
        layers.Bidirectional(lstm, backward_layer=other)
    with refused(ValueError, "backward_layer must have dtype float32 like layer, got float64"):
        other = layers.LSTM(4, go_backwards=True, dtype="float64")
        layers.Bidirectional(lstm, backward_layer=other)
    with refused(TypeError, "backward_layer must be a SimpleRNN, LSTM, GRU or RNN, got int"):
        layers.Bidirectional(lstm, backward_layer=3)
    with refused(ValueError, "the input of layer 'forward_lstm"):
        layers.Bidirectional(layers.LSTM(4, name="lstm_x"))(np.zeros((3, 4), np.float32))
