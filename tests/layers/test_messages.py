"""What first-time users do, and what they are told."""

import re

import numpy as np
import pytest

from rnnfast import Sequential, layers

WORDS = np.random.default_rng(0).integers(1, 9, size=(6, 5))
X = np.ones((6, 5, 3), np.float32)


def refused(message, error=ValueError):
    return pytest.raises(error, match=re.escape(message))


UNBUILT = {
    "SimpleRNN": lambda: layers.SimpleRNN(4, name="new"),
    "LSTM": lambda: layers.LSTM(4, name="new"),
    "GRU": lambda: layers.GRU(4, name="new"),
    "Dense": lambda: layers.Dense(4, name="new"),
    "LayerNormalization": lambda: layers.LayerNormalization(name="new"),
    "Embedding": lambda: layers.Embedding(10, 4, name="new"),
    "Bidirectional": lambda: layers.Bidirectional(layers.LSTM(4, name="new")),
    "TimeDistributed": lambda: layers.TimeDistributed(layers.Dense(4, name="new")),
    "RNN": lambda: layers.RNN(layers.LSTMCell(4, name="new")),
}


@pytest.mark.parametrize("make", UNBUILT.values(), ids=UNBUILT.keys())
def test_a_layer_without_weights_says_how_to_make_them(make):
    layer = make()
    x = WORDS if isinstance(layer, layers.Embedding) else X
    message = r"layer '\w*new' has no weights yet, call build\(input_shape\) first"
    for compute in (lambda: layer.call(x), lambda: layer.vjp(x, wrt_input=True)):
        with pytest.raises(ValueError, match=message):
            compute()
    layer.build(x.shape)
    layer.call(x)


def test_indices_that_go_into_a_recurrent_layer_are_told_of_embedding_and_one_hot():
    model = Sequential([layers.SimpleRNN(4, input_shape=(5, 9)), layers.Dense(1)])
    model.compile("sgd", "mse")
    hint = "go through an Embedding or become one-hot with utils.to_categorical"
    with refused(hint):
        model.fit(WORDS, np.ones(6), verbose=0)
    with refused(hint):
        layers.LSTM(4)(WORDS)
    with refused(hint):
        layers.Bidirectional(layers.GRU(4))(WORDS)


def test_one_sample_is_told_how_to_become_a_batch():
    hint = "; x[None] makes a batch of one sample"
    for first in (layers.LSTM(4), layers.LSTM(4, input_shape=(5, 3))):
        model = Sequential([first, layers.Dense(1)])
        model.build((None, 5, 3))
        with refused(hint):
            model.predict(X[0], verbose=0)
        assert model.predict(X[0][None], verbose=0).shape == (1, 1)
    words = Sequential([layers.Embedding(9, 2), layers.RNN([layers.LSTMCell(4)])])
    words.predict(WORDS, verbose=0)
    with refused(hint):
        words.predict(WORDS[0], verbose=0)
    dense = layers.Dense(4)
    dense(X[:, 0])
    with refused("and x[None] a batch of one sample"):
        dense(X[0, 0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.LSTM(4, activaton="tanh"), "LSTM got an unexpected argument 'activaton'"),
        (lambda: layers.LSTM(4, activaton="tanh"), "did you mean 'activation'"),
        (lambda: layers.Dense(4, trainble=False), "did you mean 'trainable'"),
        (lambda: layers.GRU(4, input_shap=(3, 4)), "did you mean 'input_shape'"),
        (lambda: layers.LSTMCell(4, recurent_dropout=0.1), "did you mean 'recurrent_dropout'"),
        (lambda: layers.LSTM(4, kernel_constrain=None), "did you mean 'kernel_constraint'"),
        (
            lambda: layers.Bidirectional(layers.LSTM(4), merge_mod="sum"),
            "did you mean 'merge_mode'",
        ),
    ],
)
def test_a_misspelt_argument_is_told_what_was_meant(make, message):
    with refused(message, TypeError):
        make()


def foreign(name):
    """An object that looks as if Keras had made it."""
    return type(name, (), {"__module__": "keras.src.layers"})()


def test_layers_of_keras_are_told_apart():
    with refused("; LSTM is keras's, use rnnfast.layers.LSTM", TypeError):
        layers.Bidirectional(foreign("LSTM"))
    with refused("; Dense is keras's, use rnnfast.layers.Dense", TypeError):
        layers.TimeDistributed(foreign("Dense"))
    with refused("; GRUCell is keras's, use rnnfast.layers.GRUCell", TypeError):
        layers.RNN(foreign("GRUCell"))
    with refused("; Conv1D is keras's, rnnfast.layers has none of this name", TypeError):
        layers.TimeDistributed(foreign("Conv1D"))
