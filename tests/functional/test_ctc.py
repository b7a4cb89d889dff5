"""CTC: its loss over all paths, its gradient by complex step, what is read, what is refused."""

import re
from itertools import pairwise, product

import numpy as np
import pytest

import rnnfast
from rnnfast import ctc_decode, ctc_loss, ctc_loss_vjp, reference

INF = np.inf


def logits(rng, *shape):
    return 2 * rng.standard_normal(shape)


def log_softmax(x):
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


# Paths: 3^5 over blanks anywhere, targets with repetitions, empty, of the last step, and too long.
TARGETS = [(), (1,), (1, 1), (1, 2, 1), (2, 2, 2), (1, 2, 1, 2, 1), (1, 1, 2, 2)]


@pytest.mark.parametrize("blank", [0, 1, 2])
@pytest.mark.parametrize("target", TARGETS)
def test_the_loss_is_the_sum_over_all_paths(target, blank):
    x = logits(np.random.default_rng(1), 5, 1, 3)
    labels = [(blank + label) % 3 for label in target]
    wanted = reference.ctc_loss_over_paths(x[:, 0], labels, blank)
    np.testing.assert_allclose(ctc_loss(x, [labels], blank=blank), [wanted], rtol=1e-13)
    np.testing.assert_allclose(
        ctc_loss(x.astype(np.float32), [labels], blank=blank), [wanted], rtol=2e-6
    )
    assert np.isinf(wanted) == (len(target) + sum(a == b for a, b in pairwise(target)) > 5)


def test_the_oracle_s_recursion_is_its_sum_over_paths():
    x = logits(np.random.default_rng(2), 4, 3)
    for target in ([], [1], [2, 2], [1, 2, 1]):
        wanted = reference.ctc_loss_over_paths(x, target)
        assert reference.ctc_loss(x, target) == pytest.approx(wanted, rel=1e-13)


# Below, at and above what is a vector of float or double on any processor.
@pytest.mark.parametrize("labels", [0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 40])
def test_gradients_are_those_of_a_complex_step(labels):
    rng = np.random.default_rng(labels)
    steps, classes, blank = 2 * labels + 3, 5, 3
    x = logits(rng, steps, 1, classes)
    target = rng.choice([0, 1, 2, 4], labels)
    losses, pullback = ctc_loss_vjp(x, target[None], blank=blank)
    gradient = pullback(np.array([1.5]))
    np.testing.assert_allclose(losses, reference.ctc_loss(x[:, 0], target, blank), rtol=1e-13)
    for direction in rng.standard_normal((3, *x.shape)):
        moved = reference.ctc_loss((x + 1e-100j * direction)[:, 0], target, blank)
        wanted = 1.5 * moved.imag / 1e-100
        assert np.vdot(gradient, direction) == pytest.approx(wanted, rel=1e-11, abs=1e-11)
    single = ctc_loss_vjp(x.astype(np.float32), target[None], blank=blank)[1]
    np.testing.assert_allclose(single(np.float32([1.5])), gradient, atol=2e-5)


def batch(rng, steps=9, rows=6, classes=6, labels=4, dtype=np.float64):
    x = logits(rng, steps, rows, classes).astype(dtype)
    lengths = np.array([steps, 0, 0, 5, 1, 7])
    target_lengths = np.array([labels, 0, 2, 3, 1, 0])
    targets = rng.integers(1, classes, (rows, labels))
    return x, targets, lengths, target_lengths


def test_each_row_is_as_if_alone_and_padding_is_never_read():
    x, targets, lengths, target_lengths = batch(np.random.default_rng(3))
    losses, pullback = ctc_loss_vjp(x, targets, lengths, target_lengths)
    gradient = pullback(np.ones(6))
    assert losses[1] == 0  # nothing read from nothing
    assert losses[2] == INF
    for row, (steps, labels) in enumerate(zip(lengths, target_lengths, strict=True)):
        alone, pull = ctc_loss_vjp(x[:steps, row, None], targets[row, None, :labels])
        np.testing.assert_array_equal(alone, losses[row])
        np.testing.assert_array_equal(pull(np.ones(1))[:, 0], gradient[:steps, row])
        assert not gradient[steps:, row].any()
    for row, (steps, labels) in enumerate(zip(lengths, target_lengths, strict=True)):
        x[steps:, row] = np.nan
        targets[row, labels:] = -7
    again, pullback = ctc_loss_vjp(x, targets, lengths, target_lengths)
    np.testing.assert_array_equal(again, losses)
    np.testing.assert_array_equal(pullback(np.ones(6)), gradient)
    np.testing.assert_array_equal(ctc_loss(x, targets, lengths, target_lengths), losses)


def test_targets_may_be_given_in_turn_and_logits_batch_first():
    x, targets, lengths, target_lengths = batch(np.random.default_rng(4))
    losses, pullback = ctc_loss_vjp(x, targets, lengths, target_lengths)
    given = targets[np.arange(4) < target_lengths[:, None]], lengths, target_lengths
    np.testing.assert_array_equal(ctc_loss(x, *given), losses)
    by_rows, pull = ctc_loss_vjp(x.swapaxes(0, 1).copy(), *given, batch_first=True)
    np.testing.assert_array_equal(by_rows, losses)
    above = np.arange(6.0)
    np.testing.assert_array_equal(pull(above).swapaxes(0, 1), pullback(above))
    strided = np.zeros((9, 12, 12))[::-1, ::2, ::2]
    strided[...] = x
    np.testing.assert_array_equal(ctc_loss(strided, *given), losses)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bits_do_not_depend_on_threads(dtype):
    rng = np.random.default_rng(5)
    x = logits(rng, 120, 13, 20).astype(dtype)
    targets = rng.integers(1, 20, (13, 50))
    lengths, target_lengths = rng.integers(100, 121, 13), rng.integers(0, 51, 13)
    found = []
    for threads in (1, 2, 5):
        with rnnfast.num_threads(threads):
            losses, pullback = ctc_loss_vjp(x, targets, lengths, target_lengths)
            found.append(losses.tobytes() + pullback(np.ones(13, dtype)).tobytes())
    assert len(set(found)) == 1


def test_nan_stays_in_its_row_and_what_cannot_be_read_is_infinite():
    x, targets, lengths, target_lengths = batch(np.random.default_rng(6))
    losses, pullback = ctc_loss_vjp(x, targets, lengths, target_lengths)
    gradient = pullback(np.ones(6))
    x[2, 3, 4] = np.nan
    lengths[4], target_lengths[4] = 3, 4  # too long to be read
    harmed, pull = ctc_loss_vjp(x, targets, lengths, target_lengths)
    others = [0, 1, 2, 5]
    np.testing.assert_array_equal(harmed[others], losses[others])
    np.testing.assert_array_equal(pull(np.ones(6))[:, others], gradient[:, others])
    assert np.isnan(harmed[3])
    assert np.isnan(pull(np.ones(6))[:5, 3]).any(axis=1).all()
    assert harmed[4] == INF
    assert np.isnan(pull(np.ones(6))[:3, 4]).all()
    assert not pull(np.ones(6))[3:, 4].any()
    finite, pull = ctc_loss_vjp(x, targets, lengths, target_lengths, zero_infinity=True)
    np.testing.assert_array_equal(finite, np.where(harmed == INF, 0, harmed))
    assert not pull(np.ones(6))[:, [2, 4]].any()
    np.testing.assert_array_equal(
        ctc_loss(x, targets, lengths, target_lengths, zero_infinity=True), finite
    )


def test_logarithms_of_probabilities_are_logits_some_of_them_of_zero():
    x = logits(np.random.default_rng(7), 6, 1, 4)
    x[2, 0, 1] = x[4, 0, 0] = -INF
    losses, pullback = ctc_loss_vjp(x, [[1, 2]])
    same, pull = ctc_loss_vjp(log_softmax(x), [[1, 2]])
    np.testing.assert_allclose(losses, same, rtol=1e-14)
    np.testing.assert_allclose(pullback(np.ones(1)), pull(np.ones(1)), atol=1e-14)
    assert pullback(np.ones(1))[2, 0, 1] == pytest.approx(0, abs=1e-300)
    wanted = reference.ctc_loss_over_paths(x[:, 0], [1, 2])
    np.testing.assert_allclose(losses, wanted, rtol=1e-13)


def test_float_keeps_its_digits_over_a_thousand_steps():
    """Logarithms that sink to -4000 leave float three decimals, and gradients wrong by 0.002."""
    rng = np.random.default_rng(8)
    x = logits(rng, 1000, 1, 30)
    target = rng.integers(1, 30, (1, 100))
    losses, pullback = ctc_loss_vjp(x, target)
    of_float, pull = ctc_loss_vjp(x.astype(np.float32), target)
    assert losses[0] > 3000
    np.testing.assert_allclose(of_float, losses, rtol=2e-7)
    np.testing.assert_allclose(pull(np.float32([1])), pullback(np.ones(1)), atol=3e-4)


@pytest.mark.parametrize("shape", [(0, 3, 4), (5, 0, 4), (0, 0, 1)])
def test_empty_sizes(shape):
    steps, rows, _ = shape
    losses, pullback = ctc_loss_vjp(np.zeros(shape), np.zeros((rows, 0), int))
    np.testing.assert_array_equal(losses, np.zeros(rows) if steps == 0 else np.zeros(0))
    assert pullback(np.ones(rows)).shape == shape
    assert len(ctc_decode(np.zeros(shape)).labels) == rows


X = np.zeros((4, 2, 3))
GOOD = np.array([[1, 2], [2, 1]])


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((X[0], GOOD), {}, ValueError, "x must be 3-D (T, B, C) with C at least 1, got (2, 3)"),
        ((X[0], GOOD), {"batch_first": True}, ValueError, "x must be 3-D (B, T, C)"),
        ((X.astype(int), GOOD), {}, TypeError, "x must be float32 or float64, got int64"),
        ((X, GOOD + 1), {}, ValueError, "labels from 0 to 2 other than the blank, 0, got 3 in row"),
        ((X, GOOD * 0), {}, ValueError, "other than the blank, 0, got 0 in row 0"),
        ((X, [[1, 2], [2, -1]]), {}, ValueError, "got -1 in row 1"),
        ((X, GOOD * 1.0), {}, TypeError, "targets must be integers, got float64"),
        ((X, [[1], [1, 2]]), {}, ValueError, "targets of different lengths must be padded to"),
        ((X, [1, 2]), {}, ValueError, "targets must be (B, S) with B = 2, or 1-D"),
        ((X, GOOD[:1]), {}, ValueError, "targets must be (B, S) with B = 2, or 1-D"),
        ((X, [1, 2], None, [1, 0]), {}, ValueError, "the sum of target_lengths, 1, labels, got 2"),
        ((X, GOOD, [5, 1]), {}, ValueError, "lengths must be between 0 and T = 4, got 5"),
        ((X, GOOD, [1]), {}, ValueError, "lengths must be (B,) = (2,), got (1,)"),
        ((X, GOOD, None, [3, 1]), {}, ValueError, "target_lengths must be between 0 and S = 2"),
        ((X, GOOD, None, [-1, 1]), {}, ValueError, "target_lengths must be between 0 and S = 2"),
        ((X, GOOD), {"blank": 3}, ValueError, "blank must be a class from 0 to 2, got 3"),
        ((X, GOOD), {"blank": True}, TypeError, "blank must be an integer"),
        ((X, GOOD), {"zero_infinity": 1}, TypeError, "zero_infinity must be True or False"),
    ],
)
def test_bad_arguments(arguments, options, error, message):
    for function in (ctc_loss, ctc_loss_vjp):
        with pytest.raises(error, match=re.escape(message)):
            function(*arguments, **options)


def test_bad_gradients_of_losses():
    _, pullback = ctc_loss_vjp(X, GOOD)
    with pytest.raises(ValueError, match=re.escape("dlosses must be (B,) = (2,), got (1,)")):
        pullback(np.ones(1))
    with pytest.raises(TypeError, match="dlosses must be float64 like x, got float32"):
        pullback(np.ones(2, np.float32))


# --- decoding -------------------------------------------------------------------------------------


def likeliest(x, blank):
    """The labels that are likeliest, over all paths, and the logarithm of their probability."""
    steps, classes = x.shape
    targets = {reference.collapse(path, blank) for path in product(range(classes), repeat=steps)}
    losses = {one: reference.ctc_loss_over_paths(x, one, blank) for one in targets}
    best = min(losses, key=losses.get)
    return best, -losses[best]


@pytest.mark.parametrize("blank", [0, 2])
def test_a_wide_beam_finds_the_likeliest_labels(blank):
    rng = np.random.default_rng(9)
    x = rng.standard_normal((4, 20, 3))
    found = ctc_decode(x, beam_width=1000, blank=blank)
    differs = 0
    for row in range(20):
        labels, log_prob = likeliest(x[:, row], blank)
        assert tuple(found.labels[row]) == labels
        assert found.log_probs[row] == pytest.approx(log_prob, rel=1e-12)
        differs += tuple(ctc_decode(x[:, row, None], blank=blank).labels[0]) != labels
    assert differs > 0  # from the best path: the search is worth something


def test_a_narrow_beam_follows_some_of_the_paths():
    """A prefix that is dropped and comes back is the same: labels never stand in a beam twice."""
    rng = np.random.default_rng(10)
    x = rng.standard_normal((30, 8, 5))
    log_probs = []
    for width in (1, 2, 3, 8, 64):
        found = ctc_decode(x, beam_width=width)
        for row, labels in enumerate(found.labels):
            whole = -ctc_loss(x[:, row, None], labels[None])[0]
            assert found.log_probs[row] <= whole + 1e-9
        log_probs.append(found.log_probs.mean())
    assert log_probs == sorted(log_probs)


def test_the_best_path_is_collapsed():
    path = [1, 1, 0, 1, 2, 2, 0, 0, 3]
    x = 9.0 * np.eye(4)[path][:, None]
    found = ctc_decode(np.repeat(x, 2, axis=1), [9, 4])
    np.testing.assert_array_equal(found.labels[0], [1, 1, 2, 3])
    np.testing.assert_array_equal(found.labels[1], [1, 1])
    each = log_softmax(9.0 * np.eye(4))[0, 0]
    np.testing.assert_allclose(found.log_probs, [9 * each, 4 * each], rtol=1e-11)
    searched = ctc_decode(x.swapaxes(0, 1), beam_width=4, batch_first=True)
    np.testing.assert_array_equal(searched.labels[0], [1, 1, 2, 3])


def test_decoding_never_reads_padding_and_nan_stays_in_its_row():
    x = np.random.default_rng(11).standard_normal((6, 3, 4)).astype(np.float32)
    for width in (None, 4):
        wanted = ctc_decode(x, [6, 3, 6], beam_width=width)
        harmed = x.copy()
        harmed[3:, 1] = np.nan
        harmed[2, 2, 1] = np.nan
        found = ctc_decode(harmed, [6, 3, 6], beam_width=width)
        assert found.log_probs.dtype == np.float32
        np.testing.assert_array_equal(found.log_probs[:2], wanted.log_probs[:2])
        assert np.isnan(found.log_probs[2])
        for row in (0, 1):
            np.testing.assert_array_equal(found.labels[row], wanted.labels[row])


def test_a_beam_has_a_width():
    with pytest.raises(ValueError, match="beam_width must be at least 1, got 0"):
        ctc_decode(X, beam_width=0)
    with pytest.raises(TypeError, match=r"beam_width must be an integer of at least 1, got 2\.5"):
        ctc_decode(X, beam_width=2.5)
