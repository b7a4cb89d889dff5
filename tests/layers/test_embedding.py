"""Embedding: rows picked, and their gradients summed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnfast import layers


def gradient(indices, dy, size):
    embedding = layers.Embedding(size, dy.shape[-1], dtype=dy.dtype)
    embedding.build(indices.shape)
    _, pullback = embedding.vjp(indices, wrt_input=False)
    dx, (table,) = pullback(dy)
    assert dx is None
    return table


@given(
    st.integers(1, 9),
    st.lists(st.integers(1, 7), min_size=1, max_size=3),
    st.integers(1, 5),
    st.integers(0, 2**32 - 1),
)
def test_gradients_are_summed_by_index(size, shape, width, seed):
    rng = np.random.default_rng(seed)
    indices = rng.integers(size, size=tuple(shape))
    dy = rng.standard_normal((*shape, width))
    wanted = np.zeros((size, width))
    np.add.at(wanted, indices, dy)
    np.testing.assert_allclose(gradient(indices, dy, size), wanted, rtol=1e-12, atol=1e-13)


def test_gradient_of_no_samples_is_zero():
    table = gradient(np.zeros((0, 4), np.intp), np.zeros((0, 4, 3), np.float32), 5)
    np.testing.assert_array_equal(table, np.zeros((5, 3), np.float32))


def test_gradient_of_time_major_memory():
    rng = np.random.default_rng(0)
    indices, dy = rng.integers(5, size=(3, 4)), rng.standard_normal((4, 3, 2))
    dy = dy.transpose(1, 0, 2)
    np.testing.assert_array_equal(gradient(indices, dy, 5), gradient(indices, dy.copy(), 5))


def test_rows_are_picked():
    embedding = layers.Embedding(4, 2)
    y = embedding([[0, 3], [1, 1]])
    (table,) = embedding.get_weights()
    np.testing.assert_array_equal(y, table[[[0, 3], [1, 1]]])
    assert np.abs(table).max() <= 0.05


@pytest.mark.parametrize("bad", [[[-1]], [[4]], [[np.nan]], [[7.0]]])
def test_indices_outside_the_vocabulary_are_refused(bad):
    with pytest.raises(ValueError, match="takes indices from 0 to input_dim - 1 = 3"):
        layers.Embedding(4, 2)(bad)


def test_fractions_are_refused_and_whole_floats_are_not():
    with pytest.raises(ValueError, match="got fractions"):
        layers.Embedding(4, 2)([[0.5]])
    assert layers.Embedding(4, 2)([[1.0]]).shape == (1, 1, 2)


@pytest.mark.parametrize("bad", [0, -2, 1.5, True])
def test_sizes_must_be_positive_integers(bad):
    with pytest.raises(ValueError, match="input_dim must be a positive integer"):
        layers.Embedding(bad, 2)
    with pytest.raises(ValueError, match="output_dim must be a positive integer"):
        layers.Embedding(2, bad)
