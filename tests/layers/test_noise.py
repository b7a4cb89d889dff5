"""Noise of recurrent layers: the kernels' own, under a seed for each batch, in training alone."""

import numpy as np
import pytest

import rnnfast
from rnnfast import Sequential, layers
from rnnfast.utils.random_seed import make_generator

SEED = 3
NOISE = {"recurrent_dropout": 0.4, "weight_dropout": 0.2, "zoneout": 0.3}

every_layer = pytest.mark.parametrize(
    "kind", [layers.SimpleRNN, layers.LSTM, layers.GRU], ids=lambda kind: kind.__name__
)
X = np.random.default_rng(0).standard_normal((3, 5, 4))


def built(kind, **options):
    layer = kind(6, dtype="float64", return_sequences=True, **options)
    layer.build(X.shape)
    return layer


def functional(layer, **options):
    """Return y of the function that the layer stands for."""
    w_ih, w_hh, b_ih, b_hh = layer._weights()
    name = {"SimpleRNN": "rnn", "LSTM": "lstm", "GRU": "gru"}[type(layer).__name__]
    x = X.transpose(1, 0, 2)
    return getattr(rnnfast, name)(x, w_ih, w_hh, b_ih, b_hh, **options).y.transpose(1, 0, 2)


@every_layer
@pytest.mark.parametrize("name", NOISE)
def test_training_is_the_function_under_a_seed(kind, name):
    options = {name: NOISE[name]}
    layer = built(kind, seed=SEED, **options)
    seeds = make_generator(SEED)
    for _ in range(2):
        y, pullback = layer.vjp(X, wrt_input=True)
        want = functional(layer, **options, seed=int(seeds.integers(2**63)))
        np.testing.assert_array_equal(y, want)
        dx, _ = pullback(np.ones_like(y))
        assert dx.shape == X.shape


@every_layer
def test_inference_knows_of_zoneout_alone(kind):
    plain = built(kind)
    layer = built(kind, **NOISE, seed=SEED)
    layer.set_weights(plain.get_weights())
    np.testing.assert_array_equal(layer(X), functional(plain, zoneout=0.3))
    without = {name: rate for name, rate in NOISE.items() if name != "zoneout"}
    layer = built(kind, **without, seed=SEED)
    layer.set_weights(plain.get_weights())
    np.testing.assert_array_equal(layer(X), plain(X))


@every_layer
def test_prepacked_layers_zone_out(kind):
    layer = built(kind, zoneout=0.3)
    y = layer.prepack()(X.transpose(1, 0, 2)).y
    np.testing.assert_array_equal(y.transpose(1, 0, 2), layer(X))


def test_the_same_seed_trains_the_same_model():
    def train():
        rnnfast.utils.set_random_seed(4)
        model = Sequential([layers.Input((5, 4)), layers.LSTM(6, **NOISE), layers.Dense(1)])
        model.compile(optimizer="adam", loss="mse")
        model.fit(np.repeat(X, 4, axis=0), np.ones((12, 1)), epochs=3, batch_size=4, verbose=0)
        return model.get_weights()

    for first, second in zip(train(), train(), strict=True):
        np.testing.assert_array_equal(first, second)


@every_layer
@pytest.mark.parametrize("name", NOISE)
@pytest.mark.parametrize(
    ("value", "error"), [(-0.1, ValueError), (1.0, ValueError), ("a", TypeError)]
)
def test_bad_rates(kind, name, value, error):
    with pytest.raises(error, match=f"{name} must be"):
        kind(6, **{name: value})


def test_each_state_has_its_zoneout():
    assert built(layers.LSTM, zoneout=(0.1, 0.4))(X).shape == (3, 5, 6)
    with pytest.raises(ValueError, match="zoneout must be a number, got"):
        layers.GRU(6, zoneout=(0.1, 0.4))
