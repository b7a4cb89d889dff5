"""Penalties on weights: of regularizers, and of layers that were given them."""

import numpy as np
import pytest

from rnnfast import layers, regularizers

RNG = np.random.default_rng(0)

# Differences of functions that are linear or quadratic where no weight changes its sign have no
# error but rounding.
STEP, TOLERANCE = 1e-5, 1e-9


@pytest.mark.parametrize(
    "regularizer",
    [
        regularizers.L1(0.3),
        regularizers.L2(0.2),
        regularizers.L1L2(0.3, 0.2),
        regularizers.L1L2(l2=0.2),
        regularizers.L1L2(),
    ],
    ids=lambda one: str(one.get_config()),
)
def test_gradients(regularizer):
    w = RNG.standard_normal((3, 4))
    w += np.copysign(0.1, w)
    direction = RNG.standard_normal(w.shape)
    above, below = (regularizer(w + sign * STEP * direction) for sign in (1, -1))
    gradient = regularizer.gradient(w)
    assert np.vdot(gradient, direction) == pytest.approx(
        (above - below) / (2 * STEP), rel=TOLERANCE, abs=TOLERANCE
    )
    gradient[...] = 99  # an array of its own
    assert not (w == 99).any()
    narrow = w.astype(np.float32)
    assert regularizer.gradient(narrow).dtype == np.float32
    assert type(regularizer(narrow)) is float


def test_the_slope_of_l1_at_zero_is_zero():
    assert regularizers.L1().gradient(np.array([-2.0, 0.0, 3.0])).tolist() == [-0.01, 0.0, 0.01]


def test_found_by_name_class_and_configuration():
    for name in ("l2", "L2"):
        assert regularizers.get(name).get_config() == {"l2": 0.01}
    assert regularizers.get("l1").get_config() == {"l1": 0.01}
    for name in ("l1_l2", "l1l2", "L1L2"):
        assert regularizers.get(name).get_config() == {"l1": 0.0, "l2": 0.0}
    assert regularizers.get(regularizers.L1).l1 == 0.01
    own = regularizers.L1L2(0.1, 0.2)
    assert regularizers.get(own) is own
    again = regularizers.get({"class_name": "L1L2", "config": own.get_config()})
    assert again.get_config() == {"l1": 0.1, "l2": 0.2}
    assert regularizers.L1L2.from_config(own.get_config()).get_config() == own.get_config()
    assert regularizers.get(None) is None


def test_refused():
    with pytest.raises(ValueError, match=r"unknown regularizer 'l_2'; did you mean 'l2'"):
        layers.Dense(3, kernel_regularizer="l_2")
    with pytest.raises(TypeError, match="regularizer must be a name, a Regularizer, its class"):
        layers.LSTM(3, bias_regularizer=np.sum)
    for bad in (-0.1, np.inf):
        with pytest.raises(ValueError, match="l2 must be"):
            regularizers.L2(bad)
    with pytest.raises(TypeError, match=r"l1 must be a number, got '0.1'"):
        regularizers.L1("0.1")


class Rows(regularizers.Regularizer):
    """sum over rows i of (i + 1) w_i^2: it depends on the layout."""

    def __call__(self, w):
        return float((self.factors(w) * w**2).sum())

    def gradient(self, w):
        return 2 * self.factors(w) * w

    @staticmethod
    def factors(w):
        return np.arange(1, w.size + 1, dtype=w.dtype).reshape(w.shape)


ALL = {
    "kernel_regularizer": Rows(),
    "recurrent_regularizer": regularizers.L1(0.1),
    "bias_regularizer": "l2",
}
MAKE = {
    "SimpleRNN": lambda: layers.SimpleRNN(4, **ALL),
    "LSTM": lambda: layers.LSTM(4, projection=2, **ALL),
    "GRU": lambda: layers.GRU(4, **ALL),
    "LightGRU": lambda: layers.LightGRU(4, **ALL),
    "Dense": lambda: layers.Dense(4, kernel_regularizer=Rows(), bias_regularizer="l1"),
    "Embedding": lambda: layers.Embedding(4, 3, embeddings_regularizer=Rows()),
    "RNN": lambda: layers.RNN(
        [layers.LSTMCell(4), layers.GRUCell(3, kernel_regularizer=Rows(), bias_regularizer="l1")]
    ),
    "Bidirectional": lambda: layers.Bidirectional(layers.GRU(4, **ALL)),
    "TimeDistributed": lambda: layers.TimeDistributed(layers.Dense(4, kernel_regularizer=Rows())),
}


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE.keys())
def test_a_layer_sums_the_penalties_of_its_weights(make):
    layer = make()
    assert layer.penalty() == 0
    layer.build((None, 5, 3))
    layer.set_weights([RNG.standard_normal(w.shape) for w in layer.get_weights()])
    weights = dict(zip(layer.weight_names, layer.get_weights(), strict=True))
    assert layer.regularizers.keys() <= weights.keys()
    assert len(layer.regularizers) > 0
    wanted = sum(r(weights[name]) for name, r in layer.regularizers.items())
    assert layer.penalty() == pytest.approx(wanted, rel=1e-6)

    gradients = layer.penalty_gradients()
    for name, inner, got in zip(weights, layer.parameters, gradients, strict=True):
        if name not in layer.regularizers:
            assert got is None
            continue
        assert got.shape == inner.shape
        wanted = layer.regularizers[name].gradient(weights[name])
        np.testing.assert_allclose(layer._to_keras(name, got), wanted, rtol=1e-6)

    layer.trainable = False
    assert layer.penalty() == 0
    assert layer.penalty_gradients() == []


def test_each_direction_has_its_own():
    layer = layers.Bidirectional(layers.LSTM(4, kernel_regularizer="l2"))
    layer.build((None, 5, 3))
    assert list(layer.regularizers) == ["forward_kernel", "backward_kernel"]
    layer.forward_layer.trainable = False
    assert layer.penalty() == pytest.approx(layer.backward_layer.penalty())
    assert len(layer.penalty_gradients()) == len(layer.trainable_parameters) == 3
