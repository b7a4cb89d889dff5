"""Dropout: what is dropped, when, and how often."""

import numpy as np
import pytest

from rnnfast import layers, utils


def test_nothing_is_dropped_in_inference():
    x = np.ones((4, 5), np.float32)
    np.testing.assert_array_equal(layers.Dropout(0.9)(x), x)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_the_mean_is_kept(rate):
    x = np.ones((400, 500), np.float32)
    y, pullback = layers.Dropout(rate, seed=0).vjp(x, wrt_input=True)
    dropped = (y == 0).mean()
    # Five standard deviations of a count of independent draws.
    assert dropped == pytest.approx(rate, abs=5 * np.sqrt(rate * (1 - rate) / x.size))
    np.testing.assert_allclose(y[y != 0], 1 / (1 - rate), rtol=1e-6)
    dx, gradients = pullback(x)
    np.testing.assert_array_equal(dx, y)
    assert gradients == []


@pytest.mark.parametrize(("rate", "wanted"), [(0, 1), (1, 0)])
def test_all_and_nothing(rate, wanted):
    x = np.ones((4, 5), np.float32)
    y, _ = layers.Dropout(rate).vjp(x, wrt_input=True)
    np.testing.assert_array_equal(y, wanted * x)


def test_masks_follow_the_seed():
    x = np.ones((4, 50), np.float32)

    def masks(**options):
        dropout = layers.Dropout(0.5, **options)
        return np.stack([dropout.vjp(x, wrt_input=True)[0] for _ in range(2)])

    np.testing.assert_array_equal(masks(seed=3), masks(seed=3))
    first, second = masks(seed=3)
    assert (first != second).any()
    assert (masks() != masks()).any()
    utils.set_random_seed(5)
    drawn = masks()
    utils.set_random_seed(5)
    np.testing.assert_array_equal(masks(), drawn)


def test_both_dtypes_see_the_same_masks():
    x = np.ones((4, 50))
    kept = [
        layers.Dropout(0.5, seed=1, dtype=dtype).vjp(x.astype(dtype), wrt_input=True)[0]
        for dtype in (np.float32, np.float64)
    ]
    assert [y.dtype for y in kept] == [np.float32, np.float64]
    np.testing.assert_array_equal(*kept)


@pytest.mark.parametrize("rate", [-0.1, 1.1])
def test_rates_outside_the_range_are_refused(rate):
    with pytest.raises(ValueError, match=f"rate must be from 0 to 1, got {rate}"):
        layers.Dropout(rate)
    with pytest.raises(ValueError, match="rate must be finite, got nan"):
        layers.Dropout(float("nan"))


@pytest.mark.parametrize("rate", ["a", None, True, np.ones(3)])
def test_a_rate_is_a_number(rate):
    with pytest.raises(TypeError, match="rate must be a number, got "):
        layers.Dropout(rate)


@pytest.mark.parametrize("rate", [1e-6, 0.3, 0.999, 0.99999, 1 - 1e-6])
def test_the_share_that_is_kept_next_to_none_and_all(rate):
    layer, x = layers.Dropout(rate, seed=5), np.ones((4000, 1000), np.float32)
    y, _ = layer.vjp(x, wrt_input=True)
    kept = np.count_nonzero(y)
    for times, wanted in ((kept, 1 - rate), (y.size - kept, rate)):
        assert abs(times - y.size * wanted) < 5 * np.sqrt(y.size * wanted) + 5
    assert (y[y > 0] == np.float32(1 / (1 - rate))).all()
