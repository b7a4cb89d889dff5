"""Metrics beside those of Keras 3: their numbers, weights, names and arguments."""

import inspect
import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import pytest

from rnnfast import losses, metrics

# Keras 3.15.1 with NumPy 2 and the torch backend.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

EPS = float(np.finfo(np.float32).eps)

RNG = np.random.default_rng(3)
LABELS = RNG.integers(0, 7, (4, 5))
ONE_HOT = np.eye(7, dtype=np.float32)[LABELS]
LOGITS = (2 * RNG.normal(size=(4, 5, 7))).astype(np.float32)
SOFTMAX = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=-1, keepdims=True)
SIGMOID = 1 / (1 + np.exp(-LOGITS))
WEIGHTS = RNG.random((4, 5)).astype(np.float32) * (RNG.random((4, 5)) > 0.3)

METRICS = [
    ("Accuracy", {}, LABELS, LABELS * (RNG.random((4, 5)) > 0.5)),
    ("BinaryAccuracy", {}, ONE_HOT, SIGMOID),
    ("CategoricalAccuracy", {}, ONE_HOT, SOFTMAX),
    ("SparseCategoricalAccuracy", {}, LABELS, SOFTMAX),
    ("SparseCategoricalAccuracy", {}, LABELS[..., None], SOFTMAX),
    ("MeanAbsoluteError", {}, ONE_HOT, LOGITS),
    ("MeanAbsoluteError", {}, ONE_HOT[:, 0, 0], LOGITS[:, 0, :1]),
    ("MeanSquaredError", {}, ONE_HOT, LOGITS),
    ("MeanSquaredError", {}, ONE_HOT[:, :, 0], LOGITS[:, :, :1]),
    ("RootMeanSquaredError", {}, ONE_HOT, LOGITS),
    ("RootMeanSquaredError", {}, ONE_HOT[:, 0, 0], LOGITS[:, 0, :1]),
    ("TopKCategoricalAccuracy", {}, ONE_HOT, SOFTMAX),
    ("TopKCategoricalAccuracy", {"k": 2}, ONE_HOT[:, 0], SOFTMAX[:, 0]),
    ("TopKCategoricalAccuracy", {"k": 2}, ONE_HOT, np.round(SOFTMAX, 1)),
    ("SparseTopKCategoricalAccuracy", {"k": 3}, LABELS, SOFTMAX),
    ("SparseTopKCategoricalAccuracy", {"k": 3}, LABELS[:, :1], SOFTMAX[:, 0]),
    ("Precision", {}, ONE_HOT, SOFTMAX),
    ("Precision", {"thresholds": [0.1, 0.7, 0.3]}, ONE_HOT, SOFTMAX),
    ("Precision", {"thresholds": [0.0, 0.25, 0.5, 0.75, 1.0]}, ONE_HOT, np.round(SIGMOID, 1)),
    ("Precision", {"top_k": 2}, ONE_HOT[:, 0], LOGITS[:, 0]),
    ("Precision", {"top_k": 2, "thresholds": 0.2}, ONE_HOT, SOFTMAX),
    ("Precision", {"class_id": 3, "thresholds": 0.1}, ONE_HOT, SOFTMAX),
    ("Recall", {}, ONE_HOT[:, :, 0], SIGMOID[:, :, :1]),
    ("Recall", {"thresholds": [0.1, 0.7, 0.3]}, ONE_HOT, SOFTMAX),
    ("Recall", {"top_k": 3, "class_id": 2}, ONE_HOT, SOFTMAX),
    ("Recall", {"class_id": 3, "thresholds": [0.1]}, ONE_HOT, SOFTMAX),
    *(
        ("AUC", {"curve": curve, "summation_method": method, **options}, ONE_HOT, y_pred)
        for curve in ("ROC", "PR")
        for method in ("interpolation", "minoring", "majoring")
        for options, y_pred in (
            ({}, SIGMOID),
            ({"num_thresholds": 7}, SOFTMAX),
            ({"num_thresholds": 11}, np.round(SIGMOID, 1)),
            ({"thresholds": [0.6, 0.1, 0.35]}, SOFTMAX),
            ({"from_logits": True}, LOGITS),
        )
    ),
    ("AUC", {}, ONE_HOT[:, 0, 0], SIGMOID[:, 0, :1]),
    ("AUC", {}, np.zeros_like(ONE_HOT), SIGMOID),
    ("AUC", {"curve": "PR"}, np.ones_like(ONE_HOT), SIGMOID),
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "config", "y_true", "y_pred"), METRICS)
def test_metric(name, config, y_true, y_pred, weighted):
    ours, theirs = getattr(metrics, name)(**config), getattr(keras.metrics, name)(**config)
    # One weight for each row of classes, or for each sample where there are no steps.
    weights = WEIGHTS if y_pred.shape[1:] == (5, 7) else WEIGHTS[:, 0]
    for rows in (slice(0, 3), slice(3, 4)):
        weight = weights[rows] if weighted else None
        ours.update_state(y_true[rows], y_pred[rows], weight)
        theirs.update_state(y_true[rows], y_pred[rows], weight)
    wanted = keras.ops.convert_to_numpy(theirs.result())
    # Keras subtracts counts of float32 from each other, and divides by what is left.
    np.testing.assert_allclose(ours.result(), wanted, rtol=100 * EPS, atol=10 * EPS)


@pytest.mark.parametrize(
    "name", ["bce", "binary_crossentropy", "categorical_crossentropy", "mse", "mae"]
)
def test_metric_by_name(name):
    theirs = keras.metrics.get(name)
    ours = metrics.get(name)
    for rows in (slice(0, 3), slice(3, 4)):
        ours.update_state(ONE_HOT[rows], SOFTMAX[rows], WEIGHTS[rows])
        theirs.update_state(ONE_HOT[rows], SOFTMAX[rows], WEIGHTS[rows])
    assert ours.result() == pytest.approx(float(theirs.result()), rel=50 * EPS)


def test_names_are_those_of_keras():
    from keras.src.metrics import ALL_OBJECTS_DICT

    from rnnfast.metrics import _BY_NAME

    ours = _BY_NAME.keys() - {"accuracy", "acc", "Accuracy", "ACC"}  # by the trainer
    assert ours <= ALL_OBJECTS_DICT.keys()


def test_a_function_and_a_loss():
    def ours(y_true, y_pred):
        return np.abs(y_true - y_pred).max(axis=-1)

    def theirs(y_true, y_pred):
        return keras.ops.max(keras.ops.abs(y_true - y_pred), axis=-1)

    wanted = keras.metrics.MeanMetricWrapper(theirs)(ONE_HOT, SOFTMAX, WEIGHTS)
    assert metrics.get(ours)(ONE_HOT, SOFTMAX, WEIGHTS) == pytest.approx(float(wanted), rel=1e-6)
    # One batch, as Keras takes the mean of batches there.
    wanted = keras.metrics.MeanMetricWrapper(keras.losses.Huber())(ONE_HOT, LOGITS)
    assert metrics.get(losses.Huber())(ONE_HOT, LOGITS) == pytest.approx(float(wanted), rel=1e-6)


@pytest.mark.parametrize("name", sorted({name for name, *_ in METRICS}))
def test_metrics_have_keras_arguments(name):
    ours = inspect.signature(getattr(metrics, name)).parameters.values()
    theirs = inspect.signature(getattr(keras.metrics, name)).parameters.values()
    assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in theirs]


@pytest.mark.parametrize(
    ("y_true", "y_pred"),
    [
        (LABELS, SOFTMAX),
        (LABELS[..., None], SOFTMAX),
        (ONE_HOT, SOFTMAX),
        (ONE_HOT[:, :, 0], SIGMOID[:, :, :1]),
        (ONE_HOT[:, :, :1], SIGMOID[:, :, :1]),
    ],
)
def test_accuracy_by_shape(y_true, y_pred):
    from keras.src.trainers.compile_utils import get_metric

    theirs = get_metric("accuracy", y_true, y_pred)
    theirs.update_state(y_true, y_pred)
    ours = metrics.get("accuracy")
    assert ours(y_true, y_pred) == pytest.approx(float(theirs.result()), rel=10 * EPS)
