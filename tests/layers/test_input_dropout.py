"""Dropout of a recurrent layer's inputs: one mask a sequence, in training alone."""

import numpy as np
import pytest

from rnnfast import layers
from rnnfast.layers.dropout import draw_mask
from rnnfast.utils.random_seed import make_generator

RATE, SEED = 0.4, 3

every_layer = pytest.mark.parametrize(
    "kind", [layers.SimpleRNN, layers.LSTM, layers.GRU], ids=lambda kind: kind.__name__
)
every_rate = pytest.mark.parametrize("rate", [RATE, 1.0])


def draw(shape=(3, 5, 4)):
    return np.random.default_rng(0).standard_normal(shape)


def twins(kind, x, rate, **options):
    """Return a layer with dropout, the plain one with its weights, and the mask it will draw."""
    layer = kind(6, dropout=rate, seed=SEED, dtype="float64", **options)
    plain = kind(6, dtype="float64", **options)
    layer.build(x.shape)
    plain.build(x.shape)
    plain.set_weights(layer.get_weights())
    batch, _, features = x.shape
    mask = draw_mask(make_generator(SEED), rate, (1, batch, features), np.dtype("float64"))
    return layer, plain, mask.swapaxes(0, 1)


@every_layer
@every_rate
@pytest.mark.parametrize("return_sequences", [False, True])
def test_training_sees_masked_inputs(kind, rate, return_sequences):
    x = draw()
    layer, plain, mask = twins(kind, x, rate, return_sequences=return_sequences)
    y, pullback = layer.vjp(x, wrt_input=True)
    wanted, plain_pullback = plain.vjp(x * mask, wrt_input=True)
    np.testing.assert_allclose(y, wanted, rtol=1e-14)
    dx, gradients = pullback(np.cos(y))
    wanted_dx, wanted_gradients = plain_pullback(np.cos(y))
    np.testing.assert_allclose(dx, wanted_dx * mask, rtol=1e-12)
    for g, w in zip(gradients, wanted_gradients, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-12, atol=1e-15)


@every_layer
def test_inference_sees_all_inputs(kind):
    x = draw()
    layer, plain, _ = twins(kind, x, RATE)
    np.testing.assert_array_equal(layer(x), plain(x))


@every_layer
def test_each_batch_draws_anew(kind):
    layer = kind(6, dropout=RATE, seed=SEED)
    x = np.ones((8, 5, 4), np.float32)
    layer.build(x.shape)
    first, second = (layer.vjp(x, wrt_input=False)[0] for _ in range(2))
    assert (first != second).any()


def test_directions_draw_masks_of_their_own():
    x = np.ones((8, 1, 40), np.float32)
    layer = layers.Bidirectional(layers.SimpleRNN(6, dropout=RATE, seed=SEED))
    layer.build(x.shape)
    again = layers.Bidirectional(layers.SimpleRNN(6, dropout=RATE, seed=SEED))
    again.build(x.shape)
    again.set_weights(layer.get_weights())
    y = layer.vjp(x, wrt_input=False)[0]
    np.testing.assert_array_equal(again.vjp(x, wrt_input=False)[0], y)
    again.set_weights([*layer.get_weights()[:3], *layer.get_weights()[:3]])
    same_weights = again.vjp(x, wrt_input=False)[0]
    assert (same_weights[:, :6] != same_weights[:, 6:]).any()


@every_layer
@pytest.mark.parametrize(
    ("rate", "error"), [(-0.1, ValueError), (1.1, ValueError), ("a", TypeError)]
)
def test_bad_rates(kind, rate, error):
    with pytest.raises(error, match="dropout must be"):
        kind(6, dropout=rate)
