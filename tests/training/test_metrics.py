"""Metrics: values worked by hand, batches of unequal size, the choice behind "accuracy"."""

import json

import numpy as np
import pytest

from rnnfast import losses, metrics


def largest(y_true, y_pred):
    return y_pred.max(axis=-1)


@pytest.mark.parametrize(
    ("metric", "y_true", "y_pred", "expected"),
    [
        (metrics.Accuracy(), [1, 2, 3, 4], [0, 2, 3, 4], 0.75),
        (metrics.BinaryAccuracy(), [[1], [1], [0], [0]], [[0.98], [1], [0], [0.6]], 0.75),
        (metrics.BinaryAccuracy(), [1, 1, 0, 0], [[0.98], [1], [0], [0.6]], 0.75),
        (metrics.BinaryAccuracy(threshold=0.0), [[0], [1]], [[-0.5], [0.1]], 1.0),
        (metrics.CategoricalAccuracy(), [[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0, 1, 0]], 0.5),
        (metrics.SparseCategoricalAccuracy(), [2, 1], [[0.1, 0.6, 0.3], [0.05, 0.95, 0]], 0.5),
        (metrics.SparseCategoricalAccuracy(), [2.0, 1], [[0.1, 0.6, 0.3], [0.05, 0.95, 0]], 0.5),
        (metrics.SparseCategoricalAccuracy(), [[2], [1]], [[0.1, 0.6, 0.3], [0.05, 0.95, 0]], 0.5),
        (metrics.MeanAbsoluteError(), [[0, 1], [0, 0]], [[1, 1], [0, -2]], 0.75),
        (metrics.MeanSquaredError(), [[0, 1], [0, 0]], [[1, 1], [0, -2]], 1.25),
        (metrics.RootMeanSquaredError(), [[0, 1], [0, 0]], [[1, 1], [0, -2]], 1.25**0.5),
        (metrics.RootMeanSquaredError(), [0, 1, 0, 0], [[1], [1], [0], [-2]], 1.25**0.5),
        (metrics.SparseTopKCategoricalAccuracy(2), [2, 1], [[0.1, 0.6, 0.3], [5, -1, 0]], 0.5),
        (metrics.SparseTopKCategoricalAccuracy(1), [[2], [1]], [[0.5, 0, 0.5], [5, 1, 0]], 0.5),
        (metrics.SparseTopKCategoricalAccuracy(9), [2, 1], [[0.1, 0.6, 0.3], [5, -1, 0]], 1.0),
        (metrics.SparseTopKCategoricalAccuracy(2), [2, 1], [[0, 1, np.nan], [5, 1, 0]], 0.5),
        (
            metrics.TopKCategoricalAccuracy(2),
            [[0, 0, 1], [0, 1, 0]],
            [[0.1, 0.6, 0.3], [5, -1, 0]],
            0.5,
        ),
        (metrics.LossMetric("mae"), [[0, 1], [0, 0]], [[1, 1], [0, -2]], 0.75),
        (metrics.LossMetric(losses.MeanAbsoluteError("sum")), [[0], [0]], [[1], [2]], 1.5),
        (
            metrics.LossMetric(losses.SparseCategoricalCrossentropy(True, ignore_class=0)),
            [1, 0],
            [[0, 0], [9, 9]],
            np.log(2),
        ),
        (metrics.MeanMetricWrapper(lambda t, p: abs(t - p)), [1, 2], [[2], [4]], 1.5),
    ],
)
def test_value_worked_by_hand(metric, y_true, y_pred, expected):
    y_true, y_pred = np.array(y_true), np.array(y_pred, np.float32)
    assert metric(y_true, y_pred) == pytest.approx(expected)
    metric.reset_state()
    assert metric.result() == 0.0
    for row in range(len(y_true)):
        metric.update_state(y_true[row : row + 1], y_pred[row : row + 1])
    assert metric.result() == pytest.approx(expected)


def test_batches_weigh_by_their_samples():
    metric = metrics.get("mae")
    metric.update_state(np.zeros((3, 1)), np.ones((3, 1)))
    metric.update_state(np.zeros((1, 1)), np.full((1, 1), 5.0))
    assert metric.result() == 2.0


def test_a_long_sum_keeps_its_digits():
    metric = metrics.get("mse")
    for _ in range(100):
        metric.update_state(np.zeros(10**5, np.float32), np.full(10**5, 0.1, np.float32))
    assert metric.result() == pytest.approx(np.float32(0.1) * np.float32(0.1), rel=1e-7)


@pytest.mark.parametrize("name", ["accuracy", "acc"])
@pytest.mark.parametrize(
    ("y_true", "y_pred", "expected"),
    [
        ([[1], [0]], [[0.9], [0.8]], 0.5),  # binary
        ([1, 0], [[0.9], [0.8]], 0.5),  # binary
        ([1, 0], [[0.9, 0.1], [0.8, 0.2]], 0.5),  # class numbers
        ([[1], [0]], [[0.9, 0.1], [0.8, 0.2]], 0.5),  # class numbers
        ([[0, 1], [1, 0]], [[0.9, 0.1], [0.8, 0.2]], 0.5),  # one-hot
        ([[[0, 1], [1, 0]]], [[[0.9, 0.1], [0.8, 0.2]]], 0.5),  # one-hot over time
    ],
)
def test_accuracy_is_the_one_that_fits_the_shapes(name, y_true, y_pred, expected):
    metric = metrics.get(name)
    assert metric.name == name
    assert metric.result() == 0.0
    assert metric(np.array(y_true), np.array(y_pred)) == expected
    metric.reset_state()
    assert metric.result() == 0.0


def test_a_batch_that_is_refused_does_not_choose_the_accuracy():
    metric = metrics.get("accuracy")
    with pytest.raises(ValueError, match="shape of y_pred"):
        metric(np.zeros(3), np.zeros((2, 1)))
    assert metric(np.array([0, 1]), np.eye(2)) == 1.0


@pytest.mark.parametrize(
    ("identifier", "cls", "name"),
    [
        ("mae", metrics.MeanAbsoluteError, "mae"),
        ("root_mean_squared_error", metrics.RootMeanSquaredError, "root_mean_squared_error"),
        ("top_k_categorical_accuracy", metrics.TopKCategoricalAccuracy, None),
        ("sparse_top_k_categorical_accuracy", metrics.SparseTopKCategoricalAccuracy, None),
        ("auc", metrics.AUC, "auc"),
        ("AUC", metrics.AUC, "AUC"),
        ("precision", metrics.Precision, "precision"),
        ("recall", metrics.Recall, "recall"),
        ("bce", metrics.LossMetric, "bce"),
        ("sparse_categorical_crossentropy", metrics.LossMetric, None),
        (losses.Huber(name="h"), metrics.LossMetric, "h"),
        (losses.MeanSquaredError, metrics.LossMetric, "mean_squared_error"),
        (largest, metrics.MeanMetricWrapper, "largest"),
        ({"class_name": "Accuracy", "config": {"name": "a"}}, metrics.Accuracy, "a"),
        ("mean_absolute_error", metrics.MeanAbsoluteError, "mean_absolute_error"),
        ("mse", metrics.MeanSquaredError, "mse"),
        ("BinaryAccuracy", metrics.BinaryAccuracy, "BinaryAccuracy"),
        (metrics.BinaryAccuracy, metrics.BinaryAccuracy, "binary_accuracy"),
        (metrics.Accuracy(), metrics.Accuracy, "accuracy"),
        (
            {"class_name": "BinaryAccuracy", "config": {"threshold": 0.1}},
            metrics.BinaryAccuracy,
            "binary_accuracy",
        ),
    ],
)
def test_get(identifier, cls, name):
    metric = metrics.get(identifier)
    assert type(metric) is cls
    assert metric.name == (name or identifier)


@pytest.mark.parametrize(
    "metric",
    [
        metrics.BinaryAccuracy("above", threshold=0.25),
        metrics.SparseTopKCategoricalAccuracy(3, "best"),
        metrics.TopKCategoricalAccuracy(3, "best"),
        metrics.Precision([0.1, 0.5], class_id=1, name="p"),
        metrics.Recall(top_k=2, name="r"),
        metrics.AUC(7, "PR", "majoring", "a", from_logits=True),
        metrics.AUC(thresholds=[0.5, 0.1], name="a"),
        metrics.LossMetric(losses.Huber(delta=0.5), "h"),
        metrics.get("accuracy"),
    ],
    ids=lambda metric: type(metric).__name__,
)
def test_config_makes_an_equal_metric(metric):
    config = json.loads(json.dumps(metric.get_config()))
    again = metrics.get({"class_name": type(metric).__name__, "config": config})
    assert type(again) is type(metric)
    assert again.get_config() == metric.get_config()


@pytest.mark.parametrize(
    ("metric", "y_true", "y_pred", "message"),
    [
        ("mae", np.zeros((2, 3)), np.zeros((2, 4)), "shape of y_pred"),
        ("binary_accuracy", np.zeros(3), np.zeros((2, 1)), "shape of y_pred"),
        ("categorical_accuracy", np.zeros(2), np.zeros((2, 3)), "SparseCategoricalAccuracy"),
        ("sparse_categorical_accuracy", np.zeros(3, int), np.zeros((2, 3)), r"labels of shape"),
        ("sparse_categorical_accuracy", np.eye(2), np.eye(2), "one-hot targets use CategoricalAcc"),
        ("sparse_categorical_accuracy", [0, 0.5], np.zeros((2, 3)), "which are whole, got 0.5"),
    ],
)
def test_bad_input_is_named(metric, y_true, y_pred, message):
    with pytest.raises(ValueError, match=message):
        metrics.get(metric).update_state(y_true, y_pred)


@pytest.mark.parametrize("metric", ["mae", "accuracy", "precision", "auc"])
def test_names_in_place_of_numbers_are_refused(metric):
    with pytest.raises(TypeError, match=r"y_true must hold numbers, got dtype <U1; number the nam"):
        metrics.get(metric)(np.array(["a", "b"]), np.zeros(2))
    with pytest.raises(TypeError, match="y_pred must hold numbers, got dtype object"):
        metrics.get(metric)(np.zeros(2), np.array([None, None]))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: metrics.get("aucc"), ValueError, "unknown metric 'aucc'; did you mean 'auc'"),
        (lambda: metrics.get("hinge"), ValueError, "unknown metric 'hinge'"),
        (lambda: metrics.MeanAbsoluteError(dtype="float16"), NotImplementedError, "dtype"),
        (lambda: metrics.TopKCategoricalAccuracy(0), ValueError, "k must be a positive integer"),
        (
            lambda: metrics.SparseTopKCategoricalAccuracy(from_sorted_ids=True),
            NotImplementedError,
            "from_sorted_ids",
        ),
        (lambda: metrics.MeanMetricWrapper(3), TypeError, "fn must be a function, got 3"),
    ],
)
def test_unknown_metric_and_argument_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_loss_that_is_a_function_has_a_config():
    def gap(y_true, y_pred):
        return abs(y_pred - y_true)[:, 0], np.sign(y_pred - y_true)

    metric = metrics.LossMetric(gap)
    again = metrics.LossMetric.from_config(metric.get_config())
    assert again(np.zeros(2), np.array([[1.0], [2.0]])) == 1.5
    assert again.name == "gap"


def test_a_misspelt_attribute_is_an_error():
    with pytest.raises(AttributeError, match="did you mean 'threshold'"):
        metrics.BinaryAccuracy().treshold = 0.2


@pytest.mark.parametrize(
    ("fn", "error", "message"),
    [
        (lambda t, p: p[:2], ValueError, r"number for each of the 3 samples, or one for all, got"),
        (lambda t, p: "good", TypeError, "the metric <lambda> must return numbers"),
        (lambda t, p: (p, p), TypeError, "got a tuple; .*use LossMetric"),
    ],
)
def test_what_a_function_must_return_is_told(fn, error, message):
    with pytest.raises(error, match=message):
        metrics.get(fn)(np.zeros(3), np.zeros((3, 1)))


def test_a_function_that_gives_one_number_a_batch():
    metric = metrics.get(lambda y_true, y_pred: np.mean(y_pred))
    metric.update_state(np.zeros(3), np.full(3, 1.0))
    metric.update_state(np.zeros(1), np.full(1, 3.0))
    assert metric.result() == 2.0
    with pytest.raises(ValueError, match="sample_weight must have a weight for each sample"):
        metric.update_state(np.zeros(3), np.zeros(3), np.ones(3))


def test_a_function_with_options():
    def below(y_true, y_pred, limit=0.0):
        return abs(y_true - y_pred) < limit

    metric = metrics.MeanMetricWrapper(below, limit=1.5)
    assert metric(np.zeros(4), np.arange(4.0)) == 0.5
    assert type(metric).from_config(metric.get_config())(np.zeros(4), np.arange(4.0)) == 0.5
