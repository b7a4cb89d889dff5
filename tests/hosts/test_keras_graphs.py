"""Agreement with Keras of layers in graphs: results, losses, metrics, weights after training."""

from __future__ import annotations

import numpy as np
import pytest

from graph_models import GRAPHS, data_for
from keras_twins import TOLERANCE, keras, marks
from rnnfast import Model, layers, optimizers

pytestmark = marks

SAMPLES = 9


def twins(make, rng):
    """The graph of each library, with equal weights of layers of equal names."""
    ours, theirs = make(layers, Model), make(keras.layers, keras.Model)
    for layer in theirs.layers:
        if layer.weights:
            weights = [0.5 * rng.standard_normal(w.shape) for w in layer.get_weights()]
            layer.set_weights(weights)
            ours.get_layer(layer.name).set_weights(weights)
    return ours, theirs


def assert_same_weights(ours, theirs):
    for layer in theirs.layers:
        if layer.weights:
            own = ours.get_layer(layer.name).get_weights()
            for got, wanted in zip(own, layer.get_weights(), strict=True):
                np.testing.assert_allclose(got, wanted, **TOLERANCE, err_msg=layer.name)


def assert_same_logs(got, wanted):
    assert sorted(got) == sorted(wanted)  # Keras's are sorted, here the loss comes first
    for name, values in wanted.items():
        np.testing.assert_allclose(got[name], values, **TOLERANCE, err_msg=name)


@pytest.mark.filterwarnings("ignore:Gradients do not exist for variables")
@pytest.mark.parametrize("make", GRAPHS.values(), ids=GRAPHS.keys())
def test_graphs_compute_and_train_the_same(make):
    rng = np.random.default_rng(0)
    ours, theirs = twins(make, rng)
    inputs, targets = data_for(ours, rng, SAMPLES)
    x = inputs[0] if len(inputs) == 1 else inputs
    one = len(targets) == 1
    y = targets[0] if one else targets
    wanted = theirs.predict(x, verbose=0)
    got = ours.predict(x, verbose=0)
    for own, other in zip([got] if one else got, [wanted] if one else wanted, strict=True):
        np.testing.assert_allclose(own, other, **TOLERANCE)
    metrics = ["mae"] if one else [["mae"], ["mse", "mae"]]
    weights = None if one else [1.0, 0.3]
    loss = "mse" if one else ["mse", "mse"]
    ours.compile(optimizers.SGD(1e-2), loss, weights, metrics)
    theirs.compile(keras.optimizers.SGD(1e-2), loss, weights, metrics)
    options = {"batch_size": 4, "epochs": 3, "shuffle": False, "verbose": 0}
    sample_weight = [rng.random(target.shape[:-1]) for target in targets]
    options["sample_weight"] = sample_weight[0] if one else sample_weight
    history = theirs.fit(x, y, **options)
    assert_same_logs(ours.fit(x, y, **options).history, history.history)
    assert_same_weights(ours, theirs)
    wanted = theirs.evaluate(x, y, batch_size=4, verbose=0, return_dict=True)
    assert_same_logs(ours.evaluate(x, y, 4, verbose=0, return_dict=True), wanted)
    wanted = theirs.evaluate(x, y, batch_size=4, verbose=0)
    np.testing.assert_allclose(ours.evaluate(x, y, 4, verbose=0), wanted, **TOLERANCE)
