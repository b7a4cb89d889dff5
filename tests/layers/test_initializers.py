"""Initializers: definitions, seeds, names."""

import numpy as np
import pytest

from rnnfast import initializers, utils

SHAPE = (60, 140)

# name: (standard deviation, bound)
WIDTHS = {
    "glorot_uniform": (np.sqrt(2 / 200), np.sqrt(6 / 200)),
    "glorot_normal": (np.sqrt(2 / 200), 2 * np.sqrt(2 / 200) / 0.8796256610342398),
    "he_uniform": (np.sqrt(2 / 60), np.sqrt(6 / 60)),
    "he_normal": (np.sqrt(2 / 60), 2 * np.sqrt(2 / 60) / 0.8796256610342398),
    "lecun_uniform": (np.sqrt(1 / 60), np.sqrt(3 / 60)),
    "lecun_normal": (np.sqrt(1 / 60), 2 * np.sqrt(1 / 60) / 0.8796256610342398),
    "random_normal": (0.05, np.inf),
    "random_uniform": (0.05 / np.sqrt(3), 0.05),
    "truncated_normal": (0.05 * 0.8796256610342398, 0.1),
}


@pytest.mark.parametrize(("name", "width"), WIDTHS.items(), ids=WIDTHS.keys())
def test_widths(name, width):
    stddev, bound = width
    utils.set_random_seed(0)
    values = initializers.get(name)(SHAPE)
    assert values.dtype == np.float32
    # Of 8400 draws: deviation to about 1%, mean to about a hundredth of it.
    assert values.std() == pytest.approx(stddev, rel=0.03)
    assert abs(values.mean()) < 0.05 * stddev
    assert np.abs(values).max() <= np.float32(bound)


@pytest.mark.parametrize("shape", [(5, 5), (3, 8), (8, 3), (2, 3, 8)])
def test_orthogonal_rows_or_columns(shape):
    values = initializers.get("orthogonal")(shape, np.float64).reshape(-1, shape[-1])
    if values.shape[0] > values.shape[1]:
        values = values.T
    np.testing.assert_allclose(values @ values.T, np.eye(len(values)), atol=1e-12)
    with pytest.raises(ValueError, match="two axes or more"):
        initializers.Orthogonal()((3,))


def test_constants():
    np.testing.assert_array_equal(initializers.get("zeros")((2, 3)), np.zeros((2, 3)))
    np.testing.assert_array_equal(initializers.get("ones")((2, 3)), np.ones((2, 3)))
    np.testing.assert_array_equal(initializers.Constant(4)((2,)), [4, 4])
    np.testing.assert_array_equal(initializers.Identity(2.0)((2, 3)), 2 * np.eye(2, 3))
    with pytest.raises(ValueError, match="2-D weights only"):
        initializers.get("identity")((3,))


def test_equal_seeds_give_equal_values_call_after_call():
    drawn = initializers.GlorotUniform(seed=1)
    np.testing.assert_array_equal(drawn(SHAPE), drawn(SHAPE))
    np.testing.assert_array_equal(drawn(SHAPE), initializers.GlorotUniform(seed=1)(SHAPE))
    assert (drawn(SHAPE) != initializers.GlorotUniform(seed=2)(SHAPE)).any()
    assert (initializers.GlorotUniform()(SHAPE) != initializers.GlorotUniform()(SHAPE)).any()


def test_float32_values_are_the_rounded_float64_ones():
    drawn = initializers.HeNormal(seed=1)
    np.testing.assert_array_equal(drawn(SHAPE), drawn(SHAPE, np.float64).astype(np.float32))


def test_everything_that_get_takes():
    for identifier in ("he_normal", "HeNormal", initializers.HeNormal, initializers.HeNormal()):
        assert isinstance(initializers.get(identifier), initializers.HeNormal)
    for alias, kind in {"uniform": "RandomUniform", "normal": "RandomNormal"}.items():
        assert isinstance(initializers.get(alias), getattr(initializers, kind))
    with pytest.raises(ValueError, match="unknown initializer 'foo'; known are"):
        initializers.get("foo")
    with pytest.raises(TypeError, match="must be a name"):
        initializers.get(3)


@pytest.mark.parametrize(
    ("options", "named"),
    [({"scale": 0}, "scale"), ({"mode": "fan"}, "mode"), ({"distribution": "x"}, "distribution")],
)
def test_variance_scaling_checks_its_arguments(options, named):
    with pytest.raises(ValueError, match=named):
        initializers.VarianceScaling(**options)


def test_seeds_are_integers():
    with pytest.raises(TypeError, match="seed must be an integer"):
        initializers.GlorotUniform(seed="a")
    with pytest.raises(ValueError, match="seed must not be negative"):
        initializers.GlorotUniform(seed=-1)
    with pytest.raises(TypeError, match="seed must be an integer"):
        utils.set_random_seed(1.5)
    with pytest.raises(ValueError, match="seed must be from 0"):
        utils.set_random_seed(2**32)
