"""Layers that reshape, repeat, average and normalize: shapes, masks, what is refused."""

import re

import numpy as np
import pytest

from rnnfast import Sequential, layers, optimizers

X = np.random.default_rng(0).standard_normal((2, 4, 3)).astype(np.float32)


def refused(message, error=ValueError):
    return pytest.raises(error, match=re.escape(message))


@pytest.mark.parametrize(
    ("layer", "shape", "out"),
    [
        (layers.Flatten(), (2, 4, 3), (2, 12)),
        (layers.Flatten("channels_last"), (2,), (2, 1)),
        (layers.Flatten(), (None, None, 3), (None, None)),
        (layers.Reshape((6, 2)), (2, 4, 3), (2, 6, 2)),
        (layers.Reshape([-1, 2]), (2, 4, 3), (2, 6, 2)),
        (layers.Reshape((-1, 2)), (None, None, 3), (None, None, 2)),
        (layers.Reshape(()), (2, 1), (2,)),
        (layers.RepeatVector(3), (None, 5), (None, 3, 5)),
        (layers.GlobalAveragePooling1D(), (None, None, 3), (None, 3)),
        (layers.GlobalAveragePooling1D(keepdims=True), (2, 4, 3), (2, 1, 3)),
        (layers.LayerNormalization(), (None, 4, 3), (None, 4, 3)),
        (layers.Activation("relu"), (None, 4), (None, 4)),
        (layers.SpatialDropout1D(0.5), (None, 4, 3), (None, 4, 3)),
    ],
)
def test_shapes(layer, shape, out):
    layer.build(shape)
    assert layer.compute_output_shape(shape) == out
    if None not in shape:
        assert layer(np.ones(shape)).shape == out


def test_values():
    np.testing.assert_array_equal(layers.Flatten()(X), X.reshape(2, 12))
    np.testing.assert_array_equal(layers.Reshape((2, -1))(X), X.reshape(2, 2, 6))
    np.testing.assert_array_equal(layers.RepeatVector(2)(X[:, 0])[:, 1], X[:, 0])
    np.testing.assert_allclose(layers.GlobalAveragePooling1D()(X), X.mean(axis=1))
    # Memory of recurrent layers is in another order than the indices.
    other = np.ascontiguousarray(X.swapaxes(0, 1)).swapaxes(0, 1)
    np.testing.assert_array_equal(layers.Flatten()(other), X.reshape(2, 12))


def test_means_are_over_the_steps_that_are_there():
    mask = np.array([[True, False, True, False], [False] * 4])
    padded = np.where(mask[..., None], X, np.nan).astype(np.float32)
    layer = layers.GlobalAveragePooling1D()
    got = layer(padded, mask=mask)
    np.testing.assert_allclose(got[0], X[0, [0, 2]].mean(axis=0), rtol=1e-6)
    np.testing.assert_array_equal(got[1], 0)
    assert layer.compute_mask(X, mask) is None
    _, pullback = layer.vjp_masked(padded, mask, wrt_input=True)
    dx, _ = pullback(np.ones((2, 3), np.float32))
    np.testing.assert_array_equal(dx, np.where(mask[..., None], 0.5, 0) * np.ones_like(X))


def test_normalized():
    y = layers.LayerNormalization(epsilon=0)(X)
    np.testing.assert_allclose(y.mean(axis=-1), 0, atol=1e-6)
    np.testing.assert_allclose(y.std(axis=-1), 1, rtol=1e-5)
    layer = layers.LayerNormalization(gamma_regularizer="l2", beta_regularizer="l1")
    layer.build(X.shape)
    assert layer.weight_names == list(layer.regularizers) == ["gamma", "beta"]
    layer.trainable = False
    assert layer.vjp(X, wrt_input=False)[1](X) == (None, [])


def test_a_feature_is_dropped_at_all_steps():
    layer = layers.SpatialDropout1D(0.5, seed=0)
    ones = np.ones((50, 4, 3), np.float32)
    y, pullback = layer.vjp(ones, wrt_input=True)
    assert set(np.unique(y)) == {0, 2}
    assert (y == y[:, :1]).all()
    assert 0.3 < (y[:, 0] == 0).mean() < 0.7
    np.testing.assert_array_equal(pullback(ones)[0], y)
    np.testing.assert_array_equal(layer(ones), ones)


def test_masks():
    mask = np.array([[True, True, False, False]] * 2)
    for kept in (layers.LayerNormalization(), layers.Activation("tanh")):
        assert kept.compute_mask(X, mask) is mask
    assert layers.SpatialDropout1D(0.1).compute_mask(X, mask) is mask
    for lost in (layers.Flatten(), layers.Reshape((12,)), layers.RepeatVector(2)):
        with pytest.warns(UserWarning, match="does not support masks"):
            assert lost.compute_mask(X, mask) is None


def test_refused():
    for kind in (layers.Flatten, layers.GlobalAveragePooling1D):
        with refused("support data_format='channels_first'", NotImplementedError):
            kind("channels_first")
    for bad in (5, "ab", (2.5,), (-2, 3), (True,), None):
        with refused("target_shape must be a tuple of lengths, without the batch axis, got"):
            layers.Reshape(bad)
    with refused("target_shape may hold -1 once, got (-1, -1)"):
        layers.Reshape((-1, -1))
    for target in ((5,), (-1, 5), (-1, 0)):
        with refused(f"must have samples that fit into {target}, got shape (2, 4, 3) with 12"):
            layers.Reshape(target)(X)
    for bad in (0, 2.5, True):
        with refused(f"n must be a positive integer, got {bad!r}"):
            layers.RepeatVector(bad)
    with refused("must be (batch, features), got shape (2, 4, 3); a recurrent layer before"):
        layers.RepeatVector(3)(X)
    with refused("must be (batch, time, features) with one step at least, got shape (2, 3)"):
        layers.GlobalAveragePooling1D()(X[:, 0])
    with refused("must be (batch, time, features), got shape (2, 3)"):
        layers.SpatialDropout1D(0.5)(X[:, 0])
    with refused("does not support axis=1; it normalizes the last, -1", NotImplementedError):
        layers.LayerNormalization(1)
    with refused("epsilon must be at least 0, got -1"):
        layers.LayerNormalization(epsilon=-1)
    layer = layers.LayerNormalization()
    layer.build((None, 3))
    with refused("was built for inputs with 3 features"):
        layer(np.ones((2, 4)))
    with refused("must be (batch, ..., features), got shape (3,)"):
        layer(np.ones(3))
    with refused("got 'tahn'; did you mean 'tanh'"):
        layers.Activation("tahn")


def test_an_encoder_and_a_decoder_learn():
    model = Sequential(
        [
            layers.Input((4, 3)),
            layers.LSTM(8),
            layers.RepeatVector(4),
            layers.LSTM(8, return_sequences=True),
            layers.TimeDistributed(layers.Dense(3)),
        ]
    )
    model.compile(optimizers.Adam(0.02), "mse")
    losses = model.fit(X, X, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.9 * losses[0]
