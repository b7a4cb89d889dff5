"""Weights of metrics, which are repetitions, and what an interrupted epoch takes up again."""

import numpy as np
import pytest

from rnnfast import losses, metrics

RNG = np.random.default_rng(2)
B, T, V = 13, 3, 4
LABELS = RNG.integers(0, V, (B, T))
ONE_HOT = np.eye(V)[LABELS]
SOFTMAX = RNG.dirichlet(np.ones(V), (B, T))
COUNTS = RNG.integers(0, 4, B)

METRICS = {
    "accuracy": (lambda: metrics.get("accuracy"), LABELS, SOFTMAX),
    "Accuracy": (metrics.Accuracy, LABELS, SOFTMAX.argmax(axis=-1)),
    "BinaryAccuracy": (metrics.BinaryAccuracy, ONE_HOT, SOFTMAX),
    "CategoricalAccuracy": (metrics.CategoricalAccuracy, ONE_HOT, SOFTMAX),
    "SparseCategoricalAccuracy": (metrics.SparseCategoricalAccuracy, LABELS, SOFTMAX),
    "TopKCategoricalAccuracy": (lambda: metrics.TopKCategoricalAccuracy(2), ONE_HOT, SOFTMAX),
    "SparseTopKCategoricalAccuracy": (
        lambda: metrics.SparseTopKCategoricalAccuracy(2),
        LABELS,
        SOFTMAX,
    ),
    "MeanAbsoluteError": (metrics.MeanAbsoluteError, ONE_HOT, SOFTMAX),
    "MeanSquaredError": (metrics.MeanSquaredError, ONE_HOT, SOFTMAX),
    "RootMeanSquaredError": (metrics.RootMeanSquaredError, ONE_HOT, SOFTMAX),
    "Precision": (metrics.Precision, ONE_HOT, SOFTMAX),
    "Recall": (lambda: metrics.Recall([0.2, 0.4]), ONE_HOT, SOFTMAX),
    "AUC": (metrics.AUC, ONE_HOT, SOFTMAX),
    "LossMetric": (
        lambda: metrics.LossMetric(losses.SparseCategoricalCrossentropy(ignore_class=1)),
        LABELS,
        SOFTMAX,
    ),
    "MeanMetricWrapper": (
        lambda: metrics.get(lambda y_true, y_pred: abs(y_true - y_pred)),
        ONE_HOT,
        SOFTMAX,
    ),
}


def test_every_metric_is_here():
    classes = {getattr(metrics, name) for name in metrics.__all__ if name[0].isupper()}
    bases = {metrics.Metric, metrics.MeanMetric, metrics.FittingAccuracy}
    assert {cls.__name__ for cls in classes - bases} == METRICS.keys() - {"accuracy"}


@pytest.mark.parametrize("name", METRICS)
def test_a_weight_is_a_number_of_repetitions(name):
    make, y_true, y_pred = METRICS[name]
    weighted, repeated = make(), make()
    for rows in (slice(0, 8), slice(8, B)):
        weighted.update_state(y_true[rows], y_pred[rows], COUNTS[rows])
        repeated.update_state(
            np.repeat(y_true[rows], COUNTS[rows], 0), np.repeat(y_pred[rows], COUNTS[rows], 0)
        )
    assert np.all(repeated.result() > 0)
    np.testing.assert_allclose(weighted.result(), repeated.result(), rtol=1e-12)
    assert np.any(make()(y_true, y_pred) != weighted.result())


@pytest.mark.parametrize("name", METRICS)
def test_steps_of_no_weight_do_not_count(name):
    make, y_true, y_pred = METRICS[name]
    there = RNG.random((B, T)) > 0.4
    # As one sample, in which all steps are in one mean.
    wanted = make()(y_true[there][None], y_pred[there][None])
    as_one = [array.reshape(1, B * T, *array.shape[2:]) for array in (y_true, y_pred, there)]
    np.testing.assert_allclose(make()(*as_one), wanted, rtol=1e-12)


@pytest.mark.parametrize("name", METRICS)
def test_a_column_of_weights_and_ones(name):
    make, y_true, y_pred = METRICS[name]
    np.testing.assert_array_equal(
        make()(y_true, y_pred, COUNTS[:, None]), make()(y_true, y_pred, COUNTS)
    )
    np.testing.assert_allclose(
        make()(y_true, y_pred, np.ones((B, T))), make()(y_true, y_pred), rtol=1e-14
    )
    np.testing.assert_array_equal(make()(y_true, y_pred, np.zeros(B)), 0.0)


@pytest.mark.parametrize("weights", [None, COUNTS], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("name", METRICS)
def test_an_interrupted_epoch_goes_on_with_the_same_bits(name, weights):
    make, y_true, y_pred = METRICS[name]
    whole, before, after = make(), make(), make()
    first, second = slice(0, 8), slice(8, B)

    def update(metric, rows):
        metric.update_state(y_true[rows], y_pred[rows], None if weights is None else weights[rows])

    update(whole, first)
    update(before, first)
    state = before.get_state()
    update(before, second)  # what goes on before the kill leaves the saved state alone
    assert all(isinstance(value, (int, float, str, list, np.ndarray)) for value in state.values())
    after.set_state(state)
    np.testing.assert_array_equal(after.result(), whole.result())
    for metric in (whole, after):
        update(metric, second)
    np.testing.assert_array_equal(after.result(), whole.result())
    again = make()
    again.set_state(state)  # nor does what goes on after it
    update(again, second)
    np.testing.assert_array_equal(again.result(), whole.result())


@pytest.mark.parametrize("name", METRICS)
def test_the_state_of_a_metric_that_has_seen_nothing(name):
    make, y_true, y_pred = METRICS[name]
    metric = make()
    metric.update_state(y_true, y_pred)
    metric.set_state(make().get_state())
    np.testing.assert_array_equal(metric.result(), 0.0)
    np.testing.assert_array_equal(metric(y_true, y_pred), make()(y_true, y_pred))


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        (np.ones(B + 1), ValueError, r"weight for each sample, shape \(13,\)"),
        (np.ones((B, T + 1)), ValueError, "weight for each sample"),
        (-np.ones(B), ValueError, "at least 0, got -1"),
        (np.full(B, np.nan), ValueError, "at least 0, got nan"),
        (np.array(["a"] * B), TypeError, "sample_weight must be an array of numbers"),
    ],
)
def test_bad_weights_are_named_and_change_nothing(name, weights, error, message):
    make, y_true, y_pred = METRICS[name]
    metric = make()
    result = metric(y_true, y_pred)
    with pytest.raises(error, match=message):
        metric.update_state(y_true, y_pred, weights)
    np.testing.assert_array_equal(metric.result(), result)


def test_a_metric_of_ones_own_is_asked_for_its_state():
    class Largest(metrics.Metric):
        def reset_state(self):
            self.largest = 0.0

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.largest = max(self.largest, float(np.max(y_pred)))

        def result(self):
            return self.largest

    metric = Largest()
    metric.reset_state()
    assert metric(0, [1.0, 3.0]) == 3.0
    with pytest.raises(NotImplementedError, match=r"Largest .*give it get_state\(\)"):
        metric.get_state()
    with pytest.raises(NotImplementedError, match="Largest has no set_state"):
        metric.set_state({})
