"""Training a swapped model is training Keras's own: the same losses, weights and states."""

import keras
import numpy as np
import pytest
from keras import layers

from rnnfast.interop import keras as ours

if keras.backend.backend() == "numpy":
    pytest.skip("Keras does not train on NumPy", allow_module_level=True)

X = np.random.default_rng(0).integers(0, 7, (8, 9))
Y = np.random.default_rng(1).standard_normal((8, 1)).astype("float32")


def losses(model, epochs=2):
    model.compile(keras.optimizers.SGD(0.05), "mse")
    return model.fit(X, Y, batch_size=4, epochs=epochs, verbose=0, shuffle=False).history["loss"]


def recurrent(kind, **options):
    """A model of everything that fits between an embedding, which masks, and a loss."""
    layer = getattr(layers, kind)
    return keras.Sequential(
        [
            keras.Input((9,)),
            layers.Embedding(7, 4, mask_zero=True),
            layers.Bidirectional(layer(5, return_sequences=True, **options)),
            layer(3, go_backwards=True, activation="softsign"),
            layers.Dense(1),
        ]
    )


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("LSTM", {}),
        ("LSTM", {"dropout": 0.1, "recurrent_dropout": 0.2, "seed": 1}),
        ("GRU", {"recurrent_dropout": 0.2, "seed": 1}),
        ("GRU", {"reset_after": False, "dropout": 0.1, "seed": 1}),
        ("SimpleRNN", {"kernel_regularizer": "l2", "recurrent_dropout": 0.2, "seed": 1}),
    ],
    ids=str,
)
def test_losses_and_weights_are_kerass(kind, options):
    found = []
    for act in (lambda model: None, ours.swap):
        keras.utils.set_random_seed(0)
        model = recurrent(kind, **options)
        act(model)
        before = ours.kernel_calls()
        found.append((losses(model), model.get_weights()))
        ran = ours.kernel_calls() - before
    assert ran >= 4 * 2 * 3  # batches, ways, directions
    np.testing.assert_allclose(found[1][0], found[0][0], rtol=1e-5)
    for one, other in zip(found[1][1], found[0][1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_a_model_that_has_been_trained_goes_on_with_the_kernels_and_back():
    keras.utils.set_random_seed(0)
    model = recurrent("GRU")
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    ours.swap(model)
    before = ours.kernel_calls()
    model.fit(X, Y, verbose=0)
    assert ours.kernel_calls() > before
    ours.swap_back(model)
    before = ours.kernel_calls()
    model.fit(X, Y, verbose=0)
    model.predict(X, verbose=0)
    assert ours.kernel_calls() == before


def around(*recurrent):
    """A model of layers between an embedding, which masks, and a loss."""
    below = [keras.Input((9,)), layers.Embedding(7, 4, mask_zero=True)]
    return keras.Sequential([*below, *recurrent, layers.Dense(1)])


def test_cells_with_what_keras_lacks_learn_as_their_equations_say():
    found = []
    for act in (lambda model: None, ours.swap):
        keras.utils.set_random_seed(0)
        model = around(
            layers.RNN(ours.LSTMCell(5, peephole=True), return_sequences=True),
            layers.RNN(ours.GRUCell(5, layer_norm=True, recurrent_dropout=0.1, seed=1)),
        )
        act(model)
        found.append(losses(model, epochs=3))
    np.testing.assert_allclose(found[1], found[0], rtol=1e-5)


def test_layers_with_what_keras_lacks_learn():
    keras.utils.set_random_seed(0)
    zoneout = {"zoneout": (0.1, 0.2), "return_sequences": True}
    model = around(ours.LSTM(5, layer_norm=True, **zoneout), ours.GRU(5, zoneout=0.1, dropout=0.1))
    found = losses(model, epochs=15)
    assert found[-1] < 0.9 * found[0]


def test_a_frozen_layer_keeps_its_weights():
    keras.utils.set_random_seed(0)
    model = recurrent("LSTM")
    model.layers[2].trainable = False
    model.layers[1].trainable = False
    ours.swap(model)
    before = [weight.copy() for weight in model.layers[2].get_weights()]
    losses(model)
    for one, other in zip(model.layers[2].get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
