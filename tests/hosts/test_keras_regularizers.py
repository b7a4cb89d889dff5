"""Agreement with Keras: what regularizers add to the loss, and to gradients."""

from __future__ import annotations

import numpy as np
import pytest

from keras_twins import TOLERANCE, keras, marks, set_same_weights
from rnnfast import layers, regularizers

pytestmark = marks

ALL = {"kernel_regularizer": "l2", "bias_regularizer": "l1", "dtype": "float64"}
MAKE = {
    "simple_rnn": lambda kit, r: kit.SimpleRNN(4, recurrent_regularizer=r.L1(0.2), **ALL),
    "lstm": lambda kit, r: kit.LSTM(4, recurrent_regularizer=r.L1L2(0.2, 0.1), **ALL),
    "gru": lambda kit, r: kit.GRU(4, recurrent_regularizer=r.L2(0.2), **ALL),
    "dense": lambda kit, r: kit.Dense(4, **ALL),
    "bidirectional": lambda kit, r: kit.Bidirectional(kit.GRU(4, **ALL), dtype="float64"),
    "time_distributed": lambda kit, r: kit.TimeDistributed(kit.Dense(4, **ALL), dtype="float64"),
    "cells": lambda kit, r: kit.RNN([kit.LSTMCell(4, **ALL), kit.GRUCell(3, dtype="float64")]),
    "frozen": lambda kit, r: kit.LSTM(4, trainable=False, **ALL),
}


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE.keys())
def test_penalties_are_the_same(make):
    ours, theirs = make(layers, regularizers), make(keras.layers, keras.regularizers)
    ours.build((None, 5, 3))
    theirs.build((2, 5, 3))
    set_same_weights(np.random.default_rng(0), ours, theirs)
    wanted = sum(float(keras.ops.convert_to_numpy(loss)) for loss in theirs.losses)
    assert (wanted == 0) == (not theirs.trainable)
    np.testing.assert_allclose(ours.penalty(), wanted, **TOLERANCE)


@pytest.mark.parametrize("name", ["L1", "L2", "L1L2"])
def test_values_gradients_and_configurations_are_the_same(name):
    import torch

    ours, theirs = getattr(regularizers, name)(0.3), getattr(keras.regularizers, name)(0.3)
    assert ours.get_config() == pytest.approx(theirs.get_config())
    w = np.random.default_rng(0).standard_normal((3, 4))
    w[1, 2] = 0
    weight = torch.tensor(w, requires_grad=True)
    penalty = theirs(weight)
    penalty.backward()
    np.testing.assert_allclose(ours(w), penalty.item(), **TOLERANCE)
    np.testing.assert_allclose(ours.gradient(w), weight.grad.numpy(), **TOLERANCE)
    assert regularizers.get(name.lower()).get_config() == pytest.approx(
        keras.regularizers.get(name.lower()).get_config()
    )
