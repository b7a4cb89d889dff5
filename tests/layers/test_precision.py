"""Layers whose products are taken in bfloat16."""

from __future__ import annotations

import re

import numpy as np
import pytest

import rnnfast
from rnnfast import Sequential, layers, utils
from rnnfast.models import load_model

X = np.random.default_rng(0).standard_normal((6, 9, 5)).astype(np.float32)
KINDS = {
    "LSTM": lambda **o: layers.LSTM(7, return_sequences=True, **o),
    "GRU": lambda **o: layers.GRU(7, return_sequences=True, **o),
    "GRU, reset before": lambda **o: layers.GRU(7, reset_after=False, **o),
    "SimpleRNN": lambda **o: layers.SimpleRNN(7, **o),
    "LightGRU": lambda **o: layers.LightGRU(7, **o),
    "layer norm": lambda **o: layers.LSTM(7, layer_norm=True, go_backwards=True, **o),
    "projection": lambda **o: layers.LSTM(7, projection=3, recurrent_activation="relu", **o),
    "Bidirectional": lambda **o: layers.Bidirectional(layers.LSTM(7, **o)),
    "RNN": lambda **o: layers.RNN([layers.LSTMCell(7, **o), layers.GRUCell(4, **o)]),
}
every_kind = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)


def off(got, want):
    return float(np.linalg.norm(got - want) / np.linalg.norm(want))


def twins(make):
    """Return a layer in bfloat16 and one in float32, of the same weights."""
    utils.set_random_seed(0)
    low, plain = make(precision="bfloat16"), make()
    for layer in (low, plain):
        layer.build(X.shape)
    low.set_weights(plain.get_weights())
    return low, plain


@every_kind
def test_both_passes_round(make):
    low, plain = twins(make)
    y, want = low(X), plain(X)
    assert y.dtype == np.float32
    assert 2.0**-14 < off(y, want) < 2.0**-4
    found = []
    for layer in (low, plain):
        trained, pullback = layer.vjp(X, wrt_input=True)
        dx, gradients = pullback(np.ones_like(trained))
        found.append([trained, dx, *gradients])
    assert np.array_equal(found[0][0], y)  # at inference as in training
    for got, one in zip(*found, strict=True):
        assert got.dtype == np.float32
        assert 2.0**-14 < off(got, one) < 2.0**-3


@every_kind
def test_configurations(make):
    layer = make(precision="bfloat16")
    config = layer.get_config()
    again = type(layer).from_config(config)
    assert again.get_config() == config
    assert "'precision': 'bfloat16'" in repr(config)
    assert "'precision': None" in repr(make().get_config())


def test_a_layer_does_what_the_function_does():
    layer = layers.LSTM(7, return_sequences=True, precision="bfloat16")
    layer.build(X.shape)
    kernel, recurrent, bias = layer.get_weights()
    y, pullback = layer.vjp(X, wrt_input=True)
    out, pull = rnnfast.lstm_vjp(
        X, kernel.T, recurrent.T, bias, batch_first=True, precision="bfloat16"
    )
    assert np.array_equal(y, out.y)
    dx, (d_kernel, d_recurrent, d_bias) = pullback(np.ones_like(y))
    grads = pull(np.ones_like(out.y))
    own, wanted = (dx, d_kernel, d_recurrent, d_bias), (grads.x, grads.w_ih, grads.w_hh, grads.b_ih)
    for got, want in zip(own, wanted, strict=True):
        assert np.array_equal(got, want)


def test_a_packed_layer_and_a_step():
    low, _ = twins(KINDS["LSTM"])
    packed = low.prepack()
    assert packed.precision == "bfloat16"
    y, state = low(X), None
    for t in range(X.shape[1]):
        state = packed.step(np.ascontiguousarray(X[:, t]), state)
        assert np.array_equal(state[0], y[:, t])


def test_a_model_is_trained_saved_and_served(tmp_path):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((256, 12, 3)).astype(np.float32)
    target = x.sum((1, 2))[:, None] / 6
    losses = {}
    for precision in (None, "bfloat16"):
        utils.set_random_seed(0)
        model = Sequential([layers.GRU(24, precision=precision), layers.Dense(1)])
        model.compile("adam", "mse")
        losses[precision] = model.fit(x, target, epochs=30, verbose=0).history["loss"]
    assert losses["bfloat16"] != losses[None]
    assert losses["bfloat16"][-1] < 0.2 * losses["bfloat16"][0]
    assert losses["bfloat16"][-1] == pytest.approx(losses[None][-1], rel=0.3)
    path = tmp_path / "model.safetensors"
    model.save(path)
    again = load_model(path)
    assert again.layers[0].precision == "bfloat16"
    assert np.array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize("make", [layers.LSTM, layers.GRU, layers.SimpleRNN, layers.LSTMCell])
def test_what_is_no_precision(make):
    with pytest.raises(ValueError, match="precision must be None or one of bfloat16"):
        make(3, precision="half")
    with pytest.raises(ValueError, match="got 'float16', which is for inference"):
        make(3, precision="float16")
    with pytest.raises(TypeError, match="precision='bfloat16' takes float32 arrays, got float64"):
        make(3, precision="bfloat16", dtype="float64")
    assert make(3, precision="float32").get_config()["precision"] is None


def test_keras_policies_are_answered_with_the_option():
    message = "dtype must be 'float32' or 'float64', got 'mixed_bfloat16'; pass precision="
    with pytest.raises(ValueError, match=re.escape(message)):
        layers.LSTM(3, dtype="mixed_bfloat16")
