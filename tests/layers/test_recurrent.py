"""SimpleRNN, LSTM and GRU: Keras's layouts, starting values, shapes and errors."""

import numpy as np
import pytest

import rnnfast
from rnnfast import layers

BATCH, STEPS, FEATURES, UNITS = 3, 5, 4, 6


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# Keras's equations in Keras's layout, one step: (x, state, weights) -> state.


def simple_rnn_step(x, state, kernel, recurrent, bias):
    return (np.tanh(x @ kernel + state[0] @ recurrent + bias),)


def lstm_step(x, state, kernel, recurrent, bias):
    h, c = state
    i, f, candidate, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(candidate)
    return sigmoid(o) * np.tanh(c), c


def gru_step(x, state, kernel, recurrent, bias):
    (h,) = state
    xz, xr, xh = np.split(x @ kernel + bias[0], 3, axis=-1)
    rz, rr, rh = np.split(h @ recurrent + bias[1], 3, axis=-1)
    z, r = sigmoid(xz + rz), sigmoid(xr + rr)
    return (z * h + (1 - z) * np.tanh(xh + r * rh),)


def gru_reset_before_step(x, state, kernel, recurrent, bias):
    (h,) = state
    xz, xr, xh = np.split(x @ kernel + bias, 3, axis=-1)
    uz, ur, uh = np.split(recurrent, 3, axis=-1)
    z, r = sigmoid(xz + h @ uz), sigmoid(xr + h @ ur)
    return (z * h + (1 - z) * np.tanh(xh + (r * h) @ uh),)


def light_gru_step(x, state, kernel, recurrent, bias):
    (h,) = state
    z, n = np.split(x @ kernel + h @ recurrent + bias, 2, axis=-1)
    return (sigmoid(z) * h + (1 - sigmoid(z)) * np.maximum(n, 0),)


CELLS = {
    "simple_rnn": (layers.SimpleRNN, {}, simple_rnn_step, 1, 1, (UNITS,)),
    "lstm": (layers.LSTM, {}, lstm_step, 2, 4, (4 * UNITS,)),
    "gru": (layers.GRU, {}, gru_step, 1, 3, (2, 3 * UNITS)),
    "gru_reset_before": (
        layers.GRU,
        {"reset_after": False},
        gru_reset_before_step,
        1,
        3,
        (3 * UNITS,),
    ),
    "light_gru": (layers.LightGRU, {}, light_gru_step, 1, 2, (2 * UNITS,)),
}
all_cells = pytest.mark.parametrize(
    ("kind", "options", "step", "states", "gates", "bias_shape"), CELLS.values(), ids=CELLS.keys()
)
all_kinds = pytest.mark.parametrize("kind", [layers.SimpleRNN, layers.LSTM, layers.GRU])


@all_cells
def test_weights_have_the_layout_of_keras(kind, options, step, states, gates, bias_shape):
    rng = np.random.default_rng(0)
    layer = kind(UNITS, dtype="float64", return_sequences=True, **options)
    layer.build((None, None, FEATURES))
    shapes = [(FEATURES, gates * UNITS), (UNITS, gates * UNITS), bias_shape]
    assert layer.weight_names == ["kernel", "recurrent_kernel", "bias"]
    assert [weight.shape for weight in layer.get_weights()] == shapes
    weights = [rng.standard_normal(shape) for shape in shapes]
    layer.set_weights(weights)
    x = rng.standard_normal((BATCH, STEPS, FEATURES))
    state = (np.zeros((BATCH, UNITS)),) * states
    wanted = []
    for t in range(STEPS):
        state = step(x[:, t], state, *weights)
        wanted.append(state[0])
    np.testing.assert_allclose(layer(x), np.stack(wanted, axis=1), rtol=1e-12, atol=1e-13)


@all_cells
def test_weights_lie_inside_as_the_kernels_take_them(
    kind, options, step, states, gates, bias_shape
):
    layer = kind(UNITS, **options)
    layer.build((None, None, FEATURES))
    shapes = [parameter.shape for parameter in layer.parameters]
    assert shapes == [(gates * UNITS, FEATURES), (gates * UNITS, UNITS), bias_shape]
    assert all(parameter.flags.c_contiguous for parameter in layer.parameters)


@all_kinds
def test_without_bias(kind):
    layer = kind(UNITS, use_bias=False)
    layer.build((None, None, FEATURES))
    assert layer.weight_names == ["kernel", "recurrent_kernel"]


@all_kinds
def test_shapes(kind):
    x = np.ones((BATCH, STEPS, FEATURES), np.float32)
    last, every = kind(UNITS), kind(UNITS, return_sequences=True)
    assert last(x).shape == last.compute_output_shape(x.shape) == (BATCH, UNITS)
    assert every(x).shape == every.compute_output_shape(x.shape) == (BATCH, STEPS, UNITS)
    every.set_weights(last.get_weights())
    np.testing.assert_array_equal(every(x)[:, -1], last(x))
    assert every.compute_output_shape((None, None, FEATURES)) == (None, None, UNITS)


@all_kinds
@pytest.mark.parametrize("shape", [(BATCH, FEATURES), (BATCH,), (1, 2, 3, 4)])
def test_other_ranks_are_refused_with_the_fix(kind, shape):
    with pytest.raises(ValueError, match=r"must be \(batch, time, features\).*return_sequences"):
        kind(UNITS)(np.ones(shape))


@all_kinds
def test_other_feature_counts_are_refused(kind):
    layer = kind(UNITS)
    layer(np.ones((BATCH, STEPS, FEATURES)))
    with pytest.raises(ValueError, match="built for inputs with 4 features"):
        layer(np.ones((BATCH, STEPS, FEATURES + 1)))
    with pytest.raises(ValueError, match=r"last axis .* must be known"):
        kind(UNITS).build((None, None, None))


def test_first_weights_of_an_lstm():
    layer = layers.LSTM(UNITS)
    layer.build((None, None, FEATURES))
    kernel, recurrent, bias = layer.get_weights()
    limit = np.sqrt(6 / (FEATURES + 4 * UNITS))
    assert np.abs(kernel).max() <= limit < 1.2 * np.abs(kernel).max()
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(UNITS), atol=1e-6)
    np.testing.assert_array_equal(bias, np.repeat([0, 1, 0, 0], UNITS))


def test_the_forget_gate_starts_as_the_others_where_asked():
    layer = layers.LSTM(UNITS, unit_forget_bias=False, bias_initializer="ones")
    layer.build((None, None, FEATURES))
    np.testing.assert_array_equal(layer.get_weights()[2], np.ones(4 * UNITS))


def test_first_weights_of_a_gru():
    layer = layers.GRU(UNITS)
    layer.build((None, None, FEATURES))
    _, recurrent, bias = layer.get_weights()
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(UNITS), atol=1e-6)
    np.testing.assert_array_equal(bias, np.zeros((2, 3 * UNITS)))


# As Keras defines them.
ACTIVATIONS = {
    None: lambda z: z,
    "linear": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z < 0, 0.2 * z, z),
    "relu6": lambda z: np.clip(z, 0, 6),
    "elu": lambda z: np.where(z < 0, np.expm1(z), z),
    "celu": lambda z: np.where(z < 0, np.expm1(z), z),
    "selu": lambda z: 1.0507009873554805 * np.where(z < 0, 1.6732632423543772 * np.expm1(z), z),
    "softplus": lambda z: np.log1p(np.exp(z)),
    "softsign": lambda z: z / (1 + np.abs(z)),
    "tanh": np.tanh,
    "hard_tanh": lambda z: np.clip(z, -1, 1),
    "sigmoid": sigmoid,
    "hard_sigmoid": lambda z: np.clip(z / 6 + 0.5, 0, 1),
    "sparse_sigmoid": lambda z: np.clip((z + 1) / 2, 0, 1),
    "exponential": np.exp,
}
every_activation = pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)


@every_activation
def test_activations_of_simple_rnn(activation):
    layer = layers.SimpleRNN(UNITS, activation, kernel_initializer="identity")
    x = np.linspace(-7, 7, 9 * UNITS, dtype=np.float32).reshape(9, 1, UNITS)
    np.testing.assert_allclose(layer(x), ACTIVATIONS[activation](x[:, 0]), rtol=1e-5, atol=1e-7)


@every_activation
def test_activations_of_gated_layers(activation):
    # One step from zero, where the recurrent kernel takes no part.
    f, g = ACTIVATIONS[activation], ACTIVATIONS["softsign"]
    x = np.random.default_rng(0).standard_normal((4, 1, 3 * UNITS)).astype(np.float32)

    lstm = layers.LSTM(UNITS, "softsign", activation, kernel_initializer="zeros")
    lstm.build(x.shape)
    kernel, *others = lstm.get_weights()
    kernel[np.arange(3 * UNITS), np.r_[:UNITS, 2 * UNITS : 4 * UNITS]] = 1
    lstm.set_weights([kernel, *others])
    i, c, o = np.split(x[:, 0], 3, axis=1)
    np.testing.assert_allclose(lstm(x), f(o) * g(f(i) * g(c)), rtol=1e-5, atol=1e-6)

    gru = layers.GRU(UNITS, activation, "softsign", kernel_initializer="identity")
    z, _, n = np.split(x[:, 0], 3, axis=1)
    np.testing.assert_allclose(gru(x), (1 - g(z)) * f(n), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "argument"),
    [
        (layers.SimpleRNN, "activation"),
        (layers.LSTM, "activation"),
        (layers.LSTM, "recurrent_activation"),
        (layers.GRU, "activation"),
        (layers.GRU, "recurrent_activation"),
    ],
)
def test_activations_that_cannot_be_had(kind, argument):
    for other in ("silu", "ReLU", np.tanh, 3):
        with pytest.raises(ValueError, match=f"^{argument} must be None or one of linear, relu, "):
            kind(UNITS, **{argument: other})


@all_cells
def test_a_layer_hands_the_kernel_views_not_copies(
    kind, options, step, states, gates, bias_shape, monkeypatch
):
    layer = kind(UNITS, return_sequences=True, **options)
    x = np.ones((BATCH, STEPS, FEATURES), np.float32)
    layer.build(x.shape)
    seen = []
    run = kind.function

    def spy(x, *weights, **keywords):
        seen.append(x)
        return run(x, *weights, **keywords)

    monkeypatch.setattr(kind, "function", staticmethod(spy))
    y = layer.call(x)
    assert np.shares_memory(seen[0], x)
    assert seen[0].shape == (STEPS, BATCH, FEATURES)
    assert y.transpose(1, 0, 2).flags.c_contiguous


def test_a_projection():
    x = np.random.default_rng(0).standard_normal((BATCH, STEPS, FEATURES)).astype(np.float32)
    layer = layers.LSTM(UNITS, projection=2, return_sequences=True, return_state=True)
    assert layer.compute_output_shape(x.shape) == ((3, 5, 2), (3, 2), (3, 6))
    y, h, c = layer(x)
    assert (y.shape, h.shape, c.shape) == ((3, 5, 2), (3, 2), (3, 6))
    shapes = [(FEATURES, 24), (2, 24), (24,), (UNITS, 2)]
    assert [w.shape for w in layer.get_weights()] == shapes
    kernel, recurrent, bias, projection = layer.get_weights()
    given = (kernel.T, recurrent.T, bias)
    want = rnnfast.lstm(x.swapaxes(0, 1), *given, w_hr=projection.T)
    np.testing.assert_array_equal(y, want.y.swapaxes(0, 1))
    twin = layers.LSTM(UNITS, projection=2)
    twin.build(x.shape)
    twin.set_weights(layer.get_weights())
    packed = twin.prepack()
    assert packed.proj_size == 2
    np.testing.assert_array_equal(packed(x.swapaxes(0, 1)).h_n, twin(x))
    with pytest.raises(ValueError, match="projection must be"):
        layers.LSTM(UNITS, projection=0)


@pytest.mark.parametrize("option", ["peephole", "layer_norm"])
def test_weights_beside_kernels_and_bias(option):
    x = np.random.default_rng(0).standard_normal((BATCH, STEPS, FEATURES)).astype(np.float32)
    rows = {"peephole": 3, "layer_norm": 10}[option]
    layer = layers.LSTM(UNITS, return_sequences=True, **{option: True})
    layer.build(x.shape)
    *_, first = layer.get_weights()
    want = np.ones(rows * UNITS) if option == "layer_norm" else np.zeros(rows * UNITS)
    want[9 * UNITS :] = 0  # the bias of c
    np.testing.assert_array_equal(first, want)
    drawn = np.random.default_rng(1).standard_normal(rows * UNITS).astype(np.float32)
    layer.set_weights([*layer.get_weights()[:3], drawn])
    kernel, recurrent, bias, given = layer.get_weights()
    np.testing.assert_array_equal(given, drawn)
    y = rnnfast.lstm(x.swapaxes(0, 1), kernel.T, recurrent.T, bias, **{option: drawn}).y
    np.testing.assert_array_equal(layer(x), y.swapaxes(0, 1))
    np.testing.assert_array_equal(layer.prepack()(x.swapaxes(0, 1)).y, y)


def test_a_normalized_gru_has_its_gains_in_keras_order():
    x = np.random.default_rng(0).standard_normal((BATCH, STEPS, FEATURES)).astype(np.float32)
    layer = layers.GRU(UNITS, return_sequences=True, layer_norm=True)
    layer.build(x.shape)
    drawn = np.random.default_rng(1).standard_normal(6 * UNITS).astype(np.float32)
    layer.set_weights([*layer.get_weights()[:3], drawn])
    np.testing.assert_array_equal(layer.get_weights()[-1], drawn)
    order = np.array([1, 0, 2])  # z r h to r z n

    def sorted_gates(array):
        return array.reshape(-1, 3, UNITS)[:, order].reshape(array.shape)

    kernel, recurrent, bias, _ = layer.get_weights()
    given = [sorted_gates(w).T for w in (kernel, recurrent)]
    y = rnnfast.gru(x.swapaxes(0, 1), *given, *sorted_gates(bias), layer_norm=sorted_gates(drawn)).y
    np.testing.assert_array_equal(layer(x), y.swapaxes(0, 1))


def test_options_beyond_keras_that_do_not_go_together():
    with pytest.raises(ValueError, match="layer_norm and peephole do not go together"):
        layers.LSTM(UNITS, layer_norm=True, peephole=True)
    with pytest.raises(ValueError, match="layer_norm and projection do not go together"):
        layers.LSTM(UNITS, layer_norm=True, projection=2)
    with pytest.raises(ValueError, match="layer_norm needs reset_after=True, got False"):
        layers.GRU(UNITS, layer_norm=True, reset_after=False)
    with pytest.raises(TypeError, match="peephole must be True or False, got 1"):
        layers.LSTM(UNITS, peephole=1)
