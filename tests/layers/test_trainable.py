"""What training changes: frozen layers, and layers inside of layers."""

import numpy as np
import pytest

from rnnfast import Sequential, initializers, layers

RNG = np.random.default_rng(0)
X = RNG.standard_normal((2, 5, 3)).astype(np.float32)
WORDS = RNG.integers(4, size=(2, 5))

MAKE = {
    "SimpleRNN": lambda **kw: layers.SimpleRNN(4, **kw),
    "LSTM": lambda **kw: layers.LSTM(4, projection=2, **kw),
    "GRU": lambda **kw: layers.GRU(4, layer_norm=True, **kw),
    "LightGRU": lambda **kw: layers.LightGRU(4, **kw),
    "Dense": lambda **kw: layers.Dense(4, **kw),
    "Embedding": lambda **kw: layers.Embedding(4, 3, **kw),
    "RNN": lambda **kw: layers.RNN([layers.LSTMCell(4), layers.GRUCell(3)], **kw),
    "Bidirectional": lambda **kw: layers.Bidirectional(layers.GRU(4), **kw),
    "TimeDistributed": lambda **kw: layers.TimeDistributed(layers.Dense(4), **kw),
    "Bidirectional RNN": lambda **kw: layers.Bidirectional(
        layers.RNN([layers.LSTMCell(4), layers.GRUCell(3)]), **kw
    ),
}
all_layers = pytest.mark.parametrize("make", MAKE.values(), ids=MAKE.keys())


def pulled(layer, *, wrt_input=True):
    """Result, gradient by the input and gradients by the weights."""
    x = WORDS if isinstance(layer, layers.Embedding) else X
    layer.build(x.shape)
    y, pullback = layer.vjp(x, wrt_input=wrt_input)
    return y, *pullback(np.ones_like(y))


@all_layers
def test_a_frozen_layer_gives_no_gradients_of_weights_and_the_same_of_its_input(make):
    layer = make()
    assert layer.trainable
    y, dx, gradients = pulled(layer)
    assert [g.shape for g in gradients] == [p.shape for p in layer.trainable_parameters]
    assert len(gradients) == len(layer.parameters)
    layer.trainable = False
    frozen_y, frozen_dx, none = pulled(layer)
    assert none == []
    assert layer.trainable_parameters == []
    assert layer.count_params() > 0
    np.testing.assert_array_equal(frozen_y, y)
    np.testing.assert_array_equal(frozen_dx, dx)
    assert pulled(layer, wrt_input=False)[2] == []
    layer.trainable = True
    for again, before in zip(pulled(layer)[2], gradients, strict=True):
        np.testing.assert_array_equal(again, before)


@all_layers
def test_a_layer_may_be_made_frozen(make):
    layer = make(trainable=False)
    assert not layer.trainable
    assert not any(inner.trainable for inner in layer._inner_layers)
    assert pulled(layer)[2] == []
    with pytest.raises(TypeError, match="trainable must be True or False, got 0"):
        make(trainable=0)
    with pytest.raises(TypeError, match="trainable must be True or False, got None"):
        layer.trainable = None


def test_a_layer_inside_may_be_frozen_alone():
    both = layers.Bidirectional(layers.LSTM(4))
    _, dx, gradients = pulled(both)
    both.forward_layer.trainable = False
    assert both.trainable
    _, dx_again, remaining = pulled(both)
    np.testing.assert_array_equal(dx_again, dx)
    assert all(
        own is p
        for own, p in zip(both.trainable_parameters, both.backward_layer.parameters, strict=True)
    )
    for got, wanted in zip(remaining, gradients[3:], strict=True):
        np.testing.assert_array_equal(got, wanted)
    assert not layers.TimeDistributed(layers.Dense(4, trainable=False)).trainable_parameters
    stack = layers.RNN([layers.LSTMCell(4, trainable=False), layers.GRUCell(3)])
    stack.build(X.shape)
    assert len(pulled(stack)[2]) == len(stack.trainable_parameters) == 3


def test_a_misspelt_attribute_is_an_error():
    layer = layers.LSTM(4)
    with pytest.raises(AttributeError, match=r"LSTM has no attribute 'trainible'; did you mean 't"):
        layer.trainible = False
    with pytest.raises(AttributeError, match="LSTMCell has no attribute 'trainable'"):
        layers.LSTMCell(4).trainable = False

    class Own(layers.Dense):
        pass

    Own(3).anything = 3


class Doubled(layers.Layer):
    """A layer as a user writes it, who has never heard of frozen ones."""

    def compute_output_shape(self, input_shape):
        return input_shape

    def _create_weights(self, input_shape):
        self.add_weight("factor", (1,), initializers.Constant(2.0))

    def call(self, x):
        return self.parameters[0] * x

    def vjp(self, x, *, wrt_input):
        [factor] = self.parameters
        return factor * x, lambda dy: (factor * dy, [np.sum(dy * x, keepdims=True).reshape(1)])


@pytest.mark.parametrize("wrap", [lambda layer: layer, layers.TimeDistributed])
def test_a_layer_of_ones_own_can_be_frozen(wrap):
    own = Doubled()
    model = Sequential([layers.LSTM(3, return_sequences=True), wrap(own), layers.Dense(1)])
    model.compile("sgd", "mse")
    y = np.ones((2, 5, 1))
    model.fit(X, y, verbose=0)
    own.trainable = False
    model.compile("sgd", "mse")
    [before], others = own.get_weights(), model.get_weights()
    model.fit(X, y, verbose=0)
    np.testing.assert_array_equal(own.get_weights()[0], before)
    changed = [(a != b).any() for a, b in zip(others, model.get_weights(), strict=True)]
    assert changed == [True, True, True, False, True, True]
    own.trainable = True
    model.compile("sgd", "mse")
    model.fit(X, y, verbose=0)
    assert own.get_weights()[0] != before
