"""Weights that come as whole numbers with scales."""

import pickle

import numpy as np
import pytest

import rnnfast
from rnnfast import QuantizedWeight


def numbers(rows=6, columns=5, dtype=np.int8):
    info = np.iinfo(dtype)
    return np.random.default_rng(0).integers(
        info.min, info.max, (rows, columns), dtype, endpoint=True
    )


def test_it_is_an_array_of_what_it_stands_for():
    values, scale = numbers(), np.linspace(0.1, 0.6, 6, dtype=np.float32)
    weight = QuantizedWeight(values, scale)
    assert weight.shape == (6, 5)
    assert weight.ndim == 2
    assert np.asarray(weight).dtype == np.float32
    np.testing.assert_array_equal(np.asarray(weight), values * scale[:, None])
    assert np.asarray(weight, np.float64).dtype == np.float64


def test_one_scale_serves_all_rows():
    each = QuantizedWeight(numbers(), np.full(6, 0.5, np.float32))
    for scale in (0.5, [0.5], np.float64(0.5)):
        np.testing.assert_array_equal(QuantizedWeight(numbers(), scale).scale, each.scale)


def test_numbers_without_a_sign_are_those_less_their_zero_point():
    values = numbers(dtype=np.uint8)
    weight = QuantizedWeight(values, 0.5, 128)
    np.testing.assert_array_equal(weight.values, values.astype(int) - 128)
    assert weight.values.dtype == np.int8
    zeros = np.full(6, 128, np.uint8)
    np.testing.assert_array_equal(QuantizedWeight(values, 0.5, zeros).values, weight.values)


def test_it_is_a_copy_that_never_changes():
    values, scale = numbers(), np.full(6, 0.5, np.float32)
    weight = QuantizedWeight(values, scale)
    before = np.asarray(weight)
    values[:] = 0
    scale[:] = 9
    np.testing.assert_array_equal(np.asarray(weight), before)
    with pytest.raises(ValueError, match="read-only"):
        weight.values[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        weight.scale[0] = 1
    with pytest.raises(AttributeError, match="never changes, so scale"):
        weight.scale = scale


def test_it_is_pickled():
    weight = QuantizedWeight(numbers(), np.linspace(0.1, 0.6, 6))
    again = pickle.loads(pickle.dumps(weight))
    np.testing.assert_array_equal(again.values, weight.values)
    np.testing.assert_array_equal(again.scale, weight.scale)
    assert repr(again) == repr(weight) == "<QuantizedWeight (6, 5): scales 0.1 to 0.6>"


def test_other_functions_take_it_as_float32():
    w_ih, w_hh = (QuantizedWeight(numbers(16, n), 0.01) for n in (5, 4))
    x = np.random.default_rng(1).standard_normal((3, 2, 5)).astype(np.float32)
    found = rnnfast.lstm(x, w_ih, w_hh)
    np.testing.assert_array_equal(found.y, rnnfast.lstm(x, np.asarray(w_ih), np.asarray(w_hh)).y)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.ones((6, 5)), 0.5), TypeError, "values must be int8 or uint8, got float64"),
        ((np.ones((6, 5), np.int16), 0.5), TypeError, "values must be int8 or uint8, got int16"),
        ((np.ones(6, np.int8), 0.5), ValueError, r"values must be 2-D \(G\*H, K\), got \(6,\)"),
        (
            (numbers(), np.ones(5)),
            ValueError,
            r"scale must be one number or \(G\*H,\) = \(6,\), got",
        ),
        ((numbers(), 0.0), ValueError, "scale must be more than 0 and finite, got 0"),
        ((numbers(), [1, 1, 1, 1, 1, np.nan]), ValueError, "scale must be more than 0.*got nan"),
        ((numbers(), np.inf), ValueError, "scale must be more than 0 and finite, got inf"),
        ((numbers(), 1.0, 0.5), TypeError, "zero_point must be whole numbers, got float64"),
        ((numbers(), 1.0, [0, 1]), ValueError, r"zero_point must be one number or \(G\*H,\)"),
        ((np.full((6, 5), 127, np.int8), 1.0, -1), ValueError, "within -128 and 127, got 128"),
        ((np.zeros((6, 5), np.uint8), 1.0, 129), ValueError, "quantize the weights symmetrically"),
    ],
)
def test_what_is_wrong_is_said(arguments, error, message):
    with pytest.raises(error, match=message):
        QuantizedWeight(*arguments)
