"""What layers keep from batch to batch is taken out and put back, so that training goes on."""

import json

import numpy as np
import pytest

from rnnfast import layers

X = np.random.default_rng(0).standard_normal((2, 5, 3)).astype(np.float32)

RANDOM = {
    "Dropout": lambda: layers.Dropout(0.5),
    "SpatialDropout1D": lambda: layers.SpatialDropout1D(0.5),
    "LSTM": lambda: layers.LSTM(4, dropout=0.3, recurrent_dropout=0.3),
    "GRU": lambda: layers.GRU(4, zoneout=0.3),
    "TimeDistributed": lambda: layers.TimeDistributed(layers.Dropout(0.5)),
    "Bidirectional": lambda: layers.Bidirectional(layers.LSTM(4, dropout=0.5)),
    "Bidirectional, two": lambda: layers.Bidirectional(
        layers.LSTM(4, dropout=0.5), backward_layer=layers.GRU(4, dropout=0.5, go_backwards=True)
    ),
    "RNN": lambda: layers.RNN([layers.LSTMCell(4, dropout=0.3), layers.GRUCell(3, dropout=0.4)]),
}


def drawn(layer):
    return layer.vjp(X, wrt_input=False)[0]


@pytest.mark.parametrize("make", RANDOM.values(), ids=RANDOM.keys())
def test_random_numbers_go_on_from_a_state(make):
    layer, other = make(), make()
    for one in (layer, other):
        one.build(X.shape)
    other.set_weights(layer.get_weights())
    drawn(layer)
    state = json.loads(json.dumps(layer.get_random_state()))
    wanted = [drawn(layer) for _ in range(3)]
    assert (wanted[0] != wanted[1]).any()
    other.set_random_state(state)
    layer.set_random_state(state)
    for one in (other, layer):
        for want in wanted:
            np.testing.assert_array_equal(drawn(one), want)


def test_random_states_that_are_none():
    for layer in (layers.Dense(3), layers.TimeDistributed(layers.Dense(3)), layers.Masking()):
        assert layer.get_random_state() is None
        layer.set_random_state(None)
        with pytest.raises(ValueError, match="state must be one that get_random_state of a layer"):
            layer.set_random_state(layers.Dropout(0.5).get_random_state())
    pair = layers.Bidirectional(layers.LSTM(3))
    for layer in (layers.Dropout(0.5), layers.LSTM(3), pair):
        for bad in (None, {}, {"layers": []}, 3, {"bit_generator": "MT19937", "state": {}}):
            with pytest.raises(ValueError, match="state must be one that get_random_state of a l"):
                layer.set_random_state(bad)
    half = {"layers": [layers.Dropout(0.5).get_random_state(), 3]}
    before = pair.get_random_state()
    with pytest.raises(ValueError, match="state must be one that get_random_state of a layer"):
        pair.set_random_state(half)
    assert pair.get_random_state() == before


STATEFUL = {
    "SimpleRNN": lambda: layers.SimpleRNN(4, stateful=True),
    "LSTM": lambda: layers.LSTM(4, projection=2, stateful=True),
    "RNN": lambda: layers.RNN([layers.LSTMCell(4), layers.GRUCell(3)], stateful=True),
    "Bidirectional": lambda: layers.Bidirectional(layers.LSTM(4, stateful=True)),
}


@pytest.mark.parametrize("make", STATEFUL.values(), ids=STATEFUL.keys())
def test_states_are_carried_on(make):
    layer, other = make(), make()
    assert layer.get_carried_state() is None
    layer(X)
    other(X[:1])  # of another number of sequences
    other.set_weights(layer.get_weights())
    state = layer.get_carried_state()
    wanted = layer(X)
    assert [one.shape for one in state] == [(2, size) for size in layer.state_sizes]
    other.set_carried_state(state)
    for one in state:
        one[...] = 99  # copies
    np.testing.assert_array_equal(other(X), wanted)

    other.set_carried_state(None)
    assert other.get_carried_state() is None
    layer.reset_state()
    np.testing.assert_array_equal(other(X), layer(X))

    with pytest.raises(ValueError, match=r"^state of layer '\w+' must be arrays of shapes"):
        other.set_carried_state(state[:-1])
    with pytest.raises(ValueError, match=r"^state of layer '\w+' must be arrays of shapes"):
        other.set_carried_state([one[:, :1] for one in state])


def test_layers_that_carry_nothing():
    for layer in (layers.Dense(3), layers.LSTM(3), layers.Bidirectional(layers.LSTM(3))):
        assert layer.get_carried_state() is None
        layer.set_carried_state(None)
        with pytest.raises(ValueError, match="carries no states from batch to batch"):
            layer.set_carried_state([np.zeros((2, 3))])
