"""Weights of losses and what a reduction makes of them: by hand, and by central differences."""

import numpy as np
import pytest

from rnnfast import Sequential, layers, losses

ROWS = (slice(0, 1), slice(1, None))  # two parts of a batch

RNG = np.random.default_rng(8)
B, T, V = 3, 2, 4
LOGITS = RNG.normal(size=(B, T, V))
SOFTMAX = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=-1, keepdims=True)
LABELS = np.array([[1, 0], [2, 2], [0, 3]])
ONE_HOT = np.eye(V)[LABELS]
STEPS = np.array([[0.5, 2.0], [0.0, 1.0], [3.0, 0.25]])

REDUCTIONS = ["sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None]
# Every class, and both doors of the cross-entropies.
LOSSES = {
    "mse": (losses.MeanSquaredError, {}, ONE_HOT, LOGITS),
    "mae": (losses.MeanAbsoluteError, {}, ONE_HOT, LOGITS),
    "huber": (losses.Huber, {"delta": 0.5}, ONE_HOT, LOGITS),
    "sparse": (losses.SparseCategoricalCrossentropy, {}, LABELS, SOFTMAX),
    "sparse_ignored": (
        losses.SparseCategoricalCrossentropy,
        {"ignore_class": 2, "from_logits": True},
        LABELS,
        LOGITS,
    ),
    "categorical": (losses.CategoricalCrossentropy, {}, ONE_HOT, SOFTMAX),
    "categorical_logits": (
        losses.CategoricalCrossentropy,
        {"from_logits": True},
        ONE_HOT,
        LOGITS,
    ),
    "binary": (losses.BinaryCrossentropy, {}, ONE_HOT, SOFTMAX),
    "binary_logits": (losses.BinaryCrossentropy, {"from_logits": True}, ONE_HOT, LOGITS),
}


@pytest.mark.parametrize("weights", [STEPS, STEPS[:, 0], STEPS[:, :1], 2.0, None], ids=str)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", LOSSES)
def test_weighted_gradient_agrees_with_central_differences(name, reduction, weights):
    make, options, y_true, y_pred = LOSSES[name]
    loss = make(**options, reduction=reduction)
    value, grad = loss.value_and_grad(y_true, y_pred, weights)
    np.testing.assert_allclose(value, loss(y_true, y_pred, sample_weight=weights), rtol=1e-14)
    assert np.shape(value) == ((B, T) if reduction in ("none", None) else ())
    step = 1e-6
    for index in np.ndindex(*y_pred.shape):
        ahead, behind = y_pred.copy(), y_pred.copy()
        ahead[index] += step
        behind[index] -= step
        rise = np.sum(loss(y_true, ahead, weights)) - np.sum(loss(y_true, behind, weights))
        assert grad[index] == pytest.approx(rise / (2 * step), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("name", LOSSES)
def test_float32_stays_float32(name):
    make, options, y_true, y_pred = LOSSES[name]
    loss = make(**options)
    value, grad = loss.value_and_grad(y_true, y_pred, STEPS)
    value32, grad32 = loss.value_and_grad(y_true, y_pred.astype(np.float32), STEPS)
    eps = float(np.finfo(np.float32).eps)
    assert grad32.dtype == np.float32
    assert value32 == pytest.approx(value, rel=20 * eps)
    np.testing.assert_allclose(grad32, grad, rtol=50 * eps, atol=50 * eps)


@pytest.mark.parametrize(
    ("reduction", "weights", "expected"),
    [
        # The losses are [[1, 4], [9, 16]].
        ("sum", [[1, 0], [2, 0.5]], 1 + 18 + 8),
        ("mean", [[1, 0], [2, 0.5]], 27 / 4),
        ("sum_over_batch_size", [[1, 0], [2, 0.5]], 27 / 4),
        ("mean_with_sample_weight", [[1, 0], [2, 0.5]], 27 / 3.5),
        ("mean_with_sample_weight", None, 30 / 4),
        ("mean_with_sample_weight", [1, 3], (5 + 75) / 8),
        ("mean_with_sample_weight", [[0.25, 0], [0, 0.25]], 17 / 2),
        ("mean_with_sample_weight", np.zeros((2, 2)), 0.0),
        ("sum", [1, 0], 5),
        ("sum", [[1], [0]], 5),
        ("sum", [[[1], [0]], [[0], [1]]], 17),
        ("sum", [True, False], 5),
        (None, [[1, 0], [2, 0.5]], [[1, 0], [18, 8]]),
        ("none", None, [[1, 4], [9, 16]]),
    ],
)
def test_reduction_worked_by_hand(reduction, weights, expected):
    y_pred = np.array([[[1.0], [2.0]], [[3.0], [4.0]]])
    loss = losses.MeanSquaredError(reduction=reduction)
    np.testing.assert_allclose(loss(np.zeros_like(y_pred), y_pred, weights), expected, rtol=1e-14)


def test_steps_of_targets_without_a_last_axis_are_weighed_one_by_one():
    # Without weights Keras takes (B, T) beside (B, T, 1) for B samples of T values.
    y_pred = np.array([[[1.0], [2.0]], [[3.0], [4.0]]])
    weights = np.array([[1.0, 0.0], [2.0, 0.5]])
    for y_true in (np.zeros((2, 2)), np.zeros((2, 2, 1))):
        loss = losses.MeanSquaredError()
        value, grad = loss.value_and_grad(y_true, y_pred, weights)
        assert value == 27 / 4
        np.testing.assert_array_equal(grad, weights[..., None] * 2 * y_pred / 4)


def test_samples_of_targets_without_a_last_axis_are_weighed_whole():
    y_pred = np.array([[[1.0], [2.0]], [[3.0], [4.0]]])
    loss = losses.MeanSquaredError("sum")
    assert loss(np.zeros((2, 2)), y_pred, [1, 2]) == 2.5 + 2 * 12.5


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "mean_with_sample_weight"])
def test_losses_of_parts_times_their_denominators_add_up(reduction, weighted, masked):
    rng = np.random.default_rng(0)
    loss = losses.SparseCategoricalCrossentropy(
        from_logits=True, ignore_class=1, reduction=reduction
    )
    whole = [rng.integers(0, 3, (7, 4)), rng.normal(size=(7, 4, 3)), None, None]
    if weighted:
        whole[2] = rng.uniform(0, 2, (7, 4))
    if masked:
        whole[3] = rng.random((7, 4)) < 0.6
    parts = [[None if one is None else one[rows] for one in whole] for rows in ROWS]
    below = [loss.denominator(*part) for part in parts]
    assert len({*below}) == 2
    assert sum(below) == pytest.approx(loss.denominator(*whole), rel=1e-12)
    total = sum(d * loss(*part) for d, part in zip(below, parts, strict=True))
    assert total == pytest.approx(sum(below) * loss(*whole), rel=1e-12)


def test_a_sum_is_divided_by_one():
    loss = losses.MeanSquaredError(reduction="sum")
    assert loss.denominator(np.zeros((5, 2)), np.ones((5, 2)), np.full(5, 0.5)) == 1


def test_ones_change_no_bit():
    for make, options, y_true, y_pred in LOSSES.values():
        loss = make(**options)
        value, grad = loss.value_and_grad(y_true, y_pred)
        weighted, weighted_grad = loss.value_and_grad(y_true, y_pred, np.ones((B, T)))
        assert weighted == value
        np.testing.assert_array_equal(weighted_grad, grad)


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum", "mean_with_sample_weight"])
def test_an_ignored_class_is_as_if_it_were_not_there(reduction, from_logits):
    y_pred = LOGITS if from_logits else SOFTMAX
    loss = losses.SparseCategoricalCrossentropy(from_logits, -1, reduction)
    there = np.array([[True, False], [True, True], [False, True]])
    value, grad = loss.value_and_grad(np.where(there, LABELS, -1), y_pred, STEPS)
    wanted, grad_there = loss.value_and_grad(LABELS[there], y_pred[there], STEPS[there])
    assert value == pytest.approx(wanted, rel=1e-14)
    np.testing.assert_allclose(grad[there], grad_there, rtol=1e-13)
    np.testing.assert_array_equal(grad[~there], 0.0)


def test_an_ignored_class_in_a_model_that_ends_in_softmax():
    model = Sequential(
        [
            layers.Input((T, V)),
            layers.GRU(3, return_sequences=True, dtype="float64"),
            layers.Dense(V, "softmax", dtype="float64"),
        ]
    )
    loss = losses.SparseCategoricalCrossentropy(ignore_class=0)
    model.compile("sgd", loss)
    value = model.evaluate(LOGITS, LABELS, verbose=0)
    assert value == pytest.approx(loss(LABELS, model.predict(LOGITS, verbose=0)), rel=1e-12)


def test_nothing_but_the_ignored_class_costs_nothing():
    loss = losses.SparseCategoricalCrossentropy(True, ignore_class=1)
    value, grad = loss.value_and_grad(np.ones((B, T), int), LOGITS)
    assert value == 0.0
    np.testing.assert_array_equal(grad, 0.0)


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        (np.ones(4), ValueError, r"each sample, shape \(3,\), or .*shape \(3, 2\), got \(4,\)"),
        (np.ones((3, 3)), ValueError, r"got \(3, 3\)"),
        (np.ones((3, 2, 2)), ValueError, r"got \(3, 2, 2\)"),
        (np.array([1, -0.5, 1]), ValueError, "finite and at least 0, got -0.5"),
        (np.array([1, -2, 1]), ValueError, "finite and at least 0, got -2"),
        (np.array([1, np.nan, 1]), ValueError, "finite and at least 0, got nan"),
        (np.array([1, np.inf, 1]), ValueError, "finite and at least 0, got inf"),
        (np.array(["a", "b", "c"]), TypeError, "sample_weight must be an array of numbers, got"),
        ({0: 1.0}, TypeError, "array of numbers, got dict"),
    ],
)
def test_bad_weights_are_named(weights, error, message):
    for call in (losses.get("mse"), losses.get("mse").value_and_grad):
        with pytest.raises(error, match=message):
            call(ONE_HOT, LOGITS, weights)
