"""Precision, recall and AUC: by hand, and beside a count that compares with every threshold."""

import numpy as np
import pytest

from rnnfast import metrics

RNG = np.random.default_rng(4)
Y_TRUE = RNG.integers(0, 2, (40, 3))
Y_PRED = np.round(RNG.random((40, 3)), 1)  # as often equal to a threshold as not
WEIGHTS = RNG.random(40)


def share(part, whole):
    return part / whole if whole else 0.0


def counts(thresholds, y_true, y_pred, weights):
    weights = np.broadcast_to(weights[:, None], y_true.shape)
    return [
        [weights[(y_true == target) & (above if positive else ~above)].sum() for target in (1, 0)]
        for above in (y_pred > threshold for threshold in thresholds)
        for positive in (True, False)
    ]


@pytest.mark.parametrize("thresholds", [[0.5], [0.3, 0.9, 0.0], [0.1, 1.0], [0.0, 0.5, 1.0]])
def test_precision_and_recall_beside_a_plain_count(thresholds):
    found = counts(thresholds, Y_TRUE, Y_PRED, WEIGHTS)
    precision = metrics.Precision(thresholds)(Y_TRUE, Y_PRED, WEIGHTS)
    recall = metrics.Recall(thresholds)(Y_TRUE, Y_PRED, WEIGHTS)
    wanted = [
        (share(tp, tp + fp), share(tp, tp + fn))
        for (tp, fp), (fn, _) in zip(found[::2], found[1::2], strict=True)
    ]
    np.testing.assert_allclose(np.stack([precision, recall], -1).reshape(-1, 2), wanted, rtol=1e-12)


@pytest.mark.parametrize(
    ("metric", "y_true", "y_pred", "expected"),
    [
        (metrics.Precision(), [0, 1, 1, 1], [1, 0, 1, 1], 2 / 3),
        (metrics.Recall(), [0, 1, 1, 1], [1, 0, 1, 1], 2 / 3),
        (metrics.Recall(), [0, 1, 1, 1], [[1], [0], [1], [1]], 2 / 3),
        (metrics.Precision(0.5), [0, 1], [0.5, 0.5], 0.0),  # above, not at
        (metrics.Precision(), [False, True], [True, True], 0.5),
        (metrics.Precision(), [0, 1], [np.nan, 1.0], 1.0),
        # Of the two largest of [5, 3, 4, 1], the first and the third are meant.
        (metrics.Precision(top_k=2), [[1, 0, 0, 1]], [[5.0, 3, 4, 1]], 0.5),
        (metrics.Recall(top_k=2), [[1, 0, 1, 1]], [[5.0, 3, 4, 1]], 2 / 3),
        (metrics.Recall(top_k=9), [[1, 0, 1, 1]], [[5.0, 3, 4, 1]], 1.0),
        (metrics.Precision(class_id=1), [[1, 0], [0, 1]], [[0.1, 0.9], [0.8, 0.7]], 0.5),
        (metrics.Recall(top_k=1, class_id=0), [[1, 0], [1, 0]], [[0.1, 0.9], [0.8, 0.7]], 0.5),
    ],
)
def test_value_worked_by_hand(metric, y_true, y_pred, expected):
    assert metric(np.array(y_true), np.array(y_pred)) == pytest.approx(expected)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_top_k_of_every_type(dtype):
    assert metrics.Recall(top_k=2)([[1, 0, 1, 1]], np.array([[5, 3, 4, 1]], dtype)) == 2 / 3


def test_of_equals_the_first_are_the_k_largest():
    y_pred = RNG.integers(0, 2, (1, 200)) / 2
    y_true = np.zeros((1, 200))
    y_true[0, np.flatnonzero(y_pred)[:5]] = 1
    assert metrics.Recall(top_k=5)(y_true, y_pred) == 1.0


def test_auc_takes_rounded_probabilities_for_what_they_were():
    y_true, y_pred = [0, 1, 0, 1], np.array([0.0, 0.2, 1.0, 1.0])
    rounded = y_pred + np.array([-1e-4, 0, 1e-4, 1e-4])
    assert metrics.AUC()(y_true, rounded) == metrics.AUC()(y_true, y_pred)


def test_auc_worked_by_hand():
    # Keras's own example: at 0, 0.5 and 1 there are tp 2, 1, 0 and fp 2, 0, 0.
    y_true, y_pred = [0, 0, 1, 1], np.array([0, 0.5, 0.3, 0.9])
    assert metrics.AUC(3)(y_true, y_pred) == pytest.approx(0.75)
    assert metrics.AUC(3, summation_method="minoring")(y_true, y_pred) == pytest.approx(0.5)
    assert metrics.AUC(3, summation_method="majoring")(y_true, y_pred) == pytest.approx(1.0)
    # tp / p over tp: from 2/4 to 1/1 with slope 1/3 and intercept 2/3, then 1 down to nothing.
    assert metrics.AUC(3, "PR")(y_true, y_pred) == pytest.approx(
        ((1 + 2 / 3 * np.log(4)) / 3 + 1) / 2
    )


def test_auc_nears_the_share_of_pairs_in_order():
    y_true, y_pred = RNG.integers(0, 2, 300), RNG.random(300)
    y_pred = (2 * y_pred + y_true) / 3
    pairs = y_pred[y_true == 1][:, None] > y_pred[y_true == 0]
    assert metrics.AUC(100_000)(y_true, y_pred) == pytest.approx(pairs.mean(), abs=1e-4)
    low = metrics.AUC(summation_method="minoring")(y_true, y_pred)
    high = metrics.AUC(summation_method="majoring")(y_true, y_pred)
    assert low < pairs.mean() < high


def test_auc_of_logits_is_that_of_their_sigmoid():
    logits = np.append(RNG.normal(size=30), [-1e4, 1e4])
    y_true = RNG.integers(0, 2, 32)
    sigmoid = np.exp(-np.logaddexp(0, -logits))
    assert metrics.AUC(from_logits=True)(y_true, logits) == metrics.AUC()(y_true, sigmoid)


@pytest.mark.parametrize("curve", ["ROC", "PR"])
@pytest.mark.parametrize("y_true", [np.zeros(4), np.ones(4)])
def test_one_class_alone_has_no_area_or_all_of_it(curve, y_true):
    area = metrics.AUC(curve=curve)(y_true, np.array([0.1, 0.4, 0.5, 0.9]))
    assert area == pytest.approx(y_true[0] if curve == "PR" else 0.0)


@pytest.mark.parametrize("make", [metrics.Precision, metrics.Recall, metrics.AUC])
@pytest.mark.parametrize(
    ("y_true", "y_pred", "message"),
    [
        ([0, 2], [0.5, 0.5], "y_true must be 0 or 1, got 2"),
        ([0, np.nan], [0.5, 0.5], "y_true must be 0 or 1, got nan"),
        ([0, 1, 1], [0.5, 0.5], r"y_true must have the shape of y_pred, \(2,\), got \(3,\)"),
    ],
)
def test_bad_targets_are_named(make, y_true, y_pred, message):
    with pytest.raises(ValueError, match=message):
        make()(y_true, y_pred)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: metrics.Precision(1.5), ValueError, "thresholds must be from 0 to 1, got 1.5"),
        (lambda: metrics.Recall([0.1, "a"]), TypeError, "thresholds must be a number, got 'a'"),
        (lambda: metrics.Recall([]), ValueError, "thresholds must hold at least one"),
        (lambda: metrics.Precision(top_k=0), ValueError, "top_k must be a positive integer"),
        (lambda: metrics.Precision(class_id="a"), TypeError, "class_id must be a whole number"),
        (
            lambda: metrics.Precision(class_id=2)(np.eye(2), np.eye(2)),
            ValueError,
            "class_id must be from 0 to 1, y_pred having 2 classes, got 2",
        ),
        (
            lambda: metrics.Precision(top_k=1)(np.ones(2), np.ones(2)),
            ValueError,
            "top_k is of classes, the last axis of y_pred",
        ),
        (lambda: metrics.AUC(1), ValueError, "num_thresholds must be from 2 to 1000000, got 1"),
        (lambda: metrics.AUC(thresholds=[2]), ValueError, "thresholds must be from 0 to 1, got 2"),
        (lambda: metrics.AUC(curve="RO"), ValueError, "curve must be one of .*did you mean 'ROC'"),
        (
            lambda: metrics.AUC(summation_method="minor"),
            ValueError,
            "summation_method must be one of 'interpolation', .*did you mean 'minoring'",
        ),
        (lambda: metrics.AUC(curve="PRGAIN"), NotImplementedError, "PRGAIN"),
        (lambda: metrics.AUC(multi_label=True), NotImplementedError, "multi_label"),
        (
            lambda: metrics.AUC()([0, 1], np.array([0.5, 3.0])),
            ValueError,
            "must be probabilities, got 3; .*from_logits=True",
        ),
    ],
)
def test_bad_argument_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()
