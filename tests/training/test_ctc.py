"""The loss CTC: whole sequences with their masks, alone and in a training."""

import re

import numpy as np
import pytest

from rnnfast import Sequential, ctc_loss, layers, losses, optimizers
from rnnfast.layers.value import Value
from rnnfast.training.objective import Objective, Target
from rnnfast.training.samples import Batch

RNG = np.random.default_rng(0)
LOGITS = RNG.standard_normal((3, 8, 5))
LABELS = np.array([[1, 2, 2], [3, 0, 0], [0, 0, 0]])
COUNTS = np.array([3, 1, 0])
LENGTHS = np.array([8, 3, 5])
MASK = np.arange(8) < LENGTHS[:, None]


def of_rows(lengths=None):
    return ctc_loss(LOGITS, LABELS, lengths, COUNTS, batch_first=True)


def test_zeros_end_the_labels_and_reductions_are_keras_s():
    weights = np.array([1.0, 0.0, 3.0])
    each = of_rows()
    assert losses.CTC()(LABELS, LOGITS) == pytest.approx(each.mean(), rel=1e-14)
    assert losses.CTC("sum")(LABELS, LOGITS) == pytest.approx(each.sum(), rel=1e-14)
    np.testing.assert_array_equal(losses.CTC(None)(LABELS, LOGITS, weights), each * weights)
    weighted = losses.CTC()(LABELS, LOGITS, weights[:, None])
    assert weighted == pytest.approx(each @ weights / 3, rel=1e-14)
    mean = losses.CTC("mean_with_sample_weight")(LABELS.astype(np.float32), LOGITS, weights)
    assert mean == pytest.approx(each @ weights / 4, rel=1e-14)
    np.testing.assert_array_equal(losses.CTC().of_samples(LABELS, LOGITS)[0], each)
    np.testing.assert_array_equal(losses.CTC().call(LABELS, LOGITS), each)


@pytest.mark.parametrize("holes", [False, True])
def test_a_mask_says_which_steps_there_are(holes):
    logits, mask = LOGITS, MASK
    if holes:
        mask = RNG.permuted(MASK, axis=1)
        logits = np.full_like(LOGITS, np.nan)
        for row, length in enumerate(LENGTHS):
            logits[row, mask[row]] = LOGITS[row, :length]
        assert (mask[:, 1:] > mask[:, :-1]).any()
    value, grad = losses.CTC("sum").value_and_grad(LABELS, logits, mask=mask)
    assert value == losses.CTC("sum")(LABELS, logits, mask=mask)
    assert value == pytest.approx(of_rows(LENGTHS).sum(), rel=1e-14)
    assert not grad[~mask].any()
    whole = losses.CTC("sum").value_and_grad(LABELS, LOGITS, mask=MASK)[1]
    np.testing.assert_array_equal(grad[mask], whole[MASK])


@pytest.mark.parametrize("reduction", ["sum", "sum_over_batch_size", "mean_with_sample_weight"])
def test_the_gradient_is_that_of_the_value(reduction):
    loss, weights = losses.CTC(reduction), np.array([0.5, 2.0, 1.0])
    grad = loss.value_and_grad(LABELS, LOGITS, weights, MASK)[1]
    direction = RNG.standard_normal(LOGITS.shape)
    step = 1e-6 * direction
    ends = [loss(LABELS, LOGITS + sign * step, weights, MASK) for sign in (1, -1)]
    assert np.vdot(grad, direction) == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-7)
    factor = np.array([[0.5], [2.0], [1.0]])
    of_all = loss.call_with_gradient(LABELS, LOGITS, factor)[1]
    np.testing.assert_allclose(
        of_all, losses.CTC("sum").value_and_grad(LABELS, LOGITS, factor)[1], rtol=1e-14
    )


def reader(dtype="float64"):
    return Sequential(
        [
            layers.Input((None, 3)),
            layers.Bidirectional(layers.LSTM(6, return_sequences=True, dtype=dtype)),
            layers.Dense(5, dtype=dtype),
        ]
    )


def test_padding_of_a_ragged_batch_is_as_if_it_were_not_there():
    model, loss = reader(), losses.CTC("sum")
    objective = Objective(model.graph, [Target("y", loss)])
    x = RNG.standard_normal((3, 8, 3))
    whole, pullback = objective.value_and_pullback(Batch([Value(x, MASK)], [LABELS], [None]))
    assert objective.value(Batch([Value(x, MASK)], [LABELS], [None])).loss == whole.loss
    gradients, total = pullback(), 0.0
    for row, length in enumerate(LENGTHS):
        alone = Batch([Value(x[row, None, :length])], [LABELS[row, None, : COUNTS[row]]], [None])
        valued, pull = objective.value_and_pullback(alone)
        total += valued.loss
        gradients = [g - one for g, one in zip(gradients, pull(), strict=True)]
    assert whole.loss == pytest.approx(total, rel=1e-12)
    assert max(np.abs(one).max() for one in gradients) < 1e-11


def test_fit_learns_to_read_sequences_of_different_lengths():
    rng = np.random.default_rng(1)
    labels = [rng.integers(1, 4, rng.integers(1, 5)) for _ in range(60)]
    x = [np.repeat(np.eye(3)[one - 1], rng.integers(2, 4, len(one)), axis=0) for one in labels]
    x = [
        one.astype(np.float32) + 0.1 * rng.standard_normal(one.shape).astype(np.float32)
        for one in x
    ]
    # Between two of a kind a pause, or nothing tells them apart.
    keep = [k for k, one in enumerate(labels) if (one[1:] != one[:-1]).all()]
    x, labels = [x[k] for k in keep], [labels[k] for k in keep]
    model = Sequential(
        [
            layers.Input((None, 3)),
            layers.LSTM(12, return_sequences=True),
            layers.Dense(4),
        ]
    )
    model.compile(optimizers.Adam(0.03), "ctc")
    history = model.fit(x, labels, epochs=30, batch_size=8, verbose=0).history["loss"]
    assert history[-1] < 0.1 * history[0]
    assert model.evaluate(x, labels, verbose=0) < 0.1 * history[0]


def test_it_has_a_name_and_a_configuration():
    for identifier in ("ctc", "CTC", losses.CTC):
        assert isinstance(losses.get(identifier), losses.CTC)
    again = losses.CTC.from_config(losses.CTC("sum", name="reading").get_config())
    assert (again.name, again.reduction) == ("reading", "sum")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((LABELS, LOGITS[0]), ValueError, "y_pred must be logits (B, T, C), got (8, 5)"),
        ((LABELS, LOGITS.astype(int)), TypeError, "y_pred must be float32 or float64"),
        ((LABELS[:2], LOGITS), ValueError, "y_true must be labels (B, S) with B = 3, got (2, 3)"),
        ((LABELS + 3, LOGITS), ValueError, "labels from 0 to 4, y_pred having 5 classes"),
        ((LABELS + 0.5, LOGITS), ValueError, "class numbers, which are whole, got 1.5"),
        (([[1, 0, 2]] * 3, LOGITS), ValueError, "after the labels of a sequence alone, got [1, 0"),
        ((LABELS, LOGITS, np.ones((3, 8))), ValueError, "sample_weight must have a weight for"),
        ((LABELS, LOGITS, None, MASK[:, 1:]), ValueError, "mask must be (B, T) = (3, 8), got"),
    ],
)
def test_bad_arguments(arguments, error, message):
    for function in (losses.CTC(), losses.CTC().value_and_grad):
        with pytest.raises(error, match=re.escape(message)):
            function(*arguments)


def test_labels_that_cannot_be_read_end_a_training():
    model = reader("float32")
    model.compile("adam", losses.CTC())
    x, y = np.zeros((2, 3, 3), np.float32), np.array([[1, 1, 2], [1, 0, 0]])
    with pytest.raises(FloatingPointError, match="the loss became inf in epoch 1"):
        model.fit(x, y, verbose=0)
