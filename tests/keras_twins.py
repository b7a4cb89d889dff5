"""A model of each library, of the same layers with the same weights."""

import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import pytest

from rnnfast import Sequential, layers

# We compute in float64. Keras, asked for float64 too, still multiplies matrices in float32: some
# 1e-7 for a product of terms near 1, and each of some 20 optimizer steps hands it on to the next.
TOLERANCE = {"rtol": 2e-6, "atol": 2e-6}

marks = [
    pytest.mark.usefixtures("one_torch_thread", "keras_in_float64"),
    # Keras's variables lag behind NumPy's protocol.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


def with_same_weights(rng, make, shape, batch_size=None):
    """One model of each library, of the layers that `make` gives, with random equal weights."""
    ours = Sequential([layers.Input(shape), *make(layers)])
    first = keras.layers.Input(shape, batch_size=batch_size)
    theirs = keras.Sequential([first, *make(keras.layers)])
    set_same_weights(rng, ours, theirs)
    return ours, theirs


def set_same_weights(rng, ours, theirs):
    """Give a model or layer of ours and one of theirs random equal weights."""
    wanted = [weight.shape for weight in theirs.get_weights()]
    assert [weight.shape for weight in ours.get_weights()] == wanted
    weights = [0.5 * rng.standard_normal(shape) for shape in wanted]
    theirs.set_weights(weights)
    ours.set_weights(weights)


def assert_same_weights(ours, theirs):
    for index, (own, other) in enumerate(
        zip(ours.get_weights(), theirs.get_weights(), strict=True)
    ):
        np.testing.assert_allclose(own, other, **TOLERANCE, err_msg=f"weight {index}")


def assert_same_structure(got, wanted):
    """Compare arrays, or tuples and lists of them, of which tuples and lists are alike."""
    if isinstance(wanted, (tuple, list)):
        assert isinstance(got, (tuple, list))
        assert len(got) == len(wanted)
        for own, other in zip(got, wanted, strict=True):
            assert_same_structure(own, other)
    else:
        np.testing.assert_allclose(got, keras.ops.convert_to_numpy(wanted), **TOLERANCE)
