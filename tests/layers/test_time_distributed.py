"""TimeDistributed: one layer for each step."""

import re

import numpy as np
import pytest

from rnnfast import Sequential, layers

X = np.random.default_rng(0).standard_normal((3, 5, 6, 4)).astype(np.float32)

MAKE = {
    "Dense": lambda: layers.Dense(2, "tanh"),
    "SimpleRNN": lambda: layers.SimpleRNN(2),
    "LSTM": lambda: layers.LSTM(2, return_sequences=True),
    "Bidirectional": lambda: layers.Bidirectional(layers.GRU(2)),
    "RNN": lambda: layers.RNN([layers.GRUCell(3), layers.LSTMCell(2)]),
    "TimeDistributed": lambda: layers.TimeDistributed(layers.Dense(2)),
}
every_layer = pytest.mark.parametrize("make", MAKE.values(), ids=MAKE.keys())
every_order = pytest.mark.parametrize("time_major", [False, True])


def refused(error, message):
    return pytest.raises(error, match=f"^{re.escape(message)}")


def laid_out(x, time_major):
    return np.ascontiguousarray(x.swapaxes(0, 1)).swapaxes(0, 1) if time_major else x


@every_order
@every_layer
def test_it_is_the_layer_step_by_step(make, time_major):
    x = laid_out(X, time_major)
    inner = make()
    layer = layers.TimeDistributed(inner)
    y = layer(x)
    assert y.shape == layer.compute_output_shape(x.shape)
    np.testing.assert_array_equal(y, np.stack([inner(x[:, t]) for t in range(5)], axis=1))
    assert layer.weight_names == inner.weight_names
    assert all(a is b for a, b in zip(layer.parameters, inner.parameters, strict=True))

    trained, pullback = layer.vjp(x, wrt_input=True)
    np.testing.assert_array_equal(trained, y)
    dx, gradients = pullback(np.cos(y))
    each = [inner.vjp(x[:, t], wrt_input=True)[1](np.cos(y[:, t])) for t in range(5)]
    np.testing.assert_allclose(dx, np.stack([one[0] for one in each], axis=1), rtol=1e-5)
    for k, got in enumerate(gradients):
        np.testing.assert_allclose(got, sum(one[1][k] for one in each), rtol=1e-4, atol=1e-5)
    assert layer.vjp(x, wrt_input=False)[1](y)[0] is None


@every_order
def test_steps_become_samples_without_a_copy(time_major):
    seen = []

    class Seen(layers.Dense):
        def call(self, x):
            seen.append(x)
            return super().call(x)

    x = laid_out(X, time_major)
    layers.TimeDistributed(Seen(2))(x)
    assert np.shares_memory(seen[0], x)


@every_order
@pytest.mark.parametrize("return_sequences", [False, True])
def test_a_mask_of_more_axes_goes_to_the_layer(return_sequences, time_major):
    x = laid_out(X, time_major)
    mask = np.random.default_rng(1).random((3, 5, 6)) < 0.6
    inner = layers.GRU(2, return_sequences=return_sequences)
    layer = layers.TimeDistributed(inner)
    y = layer(x, mask=mask)
    wanted = np.stack([inner(x[:, t], mask=mask[:, t]) for t in range(5)], axis=1)
    np.testing.assert_array_equal(y, wanted)
    after = layer.compute_mask(x, mask)
    if return_sequences:
        np.testing.assert_array_equal(after, mask)
    else:
        assert after is None
    trained, pullback = layer.vjp_masked(x, mask, wrt_input=True)
    np.testing.assert_array_equal(trained, y)
    assert not pullback(np.ones_like(y))[0][~mask].any()


def test_a_mask_of_the_steps_stays():
    layer = layers.TimeDistributed(layers.Dense(2))
    mask = np.random.default_rng(1).random((3, 5)) < 0.6
    np.testing.assert_array_equal(layer(X, mask=mask), layer(X))
    assert layer.compute_mask(X, mask) is mask
    y, _ = layer.vjp_masked(X, mask, wrt_input=False)
    np.testing.assert_array_equal(y, layer(X))


def test_words_of_sentences(tmp_path):
    model = Sequential(
        [
            layers.Input((None, 6)),
            layers.TimeDistributed(layers.Embedding(9, 3)),
            layers.TimeDistributed(layers.LSTM(4)),
            layers.GRU(2),
        ]
    )
    x = np.random.default_rng(0).integers(9, size=(4, 5, 6))
    wanted = model.predict(x, verbose=0)
    assert wanted.shape == (4, 2)
    assert model.predict(x[:, :0], verbose=0).shape == (4, 2)
    path = tmp_path / "model.weights.safetensors"
    model.save_weights(path)
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    model.load_weights(path)
    np.testing.assert_array_equal(model.predict(x, verbose=0), wanted)
    model.compile("adam", "mse")
    history = model.fit(x, np.ones((4, 2)), epochs=3, verbose=0).history["loss"]
    assert history[2] < history[0]


def test_refused():
    with refused(TypeError, "layer must be a Layer, got int"):
        layers.TimeDistributed(3)
    with refused(ValueError, "dtype must be that of layer, float32, got float64"):
        layers.TimeDistributed(layers.Dense(2), dtype="float64")
    with refused(ValueError, "layer must give one array, 'several' gives several: leave out ret"):
        layers.TimeDistributed(layers.LSTM(2, return_state=True, name="several"))
    with refused(ValueError, "layer must not be stateful, as 'keeps' is: steps are samples to it"):
        layers.TimeDistributed(layers.GRU(2, stateful=True, name="keeps"))
    with refused(ValueError, "the input of layer 'each' must be (batch, time, ...) with 3 axes at"):
        layers.TimeDistributed(layers.Dense(2), name="each")(np.ones((2, 3)))
    with refused(ValueError, "the input of layer 'inner' must be (batch, time, features)"):
        layers.TimeDistributed(layers.GRU(2, name="inner"))(np.ones((2, 3, 4)))
