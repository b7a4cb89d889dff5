"""ConvLSTM2D beside its equations, place by place, and beside LSTM; gradients by differences."""

import re
from itertools import product

import numpy as np
import pytest

from rnnfast import Model, Sequential, layers

BATCH, STEPS, ROWS, COLUMNS, CHANNELS, FILTERS = 3, 4, 6, 5, 2, 3
F64 = {"dtype": "float64"}
RNG = np.random.default_rng(0)
X = RNG.standard_normal((BATCH, STEPS, ROWS, COLUMNS, CHANNELS))
MASK = np.array([[1, 1, 1, 1], [1, 0, 1, 0], [0, 0, 0, 0]], bool)
STEP = 6e-6

CONVOLUTIONS = {
    "valid": {"kernel_size": 3},
    "same": {"kernel_size": 3, "padding": "same"},
    "one place": {"kernel_size": 1},
    "even": {"kernel_size": (2, 4), "padding": "SAME"},
    "strides": {"kernel_size": (3, 2), "strides": (2, 3), "padding": "same"},
    "strides, valid": {"kernel_size": (2, 1), "strides": 2},
    "dilation": {"kernel_size": (3, 2), "dilation_rate": (2, 3), "padding": "same"},
    "dilation, valid": {"kernel_size": 2, "dilation_rate": (3, 2)},
    "kernel beyond the image": {"kernel_size": 13, "padding": "same"},
}
every_convolution = pytest.mark.parametrize("told", CONVOLUTIONS.values(), ids=CONVOLUTIONS.keys())


def made(shape=X.shape, **options):
    """A layer with random weights."""
    layer = layers.ConvLSTM2D(FILTERS, **{"kernel_size": 3, **F64, **options})
    layer.build(shape)
    rng = np.random.default_rng(1)
    layer.set_weights([0.4 * rng.standard_normal(w.shape) for w in layer.get_weights()])
    return layer


def convolved(image, kernel, strides, dilation, padding):
    """Place by place: TensorFlow's definition of a convolution, with its zeros."""
    lengths, sizes = image.shape[:2], kernel.shape[:2]
    reach = [(k - 1) * d + 1 for k, d in zip(sizes, dilation, strict=True)]
    if padding == "same":
        places = [-(-n // s) for n, s in zip(lengths, strides, strict=True)]
        zeros = [
            max((p - 1) * s + r - n, 0)
            for p, s, r, n in zip(places, strides, reach, lengths, strict=True)
        ]
        image = np.pad(image, [*((z // 2, z - z // 2) for z in zeros), (0, 0)])
    else:
        places = [(n - r) // s + 1 for n, r, s in zip(lengths, reach, strides, strict=True)]
    y = np.zeros((*places, kernel.shape[-1]))
    for a, b in product(*map(range, places)):
        for i, j in product(*map(range, sizes)):
            seen = image[a * strides[0] + i * dilation[0], b * strides[1] + j * dilation[1]]
            y[a, b] += seen @ kernel[i, j]
    return y


def from_equations(layer, x):
    """All h of one sequence."""
    kernel, recurrent_kernel, bias = layer.get_weights()
    ys, h, c = [], 0, 0
    for image in x:
        told = layer.strides, layer.dilation_rate, layer.padding
        z = convolved(image, kernel, *told) + bias
        if ys:
            z += convolved(h, recurrent_kernel, (1, 1), (1, 1), "same")
        i, f, candidate, o = np.split(z, 4, axis=-1)
        i, f, o = (1 / (1 + np.exp(-gate)) for gate in (i, f, o))
        c = f * c + i * np.tanh(candidate)
        h = o * np.tanh(c)
        ys.append(h)
    return np.stack(ys)


@every_convolution
def test_the_equations_are_what_is_computed(told):
    layer = made(return_sequences=True, **told)
    wanted = np.stack([from_equations(layer, x) for x in X])
    y = layer(X)
    np.testing.assert_allclose(y, wanted, rtol=1e-10, atol=1e-13)
    assert layer.compute_output_shape(X.shape) == y.shape
    trained, _ = layer.vjp(X, wrt_input=False)
    np.testing.assert_allclose(trained, wanted, rtol=1e-10, atol=1e-13)
    last = made(**told)
    np.testing.assert_allclose(last(X), wanted[:, -1], rtol=1e-10, atol=1e-13)
    assert last.compute_output_shape((None, *X.shape[1:])) == (None, *y.shape[2:])


@pytest.mark.parametrize("activations", [("tanh", "sigmoid"), ("softsign", "hard_sigmoid")])
def test_a_kernel_of_one_place_makes_an_lstm_of_each_place(activations):
    conv = made(X.shape, kernel_size=1, return_sequences=True, use_bias=False,
                activation=activations[0], recurrent_activation=activations[1])  # fmt: skip
    lstm = layers.LSTM(FILTERS, *activations, use_bias=False, return_sequences=True, **F64)
    lstm.build((None, None, CHANNELS))
    lstm.set_weights([weight[0, 0] for weight in conv.get_weights()])
    rows = X.transpose(0, 2, 3, 1, 4).reshape(-1, STEPS, CHANNELS)
    wanted = lstm(rows).reshape(BATCH, ROWS, COLUMNS, STEPS, FILTERS).transpose(0, 3, 1, 2, 4)
    np.testing.assert_allclose(conv(X), wanted, rtol=1e-12)


OPTIONS = {
    "last": {},
    "all": {"return_sequences": True},
    "backwards": {"return_sequences": True, "go_backwards": True},
    "no bias": {"use_bias": False},
    "dropout": {"dropout": 0.3, "recurrent_dropout": 0.4, "return_sequences": True},
    "zeros for masked": {"return_sequences": True, "zero_output_for_mask": True},
    "other activations": {"activation": "softsign", "recurrent_activation": "softsign"},
}


def assert_gradients(options, mask):
    layer = made(seed=3, **options)
    shapes = [(BATCH, *shape) for shape in layer.state_shapes]
    states = tuple(RNG.standard_normal(shape) for shape in shapes)

    def run():
        layer._rng = np.random.default_rng(3)  # the same masks each time
        return layer.run_vjp(x, states, mask, wrt_input=True, wrt_states=True)

    x = X.copy()
    (y, after), pullback = run()
    above = [RNG.standard_normal(one.shape) for one in (y, *after)]
    dx, gradients, dstates = pullback(above[0].copy(), [one.copy() for one in above[1:]])
    moved = [x, *layer.parameters, *states]
    for array, gradient in zip(moved, [dx, *gradients, *dstates], strict=True):
        assert gradient.shape == array.shape
        before, direction, values = array.copy(), RNG.standard_normal(array.shape), []
        for sign in (1, -1):
            array[...] = before + sign * STEP * direction
            out, _ = run()
            values.append(sum(map(np.vdot, above, (out.y, *out.states))))
        array[...] = before
        slope = (values[0] - values[1]) / (2 * STEP)
        assert np.vdot(gradient, direction) == pytest.approx(slope, rel=1e-7, abs=1e-7)


@every_convolution
def test_gradients_of_every_convolution(told):
    assert_gradients({**told, "return_sequences": True}, None)


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "masked"])
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
def test_gradients_of_every_option(options, mask):
    assert_gradients({"padding": "same", **options}, mask)


def test_what_is_not_asked_for_is_not_given():
    layer = made(trainable=False)
    y, pullback = layer.vjp(X, wrt_input=False)
    assert pullback(np.ones_like(y)) == (None, [])


@pytest.mark.parametrize(("back", "zero"), list(product([False, True], repeat=2)))
def test_masked_steps_are_as_if_they_were_not_there(back, zero):
    options = {"go_backwards": back, "zero_output_for_mask": zero, "padding": "same"}
    every = made(return_sequences=True, return_state=True, **options)
    plain = made(return_sequences=True, return_state=True, **options)
    y, *states = every(X, mask=MASK)
    for b, there in enumerate(MASK):
        if not there.any():
            assert not y[b].any()
            assert not any(state[b].any() for state in states)
            continue
        wanted, *left = plain(X[b : b + 1, there])
        order = there[::-1] if back else there
        np.testing.assert_allclose(y[b, order], wanted[0], rtol=1e-12)
        for state, last in zip(states, left, strict=True):
            np.testing.assert_allclose(state[b], last[0], rtol=1e-12)
        for t in np.flatnonzero(~order):
            shown = np.zeros_like(y[b, 0]) if zero or t == 0 else y[b, t - 1]
            np.testing.assert_array_equal(y[b, t], shown)


def test_states_go_in_and_out_and_on():
    whole = made(return_sequences=True, return_state=True, padding="same")
    y, h, c = whole(X)
    assert h.shape == c.shape == (BATCH, ROWS, COLUMNS, FILTERS)
    assert whole.compute_output_shape(X.shape) == (y.shape, h.shape, c.shape)
    first, *between = whole(X[:, :2])
    second, *after = whole(X[:, 2:], between)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), y, rtol=1e-12)
    np.testing.assert_allclose(after, [h, c], rtol=1e-12)
    stateful = made(return_sequences=True, stateful=True, padding="same")
    parts = [stateful(X[:, :1]), stateful(X[:, 1:])]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), y, rtol=1e-12)
    again = made(stateful=True, padding="same")
    again.set_carried_state(between)
    np.testing.assert_allclose(again(X[:, 2:]), y[:, -1], rtol=1e-12)


def test_states_go_through_a_graph():
    first = layers.ConvLSTM2D(FILTERS, 3, padding="same", return_state=True, **F64)
    second = layers.ConvLSTM2D(FILTERS, 3, padding="same", **F64)
    x = layers.Input(X.shape[1:])
    _, *states = first(x)
    model = Model(x, second(x, initial_state=states))
    _, *states = first(X)
    np.testing.assert_allclose(model.predict(X, verbose=0), second(X, states), rtol=1e-12)
    small = layers.Input((STEPS, 4, 4, CHANNELS))
    with pytest.raises(ValueError, match=r"initial_state of layer .* must be of shapes \[\(None,"):
        layers.ConvLSTM2D(FILTERS, 3, padding="same", **F64)(small, initial_state=first(x)[1:])


def test_it_runs_in_both_directions():
    layer = layers.ConvLSTM2D(FILTERS, 3, return_sequences=True, return_state=True, **F64)
    both = layers.Bidirectional(layer)
    shapes = both.compute_output_shape(X.shape)
    y, *states = both(X)
    assert shapes == (y.shape, *(state.shape for state in states))
    forward, backward = both.forward_layer(X)[0], both.backward_layer(X)[0]
    np.testing.assert_array_equal(y, np.concatenate([forward, backward[:, ::-1]], axis=-1))
    assert (forward != backward).any()


def test_a_packed_model_takes_images_one_by_one():
    model = Sequential(
        [
            layers.Input((None, *X.shape[2:])),
            layers.ConvLSTM2D(FILTERS, 3, return_sequences=True, **F64),
            layers.ConvLSTM2D(FILTERS, 2, return_sequences=True, **F64),
        ]
    )
    served, state = model.prepack(), None
    wanted = model.predict(X, verbose=0)
    np.testing.assert_allclose(served(X), wanted, rtol=1e-12)
    for t in range(STEPS):
        y, state = served.step(X[:, t], state)
        np.testing.assert_allclose(y, wanted[:, t], rtol=1e-12)


def test_weights_are_those_of_keras():
    layer = layers.ConvLSTM2D(FILTERS, (3, 2))
    layer.build(X.shape)
    kernel, recurrent_kernel, bias = layer.get_weights()
    assert kernel.shape == (3, 2, CHANNELS, 4 * FILTERS)
    assert recurrent_kernel.shape == (3, 2, FILTERS, 4 * FILTERS)
    rows = recurrent_kernel.reshape(-1, 4 * FILTERS)
    shorter = rows @ rows.T if len(rows) < 4 * FILTERS else rows.T @ rows
    np.testing.assert_allclose(shorter, np.eye(len(shorter)), atol=1e-6)
    np.testing.assert_array_equal(bias, np.repeat([0, 1, 0, 0], FILTERS))
    assert not made(unit_forget_bias=False, use_bias=True)._initial_bias((12,), "f8").any()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"filters": 0}, ValueError, "filters must be a positive integer, got 0"),
        ({"kernel_size": (3, 3, 3)}, ValueError, "kernel_size must be a positive integer or two"),
        ({"kernel_size": "3"}, ValueError, "kernel_size must be a positive integer or two"),
        ({"strides": (1, 0)}, ValueError, "strides must be a positive integer or two of them"),
        ({"dilation_rate": True}, ValueError, "dilation_rate must be a positive integer or two"),
        ({"strides": 2, "dilation_rate": 2}, ValueError, "strides and dilation_rate do not go"),
        ({"padding": "causal"}, ValueError, "padding must be 'valid' or 'same', got 'causal'"),
        ({"data_format": "channels_first"}, NotImplementedError, "ConvLSTM2D does not support dat"),
        ({"activation": "gelu"}, ValueError, "activation must be None or one of"),
        ({"unroll": True}, NotImplementedError, "ConvLSTM2D does not support unroll=True yet"),
        ({"kernel_constraint": "max_norm"}, NotImplementedError, "ConvLSTM2D does not support ker"),
        ({"stride": 2}, TypeError, "ConvLSTM2D got an unexpected argument 'stride'; did you mean"),
    ],
)
def test_arguments_that_are_none_are_refused(options, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        layers.ConvLSTM2D(**{"filters": 3, "kernel_size": 3, **options})


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 3, 4, 5), "must be (batch, time, rows, columns, channels), got shape (2, 3, 4, 5)"),
        ((2, 3, None, 5, 1), "with images of a known shape, got (2, 3, None, 5, 1)"),
        ((2, 3, 4, 2, 1), "must be as large as what its kernel sees, kernel_size=(3, 3)"),
    ],
)
def test_images_that_do_not_fit_are_refused(shape, message):
    layer = layers.ConvLSTM2D(3, 3, name="frames")
    for ask in (layer.build, layer.compute_output_shape):
        with pytest.raises(ValueError, match=re.escape(message)):
            ask(shape)


def test_images_of_another_size_are_refused():
    layer = made()
    with pytest.raises(ValueError, match=r"was built for images \(6, 5, 2\), got input shape"):
        layer(X[:, :, :5])
    with pytest.raises(ValueError, match=r"initial_state .* of shapes \[\(3, 4, 3, 3\), \(3, 4"):
        layer(X, [np.zeros((3, 6, 5, 3))] * 2)
    with pytest.raises(ValueError, match="is not built yet, call build"):
        _ = layers.ConvLSTM2D(3, 3).state_shapes


def test_a_mask_of_places_is_refused():
    model = Sequential([layers.Masking(input_shape=X.shape[1:]), layers.ConvLSTM2D(3, 3)])
    message = r"mask of layer .* must be of steps, \(batch, time\), got shape \(3, 4, 6, 5\); a"
    with pytest.raises(ValueError, match=message):
        model.predict(X, verbose=0)
    with pytest.raises(ValueError, match=r"must be of steps, .* got shape \(3, 6, 5\)"):
        model.prepack().step(X[:, 0])
