"""Losses: values worked by hand, gradients by central differences, what is refused."""

import math

import numpy as np
import pytest

from rnnfast import losses

LOG = math.log

LABELS = np.array([[1, 0], [2, 2], [0, 3]])
ONE_HOT = np.eye(4)[LABELS]


def softmax(z):
    e = np.exp(z)
    return e / e.sum(axis=-1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def logits(shape=(3, 2, 4)):
    return np.random.default_rng(5).normal(size=shape) * 2


# Every formula of the package once: loss, targets, predictions away from where clipping bites.
CASES = {
    "mse": (losses.MeanSquaredError(), ONE_HOT * 3, logits()),
    "mse_sum": (losses.MeanSquaredError(reduction="sum"), ONE_HOT, logits()),
    "mse_column": (losses.MeanSquaredError(), np.arange(3.0), logits((3, 1))),
    "mse_last_axis_1": (losses.MeanSquaredError(), ONE_HOT[:, :, 0], logits((3, 2, 1))),
    "mae": (losses.MeanAbsoluteError(), ONE_HOT, logits()),
    "mae_last_axis_1": (losses.MeanAbsoluteError(), ONE_HOT[:, :, 0], logits((3, 2, 1))),
    "huber": (losses.Huber(), ONE_HOT * 3, logits()),
    "huber_delta": (losses.Huber(delta=0.4, reduction="sum"), ONE_HOT, logits()),
    "sparse": (losses.SparseCategoricalCrossentropy(), LABELS, softmax(logits())),
    "sparse_unnormalised": (losses.SparseCategoricalCrossentropy(), LABELS, 3 * softmax(logits())),
    "sparse_column": (losses.SparseCategoricalCrossentropy(), LABELS[..., None], softmax(logits())),
    "sparse_sum": (
        losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum"),
        LABELS,
        logits(),
    ),
    "sparse_logits": (losses.SparseCategoricalCrossentropy(from_logits=True), LABELS, logits()),
    "sparse_ignored": (
        losses.SparseCategoricalCrossentropy(ignore_class=2),
        LABELS,
        softmax(logits()),
    ),
    "sparse_ignored_logits": (
        losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1),
        np.where(LABELS == 0, -1, LABELS),
        logits(),
    ),
    "categorical": (losses.CategoricalCrossentropy(), ONE_HOT, 2 * softmax(logits())),
    "categorical_logits": (
        losses.CategoricalCrossentropy(from_logits=True),
        ONE_HOT,
        logits(),
    ),
    "categorical_any_targets": (
        losses.CategoricalCrossentropy(from_logits=True),
        np.abs(logits()),
        logits(),
    ),
    "categorical_smooth": (
        losses.CategoricalCrossentropy(label_smoothing=0.1),
        ONE_HOT,
        softmax(logits()),
    ),
    "categorical_smooth_logits": (
        losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        ONE_HOT,
        logits(),
    ),
    "binary": (losses.BinaryCrossentropy(), ONE_HOT, sigmoid(logits())),
    "binary_smooth": (losses.BinaryCrossentropy(label_smoothing=0.2), ONE_HOT, sigmoid(logits())),
    "binary_logits": (losses.BinaryCrossentropy(from_logits=True), ONE_HOT, logits()),
    "binary_column": (
        losses.BinaryCrossentropy(from_logits=True),
        np.array([0, 1, 1]),
        logits((3, 1)),
    ),
}

UNNORMALISED = pytest.mark.filterwarnings("ignore:.*a row of them sums to:UserWarning")


@UNNORMALISED
@pytest.mark.parametrize("name", CASES)
def test_gradient_agrees_with_central_differences(name):
    loss, y_true, y_pred = CASES[name]
    value, grad = loss.value_and_grad(y_true, y_pred)
    assert value == pytest.approx(loss(y_true, y_pred), rel=1e-14)
    assert grad.shape == y_pred.shape
    assert grad.dtype == y_pred.dtype
    step = 1e-6
    for index in np.ndindex(*y_pred.shape):
        ahead, behind = y_pred.copy(), y_pred.copy()
        ahead[index] += step
        behind[index] -= step
        slope = (loss(y_true, ahead) - loss(y_true, behind)) / (2 * step)
        # Third derivatives times step**2, and the rounding of the values over the step.
        assert grad[index] == pytest.approx(slope, rel=1e-6, abs=1e-8)


@UNNORMALISED
@pytest.mark.parametrize("name", CASES)
def test_float32_agrees_with_float64(name):
    loss, y_true, y_pred = CASES[name]
    value, grad = loss.value_and_grad(y_true, y_pred)
    value32, grad32 = loss.value_and_grad(y_true, y_pred.astype(np.float32))
    assert grad32.dtype == np.float32
    eps = float(np.finfo(np.float32).eps)
    assert value32 == pytest.approx(value, rel=20 * eps)
    np.testing.assert_allclose(grad32, grad, rtol=50 * eps, atol=50 * eps * np.abs(grad).max())


@UNNORMALISED
@pytest.mark.parametrize("name", CASES)
def test_predictions_are_left_alone_and_may_have_any_strides(name):
    loss, y_true, y_pred = CASES[name]
    value, grad = loss.value_and_grad(y_true, y_pred)
    strided = np.asfortranarray(y_pred)
    strided.flags.writeable = False
    again, grad_again = loss.value_and_grad(y_true, strided)
    assert again == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose(grad_again, grad, rtol=1e-12, atol=1e-15)


@UNNORMALISED
@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred", "expected"),
    [
        (losses.MeanAbsoluteError(), [[0, 1], [0, 0]], [[1, 1], [-3, 0]], (0.5 + 1.5) / 2),
        (losses.Huber(), [[0, 1], [0, 0]], [[0.5, 1], [-3, 0]], (0.125 / 2 + 2.5 / 2) / 2),
        (losses.Huber(2.0), [[0.0]], [[5.0]], 2 * 5 - 2),
        (losses.SparseCategoricalCrossentropy(ignore_class=0), [0, 1], [[0.5] * 2] * 2, LOG(2)),
        (losses.MeanSquaredError(), [[0, 1], [0, 0]], [[1, 1], [3, 0]], (0.5 + 4.5) / 2),
        (losses.MeanSquaredError(reduction="sum"), [[0, 1], [0, 0]], [[1, 1], [3, 0]], 5.0),
        (losses.SparseCategoricalCrossentropy(), [1], [[0.25, 0.75]], -LOG(0.75)),
        (losses.SparseCategoricalCrossentropy(), [1], [[0.5, 1.5]], -LOG(0.75)),
        (losses.SparseCategoricalCrossentropy(True), [0], [[LOG(3), 0.0]], -LOG(0.75)),
        (losses.SparseCategoricalCrossentropy(), [0], [[0.0, 1.0]], -LOG(1e-7)),
        (losses.CategoricalCrossentropy(), [[1, 0]], [[0.25, 0.75]], -LOG(0.25)),
        (
            losses.CategoricalCrossentropy(label_smoothing=0.5),
            [[1, 0]],
            [[0.25, 0.75]],
            -0.75 * LOG(0.25) - 0.25 * LOG(0.75),
        ),
        (losses.CategoricalCrossentropy(True), [[1, 0]], [[LOG(3), 0.0]], -LOG(0.75)),
        (losses.BinaryCrossentropy(), [[1, 0]], [[0.25, 0.5]], -(LOG(0.25) + LOG(0.5)) / 2),
        (losses.BinaryCrossentropy(), [[1]], [[0.0]], -LOG(1e-7)),
        (losses.BinaryCrossentropy(True), [[0]], [[LOG(3)]], LOG(4)),
        (
            losses.BinaryCrossentropy(label_smoothing=0.5),
            [[1]],
            [[0.25]],
            -0.75 * LOG(0.25) - 0.25 * LOG(0.75),
        ),
    ],
)
def test_value_worked_by_hand(loss, y_true, y_pred, expected):
    y_true, y_pred = np.array(y_true), np.array(y_pred, np.float64)
    assert loss(y_true, y_pred) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    "loss",
    [
        losses.CategoricalCrossentropy(from_logits=True),
        losses.SparseCategoricalCrossentropy(from_logits=True),
        losses.BinaryCrossentropy(from_logits=True),
    ],
)
def test_huge_logits_neither_overflow_nor_vanish(loss):
    sparse = isinstance(loss, losses.SparseCategoricalCrossentropy)
    y_true = np.array([1]) if sparse else np.array([[0.0, 1.0]])
    value, grad = loss.value_and_grad(y_true, np.array([[1e4, -1e4]], np.float32))
    assert value == pytest.approx(1e4 if isinstance(loss, losses.BinaryCrossentropy) else 2e4)
    assert np.abs(grad).max() == pytest.approx(0.5 if value == pytest.approx(1e4) else 1.0)


@pytest.mark.parametrize("y_pred", [[[0.0, 1.0]], [[1.0, 0.0]]])
@pytest.mark.parametrize(
    ("loss", "y_true"),
    [
        (losses.CategoricalCrossentropy(), np.array([[1.0, 0.0]])),
        (losses.SparseCategoricalCrossentropy(), np.array([0])),
        (losses.BinaryCrossentropy(), np.array([[1.0, 0.0]])),
    ],
)
def test_gradient_is_zero_where_probabilities_are_clipped(loss, y_true, y_pred):
    _, grad = loss.value_and_grad(y_true, np.array(y_pred))
    np.testing.assert_array_equal(grad, 0.0)


def test_nan_is_passed_on_quietly():
    value, _ = losses.MeanSquaredError().value_and_grad(np.zeros(1), np.array([np.nan]))
    assert math.isnan(value)
    overflow = losses.MeanSquaredError()(np.zeros((1, 1)), np.full((1, 1), 1e30, np.float32))
    assert overflow == math.inf


def test_no_samples_cost_nothing():
    value, grad = losses.get("mse").value_and_grad(np.zeros((0, 3)), np.zeros((0, 3)))
    assert value == 0.0
    assert grad.shape == (0, 3)


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred", "error", "message"),
    [
        ("mse", np.zeros((2, 3)), np.zeros((2, 4)), ValueError, r"shape of y_pred, \(2, 4\)"),
        ("mse", np.zeros(2), np.zeros(2, np.float16), TypeError, "float32 or float64.*float16"),
        ("mse", np.zeros(2), np.zeros(2, int), TypeError, r"y_pred\.astype\('float32'\)"),
        ("mse", np.array(["a"]), np.zeros(1), TypeError, "y_true must hold numbers"),
        ("mse", 0.0, 0.0, ValueError, "at least one axis"),
        ("bce", np.zeros(3), np.zeros((2, 3)), ValueError, r"\(2, 3\), got \(3,\)"),
        (
            "sparse_categorical_crossentropy",
            np.array([0, 4]),
            np.ones((2, 4)),
            ValueError,
            "from 0 to 3.*got 0 to 4",
        ),
        (
            "sparse_categorical_crossentropy",
            np.array([-1, 3]),
            np.ones((2, 4)),
            ValueError,
            "got -1 to 3",
        ),
        (
            "sparse_categorical_crossentropy",
            np.array([1, 0.5]),
            np.ones((2, 4)),
            ValueError,
            r"y_true must be class numbers, which are whole, got 0\.5 of float64",
        ),
        (
            "sparse_categorical_crossentropy",
            np.array([np.nan, 0]),
            np.ones((2, 4)),
            ValueError,
            "class numbers, which are whole, got nan",
        ),
        (
            "sparse_categorical_crossentropy",
            np.array([0, 1e300]),
            np.ones((2, 4)),
            ValueError,
            r"class numbers, which are whole, got 1e\+300",
        ),
        (
            "sparse_categorical_crossentropy",
            np.array([0.0, 4.0]),
            np.ones((2, 4)),
            ValueError,
            "from 0 to 3.*got 0 to 4",
        ),
        (
            "sparse_categorical_crossentropy",
            np.array(["a", "b"]),
            np.ones((2, 4)),
            TypeError,
            r"y_true must hold numbers, got dtype <U1; number the names, as np\.unique",
        ),
        (
            "sparse_categorical_crossentropy",
            np.zeros((2, 4), int),
            np.ones((2, 4)),
            ValueError,
            "for one-hot targets use CategoricalCrossentropy",
        ),
        (
            "sparse_categorical_crossentropy",
            np.zeros(3, int),
            np.ones((2, 4)),
            ValueError,
            r"labels of shape \(2,\).*got \(3,\)",
        ),
        (
            "categorical_crossentropy",
            np.zeros(2, int),
            np.ones((2, 4)),
            ValueError,
            "for integer labels use SparseCategoricalCrossentropy",
        ),
    ],
)
def test_bad_input_is_named(loss, y_true, y_pred, error, message):
    with pytest.raises(error, match=message):
        losses.get(loss).value_and_grad(y_true, y_pred)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.uint8, bool])
@pytest.mark.parametrize("from_logits", [True, False])
def test_class_numbers_of_other_types(dtype, from_logits):
    loss = losses.SparseCategoricalCrossentropy(from_logits)
    labels, predictions = np.array([[0, 1], [1, 0]]), softmax(logits()[:2])
    wanted_value, wanted_gradient = loss.value_and_grad(labels, predictions)
    value, gradient = loss.value_and_grad(labels.astype(dtype), predictions)
    assert value == wanted_value == loss(labels.astype(dtype), predictions)
    np.testing.assert_array_equal(gradient, wanted_gradient)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: losses.MeanSquaredError(reduction="median"), ValueError, "got 'median'"),
        (lambda: losses.MeanSquaredError(reduction="means"), ValueError, "did you mean 'mean'"),
        (lambda: losses.Huber(delta=0), ValueError, "delta must be above 0, got 0"),
        (lambda: losses.MeanSquaredError(dtype="float16"), NotImplementedError, "dtype"),
        (lambda: losses.BinaryCrossentropy(axis=1), NotImplementedError, "axis"),
        (lambda: losses.BinaryCrossentropy(label_smoothing=2), ValueError, "label_smoothing"),
        (
            lambda: losses.BinaryCrossentropy(label_smoothing="a"),
            TypeError,
            "label_smoothing must be a number, got 'a'",
        ),
        (
            lambda: losses.CategoricalCrossentropy(label_smoothing=None),
            TypeError,
            "label_smoothing must be a number, got None",
        ),
        (
            lambda: losses.SparseCategoricalCrossentropy(ignore_class=0.5),
            TypeError,
            "ignore_class must be a whole number, got 0.5",
        ),
    ],
)
def test_bad_argument_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("identifier", "cls"),
    [
        ("mse", losses.MeanSquaredError),
        ("MSE", losses.MeanSquaredError),
        ("mean_squared_error", losses.MeanSquaredError),
        ("MeanSquaredError", losses.MeanSquaredError),
        ("mae", losses.MeanAbsoluteError),
        ("MAE", losses.MeanAbsoluteError),
        ("mean_absolute_error", losses.MeanAbsoluteError),
        ("huber", losses.Huber),
        ("bce", losses.BinaryCrossentropy),
        ("binary_crossentropy", losses.BinaryCrossentropy),
        ("categorical_crossentropy", losses.CategoricalCrossentropy),
        ("sparse_categorical_crossentropy", losses.SparseCategoricalCrossentropy),
        (losses.BinaryCrossentropy, losses.BinaryCrossentropy),
        (
            {"class_name": "BinaryCrossentropy", "config": {"from_logits": True}},
            losses.BinaryCrossentropy,
        ),
    ],
)
def test_get(identifier, cls):
    assert type(losses.get(identifier)) is cls


def test_get_returns_a_loss_as_it_is():
    loss = losses.MeanSquaredError()
    assert losses.get(loss) is loss


@pytest.mark.parametrize(("identifier", "error"), [("msee", ValueError), (3, TypeError)])
def test_get_refuses_what_is_no_loss(identifier, error):
    with pytest.raises(error, match="loss"):
        losses.get(identifier)


@UNNORMALISED
@pytest.mark.parametrize("name", CASES)
def test_config_makes_an_equal_loss(name):
    loss, y_true, y_pred = CASES[name]
    assert type(loss).from_config(loss.get_config())(y_true, y_pred) == loss(y_true, y_pred)


def test_a_loss_of_ones_own():
    class Cubic(losses.Loss):
        def call(self, y_true, y_pred):
            return ((y_pred - y_true) ** 3).sum(axis=-1)

        def call_with_gradient(self, y_true, y_pred, weight):
            return self.call(y_true, y_pred), weight * 3 * (y_pred - y_true) ** 2

    value, grad = Cubic().value_and_grad(np.zeros((2, 1)), np.array([[1.0], [2.0]]))
    assert value == 4.5
    np.testing.assert_array_equal(grad, [[1.5], [6.0]])


@pytest.mark.parametrize(
    "loss",
    [
        losses.BinaryCrossentropy,
        losses.CategoricalCrossentropy,
        losses.SparseCategoricalCrossentropy,
    ],
)
def test_from_logits_is_true_or_false(loss):
    with pytest.raises(TypeError, match="from_logits must be True or False, got 'False'"):
        loss(from_logits="False")
