"""The loops by themselves: what they ask of a session, and when."""

import numpy as np
import pytest

from rnnfast import layers, losses, metrics
from rnnfast.callbacks import Callback
from rnnfast.callbacks.callback_list import CallbackList
from rnnfast.layers.value import Value
from rnnfast.training import batches, loops
from rnnfast.training.feed import Feed
from rnnfast.training.graph import chain
from rnnfast.training.judges import Judge
from rnnfast.training.objective import Objective, Target
from rnnfast.training.predictions import InPlace
from rnnfast.training.samples import Samples
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
            Objective(chain([self.layer]), [Target("y", losses.MeanSquaredError())]),
            judges=self.judges,
            step=self.steps.append,
            stopped=lambda: len(self.steps) >= stops_after,
            listeners=CallbackList([], None),
        )

    def judges(self):
        self.passes += 1
        metric = metrics.MeanAbsoluteError()
        return [Judge(metric.name, metric, 0, False)]

    def train(self, size):
        samples = Samples([X], [Y], [None])
        feed = Feed(
            lambda _: batches.in_order(len(X), size),
            samples.batch,
            None,
            np.random.default_rng(),
            [],
        )
        return loops.train(self.session, feed, self.session.scores(), epoch=0)


def test_every_batch_is_a_step():
    asked = Asked()
    logs = asked.train(4)
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
    asked.train(1)
    assert len(asked.steps) == 2


def test_evaluation_takes_no_step():
    asked = Asked()
    samples = Samples([X], [Y], [None])
    logs = loops.validate(asked.session, map(samples.batch, batches.in_order(6, 4)), epoch=0)
    assert not asked.steps
    assert logs["val_loss"] == pytest.approx(np.mean(Y**2))


def test_prediction_fills_the_outputs_batch_by_batch():
    seen = []

    class Watch(Callback):
        def on_predict_batch_end(self, batch, logs=None):
            seen.append(logs["outputs"].shape)

    layer = Asked().layer
    layer.set_weights([[[2.0], [0.0]], [1.0]])
    rows = list(batches.in_order(6, 4))
    outputs = InPlace(rows, 6)
    inputs = ([Value(X[batch])] for batch in rows)
    loops.predict(chain([layer]), inputs, outputs.put, CallbackList([Watch()], None))
    np.testing.assert_array_equal(outputs.result()[0][:, 0], 2 * X[:, 0] + 1)
    assert seen == [(4, 1), (2, 1)]
