"""Masks: which steps recurrent layers leave out, what those show, and what reaches the kernels."""

import re
from itertools import product

import numpy as np
import pytest

import rnnfast
from rnnfast import Sequential, layers
from rnnfast.layers.masks import MaskedSteps

BATCH, STEPS, FEATURES, UNITS = 4, 6, 3, 5
F64 = {"dtype": "float64"}
RNG = np.random.default_rng(0)
X = RNG.standard_normal((BATCH, STEPS, FEATURES))
PADDED = np.arange(STEPS) < np.array([STEPS, 3, 0, 5])[:, None]
HOLES = RNG.random((BATCH, STEPS)) < np.array([0.5, 0.0, 0.7, 0.5])[:, None]

MAKE = {
    "SimpleRNN": lambda **kw: layers.SimpleRNN(UNITS, **F64, **kw),
    "LSTM": lambda **kw: layers.LSTM(UNITS, **F64, **kw),
    "GRU": lambda **kw: layers.GRU(UNITS, **F64, **kw),
    "RNN": lambda **kw: layers.RNN([layers.LSTMCell(4, **F64), layers.GRUCell(UNITS, **F64)], **kw),
}
every_layer = pytest.mark.parametrize("make", MAKE.values(), ids=MAKE.keys())
every_mask = pytest.mark.parametrize(
    "mask", [PADDED, PADDED[:, ::-1], HOLES], ids=["padded", "padded before", "holes"]
)


def refused(error, message):
    return pytest.raises(error, match=f"^{re.escape(message)}")


def flat(states):
    return [leaf for one in states for leaf in (one if isinstance(one, list) else [one])]


def step_by_step(make, weights, x, mask, back, zero):
    """Keras's rule, sequence by sequence: results of all steps in the order taken, last states."""
    plain = make(return_state=True)
    plain.build(x.shape)
    plain.set_weights(weights)
    ys, lasts = [], []
    for row, there in zip(x, mask, strict=True):
        states, y = [np.zeros((1, size)) for size in plain.state_sizes], np.zeros((1, UNITS))
        shown = []
        for t in range(STEPS)[:: -1 if back else 1]:
            if there[t]:
                y, *left = plain(row[None, t : t + 1], states)
                states = flat(left)
            shown.append(y if there[t] or not zero else np.zeros_like(y))
        ys.append(np.concatenate(shown))
        lasts.append(np.concatenate(states, axis=-1))
    return np.stack(ys), np.concatenate(lasts)


@every_mask
@every_layer
def test_masked_steps_are_as_if_they_were_not_there(make, mask):
    for back, zero in product([False, True], repeat=2):
        options = {"go_backwards": back, "zero_output_for_mask": zero, "return_state": True}
        every, last = make(return_sequences=True, **options), make(**options)
        every.build(X.shape)
        last.build(X.shape)
        last.set_weights(every.get_weights())
        y, states = step_by_step(make, every.get_weights(), X, mask, back, zero)
        got, *left = every(X, mask=mask)
        np.testing.assert_allclose(got, y, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(np.concatenate(flat(left), axis=-1), states, rtol=1e-12)
        np.testing.assert_allclose(last(X, mask=mask)[0], y[:, -1], rtol=1e-12, atol=1e-14)


@every_mask
@every_layer
def test_gradients_by_a_masked_input(make, mask):
    step = 6e-6
    for every, back, zero in product([False, True], repeat=3):
        layer = make(return_sequences=every, go_backwards=back, zero_output_for_mask=zero)
        layer.build(X.shape)
        y, pullback = layer.vjp_masked(X, mask, wrt_input=True)
        dy, direction = RNG.standard_normal(y.shape), RNG.standard_normal(X.shape)
        dx, gradients = pullback(dy)
        assert [g.shape for g in gradients] == [p.shape for p in layer.parameters]
        assert not dx[~mask].any()
        above, below = (layer.call_masked(X + s * step * direction, mask) for s in (1, -1))
        wanted = np.vdot(dy, above - below) / (2 * step)
        assert np.vdot(dx, direction) == pytest.approx(wanted, rel=1e-8, abs=1e-8)


@every_mask
@every_layer
def test_what_a_masked_step_holds_is_never_read(make, mask):
    layer = make(return_sequences=True)
    layer.build(X.shape)
    poisoned = np.where(mask[:, :, None], X, np.nan)
    np.testing.assert_array_equal(layer(poisoned, mask=mask), layer(X, mask=mask))
    y, pullback = layer.vjp_masked(poisoned, mask, wrt_input=True)
    dx, gradients = pullback(np.ones_like(y))
    assert np.isfinite(dx).all()
    assert all(np.isfinite(gradient).all() for gradient in gradients)


def test_a_mask_that_masks_nothing_changes_nothing():
    layer = layers.LSTM(UNITS, return_sequences=True, **F64)
    np.testing.assert_array_equal(layer(X, mask=np.ones((BATCH, STEPS), bool)), layer(X))
    none = np.zeros((BATCH, 0), bool)
    assert layer(np.zeros((BATCH, 0, FEATURES)), mask=none).shape == (BATCH, 0, UNITS)


@pytest.mark.parametrize("back", [False, True])
def test_the_kernel_sees_lengths_and_padding_costs_no_copy(back, monkeypatch):
    seen = []

    def spy(x, *weights, **keywords):
        seen.append((x, keywords["lengths"]))
        return rnnfast.gru(x, *weights, **keywords)

    monkeypatch.setattr(layers.GRU, "function", staticmethod(spy))
    layer = layers.GRU(UNITS, go_backwards=back, **F64)
    layer.build(X.shape)
    for mask in (None, np.ones((BATCH, STEPS), bool), PADDED, HOLES):
        layer.run(X, mask=mask)
    (plain, none), (_, also_none), (padded, lengths), (packed, counts) = seen
    assert none is None
    assert also_none is None
    assert np.shares_memory(plain, X)
    assert np.shares_memory(padded, X)
    assert not np.shares_memory(packed, X)
    np.testing.assert_array_equal(lengths, PADDED.sum(axis=1))
    np.testing.assert_array_equal(counts, HOLES.sum(axis=1))


@pytest.mark.parametrize("zero", [False, True])
@pytest.mark.parametrize("back", [False, True])
@every_mask
def test_collect_is_the_transpose_of_place(mask, back, zero):
    steps = MaskedSteps(mask, back, zero)
    y, dy = RNG.standard_normal((2, STEPS, BATCH, UNITS))
    y[np.arange(STEPS)[:, None] >= steps.lengths] = 0
    of_valid = np.where(mask.T[:, :, None], dy, 0)
    for above in (dy, of_valid):
        wanted = np.vdot(steps.place(y), above)
        assert np.vdot(y, steps.collect(above)) == pytest.approx(wanted, rel=1e-12)
    x, dx = RNG.standard_normal((2, STEPS, BATCH, FEATURES))
    assert np.vdot(steps.pack(x), dx) == pytest.approx(np.vdot(x, steps.unpack(dx)), rel=1e-12)


def test_masking_masks_steps_of_one_value():
    x = np.array([[[0, 0], [0, 1], [2, 2]], [[2, 2], [0, 0], [1, 2]]], np.float32)
    layer = layers.Masking()
    np.testing.assert_array_equal(layer.compute_mask(x), [[0, 1, 1], [1, 0, 1]])
    np.testing.assert_array_equal(layer(x), x)
    layer = layers.Masking(2)
    np.testing.assert_array_equal(layer.compute_mask(x), [[1, 1, 0], [0, 1, 1]])
    cleared = np.array([[[0, 0], [0, 1], [0, 0]], [[0, 0], [0, 0], [1, 2]]], np.float32)
    y, pullback = layer.vjp(x, wrt_input=True)
    np.testing.assert_array_equal(y, cleared)
    assert y.dtype == np.float32
    dx, gradients = pullback(np.ones_like(x))
    np.testing.assert_array_equal(dx, np.repeat([[[1], [1], [0]], [[0], [1], [1]]], 2, axis=2))
    assert gradients == []
    assert layers.Masking(1 / 3).compute_mask(np.full((1, 1, 2), 1 / 3, np.float32)).sum() == 0


def test_an_embedding_masks_index_zero_where_asked():
    indices = np.array([[1, 0, 2], [0, 0, 1]])
    layer = layers.Embedding(3, 2, mask_zero=True)
    np.testing.assert_array_equal(layer.compute_mask(indices), indices != 0)
    assert layers.Embedding(3, 2).compute_mask(indices) is None


def test_masks_travel_and_end_with_the_steps():
    mask = HOLES
    every = {"return_sequences": True}
    for layer in (
        layers.Dense(2),
        layers.Dropout(0.5),
        layers.LSTM(2, **every),
        layers.GRU(2, go_backwards=True, **every),
        layers.Bidirectional(layers.GRU(2, **every)),
        layers.RNN(layers.LSTMCell(2), **every),
        layers.TimeDistributed(layers.Dense(2)),
    ):
        assert layer.compute_mask(X, mask) is mask
        assert layer.compute_mask(X, None) is None
    for layer in (layers.LSTM(2), layers.Bidirectional(layers.GRU(2))):
        assert layer.compute_mask(X, mask) is None


def test_a_layer_that_is_not_for_masks_says_so():
    class Flip(layers.Layer):
        def compute_output_shape(self, input_shape):
            return input_shape

        def _create_weights(self, input_shape):
            pass

        def call(self, x):
            return x[:, ::-1]

        def vjp(self, x, *, wrt_input):
            return x[:, ::-1], lambda dy: (dy[:, ::-1], [])

    model = Sequential([layers.Masking(), Flip(name="flip"), layers.LSTM(3)])
    with pytest.warns(UserWarning, match=r"layer 'flip' \(Flip\) does not support masks"):
        masked = model(X)
    np.testing.assert_array_equal(masked, model.layers[2](X[:, ::-1]))


def test_refused():
    lstm = layers.LSTM(3, name="lstm_of_masks")
    with refused(ValueError, "mask must be (batch, time) = (4, 6), got (4, 5)"):
        lstm(X, mask=PADDED[:, 1:])
    with refused(TypeError, "mask must be bool, got int64; compare first: mask != 0"):
        lstm(X, mask=PADDED.astype(int))
    with refused(ValueError, "mask must be that of the first axes of x = (4,), got (3,)"):
        layers.Dense(2)(X, mask=np.ones(3, bool))
    with refused(ValueError, "mask must have 1 to 3 axes, those x begins with, got 0"):
        layers.Dense(2)(X, mask=True)
    with refused(TypeError, "mask_value must be a number, got '0' of type str"):
        layers.Masking("0")
    with refused(ValueError, "mask_value must be finite, got nan"):
        layers.Masking(np.nan)
    for value in (1e39, 1e-50):  # which would be infinity, and zero
        with refused(ValueError, "mask_value must be a number that float32"):
            layers.Masking(value)
        layers.Masking(value, dtype="float64")
    with refused(ValueError, "the input of layer 'm' must be (batch, ..., features), got shape"):
        layers.Masking(name="m")(np.ones(3))
    with refused(TypeError, "zero_output_for_mask must be True or False, got 1"):
        layers.GRU(3, zero_output_for_mask=1)
    with refused(TypeError, "mask_zero must be True or False, got 'yes'"):
        layers.Embedding(3, 2, mask_zero="yes")
