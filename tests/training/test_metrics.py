"""Metrics: values worked by hand, batches of unequal size, the choice behind "accuracy"."""

import numpy as np
import pytest

from rnnfast import metrics


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


@pytest.mark.parametrize(
    ("identifier", "cls", "name"),
    [
        ("mae", metrics.MeanAbsoluteError, "mae"),
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
    assert metric.name == name


def test_config_makes_an_equal_metric():
    metric = metrics.BinaryAccuracy("above", threshold=0.25)
    again = metrics.BinaryAccuracy.from_config(metric.get_config())
    assert (again.name, again.threshold) == ("above", 0.25)


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


def test_unknown_metric_and_argument_are_named():
    with pytest.raises(ValueError, match="unknown metric 'auc'"):
        metrics.get("auc")
    with pytest.raises(NotImplementedError, match="dtype"):
        metrics.MeanAbsoluteError(dtype="float16")
