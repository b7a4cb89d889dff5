"""Swapped layers give Keras's own outputs and states, by the kernels, under any backend."""

from itertools import product

import keras
import numpy as np
import pytest
from keras import layers, ops

from rnnfast.interop.keras import kernel_calls, swap

B, T, H = 3, 6, 5
X = np.random.default_rng(0).standard_normal((B, T, 4)).astype("float32")
MASKS = {
    "none": None,
    "right": np.arange(T) < np.array([[6], [3], [1]]),
    "left": np.arange(T) >= np.array([[0], [3], [5]]),
    "between": np.array([[1, 0, 1, 1, 0, 1], [0, 1, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0]], bool),
}
CELLS = {
    "lstm": (layers.LSTM, {}),
    "gru": (layers.GRU, {}),
    "gru_reset_before": (layers.GRU, {"reset_after": False}),
    "rnn": (layers.SimpleRNN, {}),
}
OPTIONS = [
    {},
    {"return_sequences": True, "return_state": True},
    {"return_sequences": True, "go_backwards": True},
]
RATES = [{"dropout": 0.2, "recurrent_dropout": 0.3}, {"dropout": 0.3}, {"recurrent_dropout": 0.3}]
cells = pytest.mark.parametrize("kind", CELLS)


def some(cases):
    """Return all cases where nothing is compiled, else every fifth."""
    return cases if keras.backend.backend() in ("numpy", "torch") else cases[::5]


def outputs(layer, x=X, **of_call):
    returned = keras.tree.flatten(layer(x, **of_call))
    return [ops.convert_to_numpy(tensor) for tensor in returned]


def assert_same(make, x=X, calls=1, seed=0, **of_call):
    """Compare a layer with its like that is swapped; calls of a layer change its state."""
    keras.utils.set_random_seed(seed)
    plain = make()
    expected = [outputs(plain, x, **of_call) for _ in range(calls)]
    keras.utils.set_random_seed(seed)
    ours = make()
    ours.build(x.shape)
    ours.set_weights(plain.get_weights())
    plain_state = getattr(ours, "reset_state", None)
    if plain_state is not None and ours.stateful:
        ours.reset_state()
    report = swap(ours)
    assert report.swapped
    assert not report.left
    before = kernel_calls()
    for wanted in expected:
        for one, other in zip(outputs(ours, x, **of_call), wanted, strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=2e-6)
    assert kernel_calls() - before >= calls * len(report.swapped)


@cells
@pytest.mark.parametrize(("mask", "options"), some(list(product(MASKS, OPTIONS))), ids=str)
def test_outputs_and_states(kind, mask, options):
    layer, own = CELLS[kind]
    assert_same(lambda: layer(H, **own, **options), mask=MASKS[mask])


@pytest.mark.parametrize(
    ("mask", "sequences", "unroll"),
    some(list(product(["between", "left"], [True, False], [False, True]))),
)
def test_masked_steps_show_zeros_where_they_should(mask, sequences, unroll):
    options = {"zero_output_for_mask": True, "return_sequences": sequences, "unroll": unroll}
    assert_same(lambda: layers.GRU(H, **options), mask=MASKS[mask])


def test_the_state_that_is_given_is_shown_or_not_before_the_first_step_as_the_backend_does():
    h, c = np.random.default_rng(1).standard_normal((2, B, H)).astype("float32")
    for unroll in (False, True):
        assert_same(
            lambda unroll=unroll: layers.LSTM(
                H, return_sequences=True, return_state=True, unroll=unroll
            ),
            mask=MASKS["between"],
            initial_state=[h, c],
        )


@cells
@pytest.mark.parametrize(
    "rates",
    some(
        [{"dropout": 0.2, "recurrent_dropout": 0.3}, {"dropout": 0.3}, {"recurrent_dropout": 0.3}]
    ),
)
def test_dropout_has_the_masks_that_keras_draws(kind, rates):
    layer, own = CELLS[kind]

    def make():
        return layer(H, return_sequences=True, return_state=True, seed=3, **own, **rates)

    assert_same(make, calls=2, training=True)
    assert_same(make, training=False)


@cells
def test_both_directions(kind):
    layer, own = CELLS[kind]
    assert_same(
        lambda: layers.Bidirectional(layer(H, return_sequences=True, **own)), mask=MASKS["right"]
    )


@cells
def test_state_goes_on_from_batch_to_batch(kind):
    layer, own = CELLS[kind]
    assert_same(lambda: layer(H, stateful=True, **own), calls=2)


@pytest.mark.parametrize("mask", ["none", "between"])
def test_cells_and_stacks_of_them(mask):
    def make():
        stack = [
            layers.LSTMCell(4, dropout=0.2, seed=1),
            layers.GRUCell(3),
            layers.SimpleRNNCell(2),
        ]
        return layers.RNN(stack, return_sequences=True, return_state=True)

    assert_same(make, mask=MASKS[mask], training=True)
    assert_same(lambda: layers.RNN(layers.GRUCell(H, implementation=1)), mask=MASKS[mask])


ACTIVATIONS = "celu elu exponential hard_sigmoid hard_tanh leaky_relu linear relu relu6 selu "
ACTIVATIONS += "sigmoid softplus softsign sparse_sigmoid tanh"


@pytest.mark.parametrize("name", some(ACTIVATIONS.split()))
def test_every_activation_that_the_core_has(name):
    assert_same(lambda: layers.SimpleRNN(H, activation=name))
    assert_same(lambda: layers.GRU(H, activation=name, recurrent_activation="hard_sigmoid"))


def test_other_options_of_a_layer():
    assert_same(lambda: layers.LSTM(H, use_bias=False, kernel_regularizer="l2"))
    assert_same(lambda: layers.LSTM(H, recurrent_constraint="unit_norm", trainable=False))
    assert_same(lambda: layers.LSTM(H), X[:, :1])


def test_float64():
    if keras.backend.backend() == "jax":
        pytest.skip("JAX has float64 only when it is told so")
    assert_same(lambda: layers.GRU(H, dtype="float64"), X.astype("float64"))
