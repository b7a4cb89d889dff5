"""Dense: equations, layouts in memory, activations, errors."""

import numpy as np
import pytest

from rnnfast import layers
from rnnfast.layers import activations

UNITS = 4


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (1, 0, 2, 3), (2, 1, 0, 3)])
def test_any_order_in_memory_gives_the_same(order):
    rng = np.random.default_rng(0)
    dense = layers.Dense(UNITS, dtype="float64")
    shape = (2, 5, 3, 6)
    x = rng.standard_normal([shape[axis] for axis in order]).transpose(np.argsort(order))
    assert x.shape == shape
    y = dense(x)
    kernel, bias = dense.get_weights()
    np.testing.assert_allclose(y, np.einsum("...i,iu->...u", x, kernel) + bias, rtol=1e-12)
    dy = rng.standard_normal(y.shape)
    _, pullback = dense.vjp(x, wrt_input=True)
    dx, (d_kernel, d_bias) = pullback(dy)
    np.testing.assert_allclose(dx, dy @ kernel.T, rtol=1e-12)
    np.testing.assert_allclose(d_kernel, np.einsum("abci,abcu->iu", x, dy), rtol=1e-12)
    np.testing.assert_allclose(d_bias, dy.sum((0, 1, 2)), rtol=1e-12)


def test_time_major_memory_is_multiplied_where_it_lies():
    dense = layers.Dense(UNITS)
    x = np.ones((7, 2, 3), np.float32).transpose(1, 0, 2)
    assert dense(x).transpose(1, 0, 2).flags.c_contiguous


def test_weights():
    dense = layers.Dense(UNITS)
    dense.build((None, 3))
    kernel, bias = dense.get_weights()
    assert (kernel.shape, bias.shape) == ((3, UNITS), (UNITS,))
    assert not bias.any()
    assert np.abs(kernel).max() <= np.sqrt(6 / (3 + UNITS))
    without = layers.Dense(UNITS, use_bias=False)
    without.build((None, 3))
    assert without.weight_names == ["kernel"]


def test_initializers_may_be_arrays_and_functions():
    kernel = np.arange(6.0).reshape(3, 2)
    dense = layers.Dense(2, None, True, kernel, lambda shape, dtype: np.full(shape, 7, dtype))
    dense.build((None, 3))
    np.testing.assert_array_equal(dense.get_weights()[0], kernel)
    np.testing.assert_array_equal(dense.get_weights()[1], [7, 7])
    with pytest.raises(ValueError, match=r"array of shape \(3, 2\) was given"):
        layers.Dense(2, kernel_initializer=kernel).build((None, 4))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_activations_hold_far_out(dtype):
    far = np.array([-1e4, -100, -1, 0, 1, 100, 1e4], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        sigmoid = activations.get("sigmoid").forward(far)
        softmax = activations.get("softmax").forward(far)
    assert sigmoid.dtype == softmax.dtype == dtype
    assert sigmoid[1] == pytest.approx(np.exp(-100.0), rel=1e-5)
    assert sigmoid[0] == 0 and sigmoid[-1] == 1
    assert softmax.sum() == 1


def test_unknown_activations_are_named():
    with pytest.raises(ValueError, match=r"activation must be None or one of .* got 'gelu'"):
        layers.Dense(UNITS, "gelu")


def test_rank_one_is_refused():
    with pytest.raises(ValueError, match=r"must be \(batch, ..., features\)"):
        layers.Dense(UNITS)(np.ones(3))
