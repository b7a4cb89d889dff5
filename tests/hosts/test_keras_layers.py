"""Agreement with Keras of layers that reshape, repeat, average, normalize and activate."""

from __future__ import annotations

import numpy as np
import pytest

from keras_twins import TOLERANCE, assert_same_weights, keras, marks, with_same_weights
from rnnfast import layers, optimizers
from rnnfast.layers import activations

pytestmark = marks

SAMPLES, STEPS, FEATURES = 9, 5, 3
F64 = {"dtype": "float64"}
SEQUENCES = {"return_sequences": True, "dtype": "float64"}

MODELS = {
    "normalized": lambda kit: [
        kit.LayerNormalization(**F64),
        kit.LSTM(4, **SEQUENCES),
        kit.LayerNormalization(center=False, epsilon=0.1, **F64),
        kit.GRU(4, **F64),
        kit.LayerNormalization(scale=False, **F64),
        kit.Dense(2, **F64),
    ],
    "encoder and decoder": lambda kit: [
        kit.LSTM(4, **F64),
        kit.RepeatVector(3, **F64),
        kit.GRU(4, **SEQUENCES),
        kit.Dense(2, **F64),
    ],
    "reshaped": lambda kit: [
        kit.GRU(4, **SEQUENCES),
        kit.Reshape((-1, 10), **F64),
        kit.SimpleRNN(3, **SEQUENCES),
        kit.Flatten(**F64),
        kit.Dense(2, **F64),
    ],
    "pooled": lambda kit: [
        kit.GRU(4, **SEQUENCES),
        kit.GlobalAveragePooling1D(**F64),
        kit.Dense(2, **F64),
    ],
    "masked and pooled": lambda kit: [
        kit.Masking(**F64),
        kit.GRU(4, **SEQUENCES),
        kit.LayerNormalization(**F64),
        kit.Activation("tanh", **F64),
        kit.SpatialDropout1D(0.0, dtype="float64"),
        kit.GlobalAveragePooling1D(keepdims=True, **F64),
        kit.Dense(2, **F64),
    ],
}
MODELS |= {
    name: lambda kit, name=name: [
        kit.Dense(4, name, **F64),
        kit.Dense(4, **F64),
        kit.Activation(name, **F64),
    ]
    for name in activations._BY_NAME
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS.keys())
def test_layers_compute_and_train_the_same(make):
    rng = np.random.default_rng(0)
    ours, theirs = with_same_weights(rng, make, (STEPS, FEATURES))
    x = 0.3 * rng.standard_normal((SAMPLES, STEPS, FEATURES))
    x[:4, 3:] = 0
    wanted = theirs.predict(x, verbose=0)
    np.testing.assert_allclose(ours.predict(x, verbose=0), wanted, **TOLERANCE)
    y = rng.standard_normal(wanted.shape)
    ours.compile(optimizers.SGD(1e-3), "mse")
    theirs.compile(keras.optimizers.SGD(1e-3), "mse")
    options = {"batch_size": SAMPLES, "epochs": 2, "shuffle": False, "verbose": 0}
    got, wanted = ours.fit(x, y, **options), theirs.fit(x, y, **options)
    np.testing.assert_allclose(got.history["loss"], wanted.history["loss"], **TOLERANCE)
    assert_same_weights(ours, theirs)


@pytest.mark.parametrize(
    "make",
    [
        lambda kit: kit.Flatten(),
        lambda kit: kit.Reshape((-1, 2)),
        lambda kit: kit.Reshape((6, -1)),
        lambda kit: kit.GlobalAveragePooling1D(),
        lambda kit: kit.LayerNormalization(),
        lambda kit: kit.Activation("relu"),
    ],
)
@pytest.mark.parametrize("shape", [(None, 4, 3), (None, None, 3)])
def test_shapes_and_masks_are_the_same(make, shape):
    ours, theirs = make(layers), make(keras.layers)
    assert ours.compute_output_shape(shape) == tuple(theirs.compute_output_shape(shape))
    assert ours.supports_masking == theirs.supports_masking


def frozen(layer):
    # Keras forgets trainable=False of a layer around others: these are trained all the same.
    layer.trainable = False
    return layer


TRAINED = {
    "frozen below": lambda kit: [
        kit.LSTM(4, trainable=False, **SEQUENCES),
        kit.GRU(4, **F64),
        kit.Dense(2, **F64),
    ],
    "frozen between": lambda kit: [
        kit.Dense(4, "tanh", **F64),
        frozen(kit.Bidirectional(kit.LSTM(3, **SEQUENCES), dtype="float64")),
        kit.LayerNormalization(trainable=False, **F64),
        kit.RNN([kit.LSTMCell(3, **F64), kit.GRUCell(3, trainable=False, **F64)], **F64),
        kit.Dense(2, **F64),
    ],
    "frozen above": lambda kit: [
        kit.GRU(4, **SEQUENCES),
        frozen(kit.TimeDistributed(kit.Dense(3, **F64), dtype="float64")),
        kit.Flatten(**F64),
        kit.Dense(2, trainable=False, **F64),
    ],
    "regularized": lambda kit: [
        kit.GRU(4, kernel_regularizer="l2", bias_regularizer="l1", **SEQUENCES),
        kit.LSTM(3, recurrent_regularizer="l2", trainable=False, **SEQUENCES),
        kit.Bidirectional(kit.LSTM(3, kernel_regularizer="l1", **F64), dtype="float64"),
        kit.LayerNormalization(gamma_regularizer="l2", **F64),
        kit.Dense(2, kernel_regularizer="l2", **F64),
    ],
}


@pytest.mark.parametrize("make", TRAINED.values(), ids=TRAINED.keys())
def test_frozen_and_regularized_layers_train_the_same(make):
    rng = np.random.default_rng(0)
    ours, theirs = with_same_weights(rng, make, (STEPS, FEATURES))
    x, y = rng.standard_normal((SAMPLES, STEPS, FEATURES)), rng.standard_normal((SAMPLES, 2))
    ours.compile(optimizers.SGD(0.05), "mse")
    theirs.compile(keras.optimizers.SGD(0.05), "mse")
    options = {"batch_size": SAMPLES, "epochs": 3, "shuffle": False, "verbose": 0}
    got, wanted = ours.fit(x, y, **options), theirs.fit(x, y, **options)
    np.testing.assert_allclose(got.history["loss"], wanted.history["loss"], **TOLERANCE)
    assert_same_weights(ours, theirs)
    assert [len(layer.trainable_parameters) for layer in ours.layers] == [
        len(layer.trainable_weights) for layer in theirs.layers
    ]
