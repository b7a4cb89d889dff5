"""The loops by themselves: what they ask of a session, and when."""

import numpy as np
import pytest

from rnnfast import layers, losses, metrics
from rnnfast.callbacks import Callback
from rnnfast.callbacks.callback_list import CallbackList
from rnnfast.training import data, loops
from rnnfast.training.objective import Objective
from rnnfast.training.session import Session

X = np.arange(12.0).reshape(6, 2)
Y = X.sum(axis=1, keepdims=True)


class Asked:
    """A session of a Dense layer, without a model; writes down what the loops ask for."""

    def __init__(self, stops_after=99):
        self.steps, self.passes = [], 0
        self.layer = layers.Dense(1, kernel_initializer="zeros", dtype="float64")
        self.layer.build((None, 2))
        self.session = Session(
            Objective([self.layer], losses.MeanSquaredError()),
            metrics=self.metrics,
            step=self.steps.append,
            stopped=lambda: len(self.steps) >= stops_after,
            listeners=CallbackList([], None),
        )

    def metrics(self):
        self.passes += 1
        return [metrics.MeanAbsoluteError()]


def test_every_batch_is_a_step():
    asked = Asked()
    logs = loops.train(asked.session, X, Y, data.batches(6, 4), epoch=0)
    assert asked.passes == 1
    # The layer gives zeros: dL/dy is -2 y over the rows of the batch.
    for gradients, rows in zip(asked.steps, (slice(0, 4), slice(4, 6)), strict=True):
        dy = -2 * Y[rows] / len(Y[rows])
        np.testing.assert_allclose(gradients[0].ravel(), (X[rows].T @ dy).ravel())
        np.testing.assert_allclose(gradients[1], dy.sum(axis=0))
    assert logs == {
        "loss": pytest.approx(np.mean(Y**2)),
        "mean_absolute_error": pytest.approx(Y.mean()),
    }


def test_training_stops_after_the_batch_that_says_so():
    asked = Asked(stops_after=2)
    loops.train(asked.session, X, Y, data.batches(6, 1), epoch=0)
    assert len(asked.steps) == 2


def test_evaluation_takes_no_step():
    asked = Asked()
    logs = loops.validate(asked.session, X, Y, 4, epoch=0)
    assert not asked.steps
    assert logs["val_loss"] == pytest.approx(np.mean(Y**2))


def test_prediction_fills_the_outputs_batch_by_batch():
    seen = []

    class Watch(Callback):
        def on_predict_batch_end(self, batch, logs=None):
            seen.append(logs["outputs"].shape)

    layer = Asked().layer
    layer.set_weights([[[2.0], [0.0]], [1.0]])
    outputs = np.full((6, 1), np.nan)
    loops.predict([layer], X, outputs, 4, CallbackList([Watch()], None))
    np.testing.assert_array_equal(outputs[:, 0], 2 * X[:, 0] + 1)
    assert seen == [(4, 1), (2, 1)]
