"""Agreement with Keras of what `fit` takes: weights, validation, data sets, frames."""

from __future__ import annotations

import numpy as np
import pytest

from keras_twins import TOLERANCE, assert_same_weights, keras, marks, with_same_weights
from rnnfast import Sequential, layers, optimizers, regularizers

pytestmark = marks

SAMPLES, STEPS, FEATURES, CLASSES = 10, 5, 3, 4
F64 = {"dtype": "float64"}


def classifier(kit):
    penalty = regularizers if kit is layers else keras.regularizers
    return [
        kit.Masking(**F64),
        kit.GRU(4, recurrent_regularizer=penalty.L2(0.1), name="gru", **F64),
        kit.Dense(3, kernel_regularizer="l1", trainable=False, name="frozen", **F64),
        kit.Dense(CLASSES, "softmax", bias_regularizer="l2", name="top", **F64),
    ]


def per_step(kit):
    return [
        kit.Masking(**F64),
        kit.LSTM(4, return_sequences=True, name="lstm", **F64),
        kit.Dense(CLASSES, "softmax", name="top", **F64),
    ]


def twins(rng, make=classifier, loss="sparse_categorical_crossentropy", weighted=None):
    ours, theirs = with_same_weights(rng, make, (STEPS, FEATURES))
    ours.compile(optimizers.SGD(0.05), loss, weighted_metrics=weighted)
    theirs.compile(keras.optimizers.SGD(0.05), loss, weighted_metrics=weighted)
    return ours, theirs


def data_of(rng, steps=False):
    x = rng.standard_normal((SAMPLES, STEPS, FEATURES))
    x[:4, 3:] = 0
    return x, rng.integers(CLASSES, size=(SAMPLES, STEPS) if steps else SAMPLES)


def assert_same_fit(ours, theirs, given, other=None, **options):
    """Fit both; `other` is what Keras gets in place of what we are given."""
    options = {"shuffle": False, "verbose": 0, "epochs": 2} | options
    wanted = theirs.fit(*(given if other is None else other), **options).history
    got = ours.fit(*given, **options).history
    assert sorted(got) == sorted(wanted)
    for name, values in wanted.items():
        np.testing.assert_allclose(got[name], values, **TOLERANCE, err_msg=name)
    assert_same_weights(ours, theirs)


@pytest.mark.parametrize("one_hot", [False, True])
def test_class_weights(one_hot):
    rng = np.random.default_rng(0)
    loss = "categorical_crossentropy" if one_hot else "sparse_categorical_crossentropy"
    ours, theirs = twins(rng, loss=loss, weighted=["accuracy"])
    x, y = data_of(rng)
    y = np.eye(CLASSES)[y] if one_hot else y
    assert_same_fit(ours, theirs, (x, y, 4), class_weight={0: 0.5, 2: 3.0})


def test_weights_of_samples():
    rng = np.random.default_rng(0)
    ours, theirs = twins(rng, weighted=["accuracy"])
    x, y = data_of(rng)
    weights = rng.random(SAMPLES)
    assert_same_fit(
        ours,
        theirs,
        (x, y, 4),
        sample_weight=weights,
        validation_data=(x, y, 1 - weights),
        validation_batch_size=3,
        validation_freq=[2],
    )


def test_weights_of_steps_that_are_masked():
    rng = np.random.default_rng(0)
    ours, theirs = twins(rng, per_step, weighted=["accuracy"])
    x, y = data_of(rng, steps=True)
    weights = rng.random((SAMPLES, STEPS))
    # In one batch: on PyTorch the loss of Keras scales the weights in place, each batch by the
    # share of its steps that are there, before weighted metrics take them.
    assert_same_fit(ours, theirs, (x, y, SAMPLES), sample_weight=weights, validation_split=0.3)


def test_metrics_that_are_weighted_and_not():
    rng = np.random.default_rng(0)
    ours, theirs = with_same_weights(rng, lambda kit: [kit.GRU(2, **F64)], (STEPS, FEATURES))
    x, y, weights = data_of(rng)[0], rng.standard_normal((SAMPLES, 2)), rng.random(SAMPLES)
    choices = {"metrics": ["mae"], "weighted_metrics": ["mae", "mse"]}
    ours.compile(optimizers.SGD(0.05), "mse", **choices)
    theirs.compile(keras.optimizers.SGD(0.05), "mse", **choices)
    assert_same_fit(ours, theirs, (x, y, 4), sample_weight=weights)


def test_steps_and_validation_of_generators():
    rng = np.random.default_rng(0)
    ours, theirs = twins(rng)
    x, y = data_of(rng)

    def forever():
        while True:
            for k in range(0, SAMPLES, 2):
                yield x[k : k + 2], y[k : k + 2]

    options = {"steps_per_epoch": 3, "epochs": 3, "validation_steps": 2}
    options |= {"validation_data": (x, y), "validation_batch_size": 4}
    options |= {"shuffle": False, "verbose": 0}
    wanted = theirs.fit(forever(), **options).history
    got = ours.fit(forever(), **options).history
    for name, values in wanted.items():
        np.testing.assert_allclose(got[name], values, **TOLERANCE, err_msg=name)
    assert_same_weights(ours, theirs)


class Numbered(keras.utils.PyDataset):
    def __init__(self, x, y):
        super().__init__()
        self.x, self.y, self.passes = x, y, 0

    def __len__(self):
        return 3

    def __getitem__(self, k):
        return self.x[4 * k : 4 * k + 4], self.y[4 * k : 4 * k + 4]

    def on_epoch_end(self):
        self.passes += 1


def torch_loader(x, y):
    from torch import from_numpy
    from torch.utils.data import DataLoader, TensorDataset

    return DataLoader(TensorDataset(from_numpy(x), from_numpy(y)), batch_size=4)


def tensorflow_data(x, y):
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((x, y)).batch(4)


def tensorflow_data_of_unknown_length(x, y):
    return tensorflow_data(x, y).filter(lambda *_: True)


def torch_tensors(x, y):
    from torch import from_numpy

    return from_numpy(x), from_numpy(y)


@pytest.mark.parametrize(
    "make", [Numbered, torch_loader, tensorflow_data, tensorflow_data_of_unknown_length]
)
def test_data_sets_of_other_libraries(make):
    rng = np.random.default_rng(0)
    ours, theirs = twins(rng)
    x, y = data_of(rng)
    given = make(x, y)
    assert_same_fit(ours, theirs, (given,), (x, y, 4), validation_data=(x, y))
    if isinstance(given, Numbered):
        assert given.passes == 2
    wanted = ours.evaluate(x, y, 4, verbose=0)
    assert ours.evaluate(make(x, y), verbose=0) == wanted
    whole = ours.predict(x, verbose=0)
    np.testing.assert_allclose(ours.predict(make(x, y), verbose=0), whole, rtol=1e-12)


def test_tensors_are_arrays():
    rng = np.random.default_rng(0)
    ours, theirs = twins(rng)
    x, y = data_of(rng)
    assert_same_fit(ours, theirs, (*torch_tensors(x, y), 4), (x, y, 4))


def test_frames_and_series_are_arrays():
    import pandas

    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((SAMPLES, 3)), rng.standard_normal(SAMPLES)
    index = rng.permutation(SAMPLES)  # samples are in the order of the rows
    frame = pandas.DataFrame(x, columns=["a", "b", "c"], index=index)
    series, weights = pandas.Series(y, index=index), pandas.Series(np.abs(y), index=index)

    def fitted(x, y, weights):
        model = Sequential([layers.Input((3,)), layers.Dense(1, kernel_initializer="ones", **F64)])
        model.compile(optimizers.SGD(0.1), "mse")
        options = {"sample_weight": weights, "validation_data": (x, y), "shuffle": False}
        history = model.fit(x, y, 4, 2, verbose=0, **options).history
        return history, model.predict(x, verbose=0).tolist()

    for got, wanted in (
        (fitted(frame, series, weights), fitted(x, y, np.abs(y))),
        (fitted(frame, frame["a"], None), fitted(x, x[:, 0], None)),
    ):
        for name, values in wanted[0].items():
            np.testing.assert_allclose(got[0][name], values, rtol=1e-12)
        np.testing.assert_allclose(got[1], wanted[1], rtol=1e-12)


def test_a_batch_by_itself():
    rng = np.random.default_rng(0)
    ours, theirs = twins(rng)
    x, y = data_of(rng)
    weights = rng.random(SAMPLES)
    for given in ((x, y), (x, y, weights), (x, y, None, {1: 2.0})):
        theirs.reset_metrics()  # here each batch has its own figures
        wanted = theirs.train_on_batch(*given)
        np.testing.assert_allclose(ours.train_on_batch(*given), wanted, **TOLERANCE)
    theirs.reset_metrics()
    np.testing.assert_allclose(
        ours.test_on_batch(x, y, weights), theirs.test_on_batch(x, y, weights), **TOLERANCE
    )
    np.testing.assert_allclose(ours.predict_on_batch(x), theirs.predict_on_batch(x), **TOLERANCE)
    assert_same_weights(ours, theirs)


def test_events_come_in_the_order_of_keras():
    import rnnfast.callbacks

    def heard(base, model, x, y):
        events = []

        class Heard(base):
            pass

        def note(name):
            return lambda self, *args, **kwargs: events.append((name, *args[:-1]))

        for name in dir(base):
            if name.startswith("on_") and "predict" not in name:
                setattr(Heard, name, note(name))
        model.fit(
            x, y, 4, 3, validation_data=(x, y), validation_freq=2, verbose=0, callbacks=[Heard()]
        )
        model.evaluate(x, y, 4, verbose=0, callbacks=[Heard()])
        return [event[0] for event in events if event[0] not in ("on_batch_begin", "on_batch_end")]

    rng = np.random.default_rng(0)
    ours, theirs = twins(rng)
    x, y = data_of(rng)
    wanted = heard(keras.callbacks.Callback, theirs, x, y)
    assert heard(rnnfast.callbacks.Callback, ours, x, y) == wanted
