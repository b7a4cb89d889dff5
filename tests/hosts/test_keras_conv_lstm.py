"""Agreement with Keras of ConvLSTM2D: results, states, masks and what training makes of it."""

from __future__ import annotations

import numpy as np
import pytest

from keras_twins import (
    TOLERANCE,
    assert_same_structure,
    assert_same_weights,
    keras,
    marks,
    set_same_weights,
    with_same_weights,
)
from rnnfast import layers, optimizers

pytestmark = marks

SAMPLES, STEPS, IMAGE = 5, 4, (6, 5, 2)
F64 = {"dtype": "float64"}
ALL = {"return_sequences": True, **F64}

TOLD = {
    "valid": {"kernel_size": 3},
    "same": {"kernel_size": 3, "padding": "same", "return_sequences": True},
    "even": {"kernel_size": (2, 4), "padding": "same", "go_backwards": True},
    "strides": {"kernel_size": (3, 2), "strides": (2, 3), "padding": "same"},
    "strides, valid": {"kernel_size": 2, "strides": 2, "return_sequences": True},
    "dilation": {"kernel_size": (3, 2), "dilation_rate": (2, 1), "padding": "same"},
    "activations": {"kernel_size": 2, "activation": "softsign", "recurrent_activation": "relu6"},
    "no bias": {"kernel_size": 1, "use_bias": False, "unit_forget_bias": False},
    "zeros": {"kernel_size": 2, "return_sequences": True, "zero_output_for_mask": True},
}


@pytest.mark.parametrize("mask", [False, True], ids=["whole", "masked"])
@pytest.mark.parametrize("told", TOLD.values(), ids=TOLD.keys())
def test_results_and_states_are_the_same(told, mask):
    rng = np.random.default_rng(0)
    ours, theirs = (
        kit.ConvLSTM2D(3, return_state=True, **told, **F64) for kit in (layers, keras.layers)
    )
    x = rng.standard_normal((SAMPLES, STEPS, *IMAGE))
    ours.build(x.shape)
    theirs.build(x.shape)
    set_same_weights(rng, ours, theirs)
    options = {"mask": rng.random((SAMPLES, STEPS)) < 0.6} if mask else {}
    assert_same_structure(list(ours(x, **options)), list(theirs(x, **options)))
    shapes = theirs.compute_output_shape(x.shape)
    assert [tuple(one) for one in ours.compute_output_shape(x.shape)] == list(map(tuple, shapes))


MODELS = {
    "one above another": lambda kit: [
        kit.ConvLSTM2D(3, 3, padding="same", kernel_regularizer="l2", **ALL),
        kit.ConvLSTM2D(2, 2, strides=2, recurrent_regularizer="l1", **F64),
        kit.Flatten(**F64),
        kit.Dense(2, **F64),
    ],
    "both directions": lambda kit: [
        kit.Bidirectional(kit.ConvLSTM2D(2, (2, 3), **ALL), **F64),
        kit.TimeDistributed(kit.Flatten(**F64), **F64),
        kit.LSTM(3, **F64),
    ],
    "dilated": lambda kit: [
        kit.ConvLSTM2D(2, 3, padding="same", dilation_rate=2, **ALL),
        kit.ConvLSTM2D(2, 2, go_backwards=True, **F64),
        kit.Flatten(**F64),
    ],
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS.keys())
def test_it_trains_the_same(make):
    rng = np.random.default_rng(0)
    ours, theirs = with_same_weights(rng, make, (STEPS, *IMAGE))
    x = rng.standard_normal((SAMPLES, STEPS, *IMAGE))
    wanted = theirs.predict(x, verbose=0)
    np.testing.assert_allclose(ours.predict(x, verbose=0), wanted, **TOLERANCE)
    y = rng.standard_normal(wanted.shape)
    ours.compile(optimizers.SGD(0.05), "mse")
    theirs.compile(keras.optimizers.SGD(0.05), "mse")
    options = {"batch_size": SAMPLES, "epochs": 3, "shuffle": False, "verbose": 0}
    got, wanted = ours.fit(x, y, **options), theirs.fit(x, y, **options)
    np.testing.assert_allclose(got.history["loss"], wanted.history["loss"], **TOLERANCE)
    assert_same_weights(ours, theirs)
