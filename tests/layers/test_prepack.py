"""Recurrent layers packed for inference: the same states, step by step."""

import numpy as np
import pytest

import rnnfast
from rnnfast import layers

LAYERS = {
    "rnn": lambda: layers.SimpleRNN(5, return_sequences=True),
    "lstm": lambda: layers.LSTM(5, return_sequences=True),
    "gru": lambda: layers.GRU(5, return_sequences=True),
    "gru_reset_before": lambda: layers.GRU(5, return_sequences=True, reset_after=False),
    "light_gru": lambda: layers.LightGRU(5, return_sequences=True),
    "gru_without_bias": lambda: layers.GRU(5, return_sequences=True, use_bias=False),
}


@pytest.mark.parametrize("name", LAYERS)
def test_steps_agree_with_the_layer(name):
    layer = LAYERS[name]()
    x = np.random.default_rng(0).normal(size=(2, 7, 3)).astype(np.float32)
    states = layer(x)
    layer.set_weights([w + np.float32(0.1) for w in layer.get_weights()])
    moved = layer(x)
    assert np.abs(moved - states).max() > 0.01
    cell, state = layer.prepack(), None
    for t in range(7):
        state = cell.step(np.ascontiguousarray(x[:, t]), state)
        h = state[0] if isinstance(state, tuple) else state
        np.testing.assert_allclose(h, moved[:, t], rtol=1e-5, atol=1e-6)


def test_a_layer_without_weights_says_so():
    with pytest.raises(ValueError, match="no weights yet"):
        layers.LSTM(5).prepack()


@pytest.mark.parametrize("layer", [layers.LSTM(4), layers.GRU(4)])
def test_weights_in_the_order_of_keras_are_not_taken_for_ours(layer) -> None:
    layer.build((None, None, 3))
    kernel, recurrent, *_ = layer.get_weights()
    with pytest.raises(ValueError, match=r"w_hh must .* another order as well: layer.prepack"):
        rnnfast.prepack(layer.kind, kernel, recurrent)


@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("name", LAYERS)
def test_a_trace_is_of_what_the_layer_computes(name, go_backwards):
    layer = LAYERS[name]()
    layer.go_backwards = go_backwards
    x = np.random.default_rng(0).normal(size=(2, 7, 3)).astype(np.float32)
    y = layer(x)
    trace = layer.trace(x)
    np.testing.assert_array_equal(trace.y[:, ::-1] if go_backwards else trace.y, y)
    assert trace.gates.shape == (2, 7, len(layer.gate_order), 5)
    if name == "lstm":
        o = trace.gates[:, :, 3]
        np.testing.assert_allclose(o * np.tanh(trace.c), trace.y, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="was built for inputs with 3 features"):
        layer.trace(x[:, :, :2])
