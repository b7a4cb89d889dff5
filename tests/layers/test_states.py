"""States of recurrent layers: given, returned, kept from batch to batch."""

import re

import numpy as np
import pytest

from rnnfast import Sequential, layers

BATCH, STEPS, FEATURES, UNITS = 3, 6, 4, 5
F64 = {"dtype": "float64"}
X = np.random.default_rng(0).standard_normal((BATCH, STEPS, FEATURES))

MAKE = {
    "SimpleRNN": lambda **kw: layers.SimpleRNN(UNITS, **F64, **kw),
    "LSTM": lambda **kw: layers.LSTM(UNITS, **F64, **kw),
    "GRU": lambda **kw: layers.GRU(UNITS, **F64, **kw),
    "RNN": lambda **kw: layers.RNN(layers.LSTMCell(UNITS, **F64), **kw),
    "Bidirectional": lambda **kw: layers.Bidirectional(layers.GRU(UNITS, **F64, **kw)),
}
every_layer = pytest.mark.parametrize("make", MAKE.values(), ids=MAKE.keys())
unidirectional = pytest.mark.parametrize("make", list(MAKE.values())[:4], ids=list(MAKE)[:4])


def refused(error, message):
    return pytest.raises(error, match=f"^{re.escape(message)}")


def like(make, other, **options):
    """A layer with the weights of another."""
    layer = make(**options)
    layer.build(X.shape)
    layer.set_weights(other.get_weights())
    return layer


@unidirectional
def test_states_go_in_and_out(make):
    whole = make(return_sequences=True, return_state=True)
    y, *states = whole(X)
    assert [state.shape for state in states] == [(BATCH, UNITS)] * len(whole.state_sizes)
    assert whole.compute_output_shape(X.shape) == (y.shape, *(s.shape for s in states))
    np.testing.assert_array_equal(states[0], y[:, -1])
    first, *between = whole(X[:, :2])
    second, *after = whole(X[:, 2:], initial_state=between)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), y, rtol=1e-12)
    np.testing.assert_allclose(after, states, rtol=1e-12)
    plain = like(make, whole)
    np.testing.assert_array_equal(plain(X), y[:, -1])
    np.testing.assert_allclose(plain(X[:, 2:], between), y[:, -1], rtol=1e-12)


def test_one_state_need_not_stand_in_a_list():
    layer = layers.GRU(UNITS, **F64)
    state = np.full((BATCH, UNITS), 0.3)
    np.testing.assert_array_equal(layer(X, state), layer(X, [state]))
    assert (layer(X, state) != layer(X)).any()
    single = layers.GRU(UNITS)
    assert single(X, state).dtype == np.float32


@unidirectional
def test_a_result_and_a_state_are_arrays_of_their_own(make):
    layer = make(return_state=True, stateful=True)
    y, *states = layer(X)
    kept = layer.states
    y[...] = 7
    for state in states:
        assert not (state == 7).any()
        state[...] = 8
    np.testing.assert_array_equal(layer.states, kept)


@every_layer
def test_gradients_by_states(make):
    rng, step = np.random.default_rng(1), 6e-6
    layer = make(return_sequences=True)
    layer.build(X.shape)
    states = [rng.standard_normal((BATCH, size)) for size in layer.state_sizes]
    (y, after), pullback = layer.run_vjp(X, tuple(states), wrt_input=False, wrt_states=True)
    dy, *dafter = (rng.standard_normal(array.shape) for array in (y, *after))
    moves = [rng.standard_normal(state.shape) for state in states]

    def value(sign):
        moved = (s + sign * step * move for s, move in zip(states, moves, strict=True))
        results = layer.run(X, tuple(moved))
        pairs = zip((dy, *dafter), (results.y, *results.states), strict=True)
        return sum(np.vdot(d, result) for d, result in pairs)

    dx, _, dstates = pullback(dy, dafter)
    assert dx is None
    got = sum(np.vdot(d, move) for d, move in zip(dstates, moves, strict=True))
    assert got == pytest.approx((value(1) - value(-1)) / (2 * step), rel=1e-8, abs=1e-8)


@every_layer
def test_results_and_states_are_differentiated_together_or_apart(make):
    layer = make()
    layer.build(X.shape)
    (y, after), _ = layer.run_vjp(X, wrt_input=True, wrt_states=False)
    dy, dafter = np.cos(y), [np.sin(state) for state in after]

    def gradients(*above):
        _, pullback = layer.run_vjp(X, wrt_input=True, wrt_states=False)
        dx, of_weights, of_states = pullback(*above)
        assert of_states is None
        return [dx, *of_weights]

    both = gradients(dy, dafter)
    apart = zip(gradients(dy), gradients(None, dafter), strict=True)
    for got, (first, second) in zip(both, apart, strict=True):
        np.testing.assert_allclose(got, first + second, rtol=1e-10, atol=1e-13)


@unidirectional
def test_a_stateful_layer_goes_on_where_the_last_batch_ended(make):
    whole = make(return_sequences=True)
    y = whole(X)
    layer = like(make, whole, return_sequences=True, stateful=True)
    assert layer.states is None
    parts = [layer(X[:, :2]), layer(X[:, 2:3]), layer(X[:, 3:])]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), y, rtol=1e-12)
    np.testing.assert_allclose(layer.states[0], y[:, -1], rtol=1e-12)
    layer.reset_state()
    assert layer.states is None
    np.testing.assert_array_equal(layer(X), y)
    layer.reset_states()
    np.testing.assert_array_equal(layer(X[:2]), y[:2])


@every_layer
def test_training_ends_at_the_border_of_a_batch(make):
    layer = make(stateful=True)
    layer.build(X.shape)
    layer.vjp(X, wrt_input=False)
    kept = layer.states
    y, pullback = layer.vjp(X, wrt_input=True)
    plain = like(make, layer)
    (wanted, _), plain_pullback = plain.run_vjp(X, kept, wrt_input=True, wrt_states=False)
    np.testing.assert_array_equal(y, wanted)
    dx, gradients = pullback(np.cos(y))
    wanted_dx, wanted_gradients, _ = plain_pullback(np.cos(y))
    np.testing.assert_array_equal(dx, wanted_dx)
    for got, want in zip(gradients, wanted_gradients, strict=True):
        np.testing.assert_array_equal(got, want)


def test_masked_steps_leave_kept_states_as_they_are():
    layer = layers.LSTM(UNITS, stateful=True, return_sequences=True, **F64)
    layer(X)
    before = layer.states
    y = layer(X, mask=np.zeros((BATCH, STEPS), bool))
    assert not y.any()
    np.testing.assert_array_equal(layer.states, before)


@pytest.mark.parametrize("return_sequences", [False, True])
def test_directions_that_stay_apart(return_sequences):
    layer = layers.LSTM(UNITS, return_sequences=return_sequences, return_state=True, **F64)
    apart = layers.Bidirectional(layer, merge_mode=None)
    merged = layers.Bidirectional(layer)
    f, b, *states = apart(X)
    merged.build(X.shape)
    merged.set_weights(apart.get_weights())
    y, *same_states = merged(X)
    np.testing.assert_array_equal(np.concatenate([f, b], axis=-1), y)
    np.testing.assert_array_equal(states, same_states)
    shapes = tuple(array.shape for array in (f, b, *states))
    assert apart.compute_output_shape(X.shape) == shapes
    assert merged.compute_output_shape(X.shape) == (y.shape, *shapes[2:])
    plain = layers.Bidirectional(layers.LSTM(UNITS, **F64), merge_mode=None)
    assert [one.shape for one in plain(X)] == list(plain.compute_output_shape(X.shape))

    out, pullback = apart.run_vjp(X, wrt_input=True, wrt_states=False)
    (_, _), merged_pullback = merged.run_vjp(X, wrt_input=True, wrt_states=False)
    got = pullback((np.cos(out.y[0]), np.cos(out.y[1])))
    wanted = merged_pullback(np.cos(y))
    np.testing.assert_array_equal(got[0], wanted[0])
    for own, other in zip(got[1], wanted[1], strict=True):
        np.testing.assert_array_equal(own, other)


def test_a_model_resets_its_layers():
    model = Sequential(
        [
            layers.Input((STEPS, FEATURES)),
            layers.Bidirectional(layers.GRU(4, stateful=True, return_sequences=True)),
            layers.Dropout(0.1),
            layers.LSTM(3, stateful=True),
        ]
    )
    first, second = model(X), model(X)
    assert (first != second).any()
    model.reset_states()
    np.testing.assert_array_equal(model(X), first)
    with refused(ValueError, f"layer {model.layers[0].forward_layer.name!r} is stateful: all "):
        model(X[:2])
    model.reset_states()
    model(X[:2])


def test_batches_of_a_stateful_model_have_one_size():
    model = Sequential(
        [layers.Input((STEPS, FEATURES)), layers.LSTM(3, stateful=True, name="keeps")]
    )
    model.compile("sgd", "mse")
    x, y = np.zeros((10, STEPS, FEATURES)), np.zeros((10, 3))
    message = (
        "layer 'keeps' is stateful, so that all batches must have as many sequences: batch_size "
        "must divide the number of samples, got {}"
    )
    with refused(ValueError, message.format("4 for 10 samples")):
        model.fit(x, y, batch_size=4, verbose=0)
    with refused(ValueError, message.format("4 for 10 samples")):
        model.evaluate(x, y, batch_size=4, verbose=0)
    with refused(ValueError, message.format("4 for 10 samples")):
        model.predict(x, batch_size=4, verbose=0)
    with refused(ValueError, message.format("4 for 8 and 2 samples")):
        model.fit(x, y, batch_size=4, validation_split=0.2, verbose=0)
    assert model.layers[0].states is None
    model.fit(x, y, batch_size=5, validation_data=(x, y), verbose=0)
    model.reset_states()
    assert model.predict(x, verbose=0).shape == (10, 3)


def test_states_go_on_from_fit_to_predict_as_in_keras():
    model = Sequential([layers.Input((STEPS, FEATURES)), layers.GRU(3, stateful=True, **F64)])
    model.compile("sgd", "mse")
    model.fit(X, np.zeros((BATCH, 3)), batch_size=BATCH, verbose=0)
    left = model.layers[0].states
    predicted = model.predict(X, verbose=0)
    model.reset_states()
    np.testing.assert_array_equal(predicted, model.layers[0].run(X, left).y)


@pytest.mark.parametrize(
    "layer",
    [
        layers.LSTM(3, return_state=True, name="several"),
        layers.Bidirectional(layers.GRU(3), merge_mode=None, name="several"),
        layers.Bidirectional(layers.GRU(3, return_state=True), name="several"),
        layers.RNN(layers.GRUCell(3), return_state=True, name="several"),
    ],
)
def test_a_model_takes_no_layer_that_gives_several_arrays(layer):
    with refused(ValueError, "the layers of a model must give one array each, 'several' gives sev"):
        Sequential([layer])


def test_refused():
    lstm = layers.LSTM(UNITS, name="lstm_of_states")
    state = np.zeros((BATCH, UNITS))
    named = "initial_state of layer 'lstm_of_states' must be arrays of shapes [(3, 5), (3, 5)], got"
    for bad, shapes in (
        (state, "[(3, 5)]"),
        ([state, state, state], "[(3, 5), (3, 5), (3, 5)]"),
        ([state, state[:, 1:]], "[(3, 5), (3, 4)]"),
    ):
        with refused(ValueError, f"{named} {shapes}"):
            lstm(X, bad)
    with refused(TypeError, "initial_state must be an array of numbers, got ndarray"):
        lstm(X, [state, state.astype(str)])
    for name in ("return_state", "stateful"):
        with refused(TypeError, f"{name} must be True or False, got 1"):
            layers.GRU(3, **{name: 1})
    for name in ("return_state", "stateful"):
        other = layers.LSTM(3, go_backwards=True, **{name: True})
        with refused(ValueError, f"backward_layer must have {name}=False like layer, got True"):
            layers.Bidirectional(layers.LSTM(3), backward_layer=other)
