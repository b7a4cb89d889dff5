"""A packed model gives what predict gives: whole, step by step, from a pickle, in many threads."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rnnfast import Model, Sequential, layers
from rnnfast.layers.add import Add
from rnnfast.layers.concatenate import Concatenate
from rnnfast.testing.bits import digest

L = layers
T, B, FEATURES, V = 6, 4, 3, 9
CELLS = {"rnn": L.SimpleRNN, "lstm": L.LSTM, "gru": L.GRU, "light_gru": L.LightGRU}


def of_features(*stack: layers.Layer) -> Sequential:
    return trained(Sequential([L.Input((None, FEATURES)), *stack]))


def trained(model: Sequential) -> Sequential:
    """Weights that no initializer gives, biases among them."""
    rng = np.random.default_rng(3)
    model.set_weights([rng.standard_normal(w.shape) / 2 for w in model.get_weights()])
    return model


def of_symbols(*stack: layers.Layer, mask_zero: bool = False) -> Sequential:
    return trained(Sequential([L.Input((None,)), L.Embedding(V, 5, mask_zero=mask_zero), *stack]))


def data(model: Sequential) -> np.ndarray:
    rng = np.random.default_rng(0)
    if model.layers[0].input_dtype.kind == "i":
        return rng.integers(0, V, (B, T))
    x = rng.standard_normal((B, T, FEATURES)).astype(np.float32)
    x[0, :2] = x[1, 3] = x[2] = 0  # what Masking leaves out: at the beginning, between, all
    return x


STEPWISE = {
    **{f"many to many, {name}": of_features(cell(5, return_sequences=True), L.Dense(2, "tanh"))
       for name, cell in CELLS.items()},
    **{f"many to one, {name}": of_features(cell(5), L.Dense(2, "softmax"))
       for name, cell in CELLS.items()},
    "a stack": of_features(
        L.LSTM(4, return_sequences=True), L.Dropout(0.5), L.GRU(5, return_sequences=True),
        L.LayerNormalization(), L.SimpleRNN(3), L.Activation("relu"), L.Dense(2),
    ),
    "cells": of_features(
        L.RNN([L.LSTMCell(4), L.GRUCell(5)], return_sequences=True), L.SpatialDropout1D(0.5)
    ),
    "one cell": of_features(L.RNN(L.GRUCell(5, reset_after=False))),
    "zoneout": of_features(L.LSTM(4, zoneout=0.3, recurrent_dropout=0.5), L.Dense(2)),
    "before the recurrence": of_features(L.TimeDistributed(L.Dense(4, "relu")), L.GRU(5)),
    "symbols": of_symbols(L.LSTM(4, return_sequences=True), L.Dense(V)),
    "padded symbols": of_symbols(L.GRU(4, return_sequences=True), L.GRU(3), mask_zero=True),
    "masked": of_features(L.Masking(), L.LSTM(4, return_sequences=True), L.Dense(2)),
    "masked, zeros": of_features(
        L.Masking(), L.LSTM(4, return_sequences=True, zero_output_for_mask=True)
    ),
    "masked, many to one": of_features(L.Masking(), L.RNN([L.GRUCell(3), L.LSTMCell(2)])),
}  # fmt: skip
WHOLE = {
    "bidirectional": of_features(L.Bidirectional(L.LSTM(4, return_sequences=True)), L.Dense(2)),
    "padded, bidirectional": of_symbols(L.Bidirectional(L.GRU(4), "sum"), mask_zero=True),
    "backwards": of_features(L.GRU(4, go_backwards=True), L.Dense(2)),
    "pooled": of_features(L.GRU(4, return_sequences=True), L.GlobalAveragePooling1D()),
    "autoencoder": of_features(
        L.LSTM(4), L.RepeatVector(T), L.LSTM(FEATURES, return_sequences=True)
    ),
}


@pytest.mark.parametrize("name", [*STEPWISE, *WHOLE])
def test_whole_sequences_as_predict_gives_them(name: str) -> None:
    model = {**STEPWISE, **WHOLE}[name]
    x = data(model)
    assert digest([model.prepack()(x)]) == digest([model(x)])
    np.testing.assert_allclose(model.prepack()(x), model.predict(x, verbose=0), rtol=1e-6)


@pytest.mark.parametrize("name", STEPWISE)
def test_step_by_step_as_predict_gives_the_steps_so_far(name: str) -> None:
    model = STEPWISE[name]
    packed, x, state = model.prepack(), data(model), None
    for t in range(T):
        y_t, state = packed.step(x[:, t], state)
        so_far = model.predict(x[:, : t + 1], verbose=0)
        wanted = so_far[:, -1] if so_far.ndim == 3 else so_far
        np.testing.assert_allclose(y_t, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("bidirectional", "'bidirectional.*' .Bidirectional. needs whole sequences"),
        ("backwards", "'gru.*' goes backwards"),
        ("pooled", "GlobalAveragePooling1D. needs whole"),
        ("autoencoder", "RepeatVector. needs whole"),
    ],
)
def test_a_layer_that_needs_whole_sequences_is_named(name: str, layer: str) -> None:
    with pytest.raises(ValueError, match=layer):
        WHOLE[name].prepack().step(np.zeros((B, FEATURES), np.float32))


def test_a_step_changes_neither_its_state_nor_the_model() -> None:
    packed = STEPWISE["a stack"].prepack()
    x = data(STEPWISE["a stack"])
    _, before = packed.step(x[:, 0])
    once, again = packed.step(x[:, 1], before), packed.step(x[:, 1], before)
    assert digest([once[0]]) == digest([again[0]])


@pytest.mark.parametrize("name", [*STEPWISE, *WHOLE])
def test_training_goes_on_and_what_is_packed_stays(name: str) -> None:
    model = {**STEPWISE, **WHOLE}[name]
    x, packed = data(model), model.prepack()
    before = digest([packed(x)])
    weights = model.get_weights()
    model.set_weights([w + 1 for w in weights])
    assert digest([packed(x)]) == before
    model.set_weights(weights)
    for layer in packed.layers:
        for weight in layer.parameters:
            with pytest.raises(ValueError, match="read-only"):
                weight += 1


@pytest.mark.parametrize("name", [*STEPWISE, *WHOLE])
def test_a_pickle_gives_the_same_bits(name: str) -> None:
    model = {**STEPWISE, **WHOLE}[name]
    packed = model.prepack()
    again = pickle.loads(pickle.dumps(packed))
    assert digest([again(data(model))]) == digest([packed(data(model))])
    assert not any(w.flags.writeable for layer in again.layers for w in layer.parameters)


def test_threads_share_it() -> None:
    packed = STEPWISE["a stack"].prepack()
    xs = [np.random.default_rng(k).standard_normal((B, T, FEATURES)) for k in range(16)]
    wanted = [digest([packed(x)]) for x in xs]
    with ThreadPoolExecutor(4) as pool:
        assert [*pool.map(lambda x: digest([packed(x)]), xs)] == wanted


def test_a_stateful_layer_begins_with_zeros() -> None:
    model = Sequential([L.Input(batch_shape=(B, T, FEATURES)), L.LSTM(4, stateful=True)])
    x = np.ones((B, T, FEATURES), np.float32)
    first, second = model(x), model(x)
    packed = model.prepack()
    assert digest([packed(x)]) == digest([packed(x)]) == digest([first])
    assert digest([model(x)]) not in (digest([first]), digest([second]))


def test_a_graph_with_several_inputs_and_shared_layers() -> None:
    a, b = L.Input((None, FEATURES), name="a"), L.Input((None, FEATURES), name="b")
    shared = L.GRU(4, return_sequences=True)
    joined = Concatenate()([shared(a), L.Dense(2)(b)])
    model = Model([a, b], [Add()([joined, joined]), shared(b)])
    packed = model.prepack()
    x = [data(STEPWISE["one cell"]), np.ones((B, T, FEATURES), np.float32)]
    wanted = model.predict(x, verbose=0)
    for got, want in zip(packed({"a": x[0], "b": x[1]}), wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6)
    state = None
    for t in range(T):
        y_t, state = packed.step([one[:, t] for one in x], state)
    for got, want in zip(y_t, wanted, strict=True):
        np.testing.assert_allclose(got, want[:, -1], rtol=1e-5, atol=1e-6)


def test_states_from_another_layer_need_whole_sequences() -> None:
    a = L.Input((None, FEATURES))
    y, h = L.GRU(4, return_sequences=True, return_state=True)(a)
    model = Model(a, L.GRU(4)(y, initial_state=h))
    x = data(STEPWISE["one cell"])
    assert digest([model.prepack()(x)]) == digest([model(x)])
    with pytest.raises(ValueError, match="has an initial_state that other layers give"):
        model.prepack().step(x[:, 0])


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(ValueError, match="has no weights yet"):
        Sequential([L.LSTM(3)]).prepack()
    packed = STEPWISE["one cell"].prepack()
    with pytest.raises(ValueError, match=r"x_t must have shape \(any, 3\), got \(4, 6, 3\)"):
        packed.step(np.zeros((B, T, FEATURES)))
    with pytest.raises(ValueError, match=r"x must have shape \(any, any, 3\), got \(4, 6, 2\)"):
        packed(np.zeros((B, T, 2)))
    with pytest.raises(TypeError, match=r"state must be None or what the step before"):
        packed.step(np.zeros((B, FEATURES)), np.zeros((B, 5)))
    with pytest.raises(ValueError, match="takes indices from 0"):
        STEPWISE["symbols"].prepack().step(np.array([V]))


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
@pytest.mark.parametrize("name", [*STEPWISE, *WHOLE])
def test_recurrent_layers_are_kept_in_a_shorter_type(name, precision) -> None:
    model = {**STEPWISE, **WHOLE}[name]
    x = data(model)
    packed = model.prepack(precision)
    again = pickle.loads(pickle.dumps(packed))
    assert digest([again(x)]) == digest([packed(x)])
    np.testing.assert_allclose(packed(x), model(x), rtol=0, atol=0.1)


def test_a_shorter_type_of_a_layer_in_float64_is_refused() -> None:
    model = Sequential([L.Input((None, 3)), L.GRU(4, dtype="float64")])
    with pytest.raises(TypeError, match="precision='bfloat16' takes float32 arrays, got float64"):
        model.prepack("bfloat16")


# --- sessions -------------------------------------------------------------------------------------


def wrecked(y: np.ndarray) -> np.ndarray:
    """A copy of a result, whose array is the caller's to change."""
    kept = y.copy()
    y[...] = np.nan
    return kept


@pytest.mark.parametrize("name", STEPWISE)
def test_a_session_gives_what_steps_do(name: str) -> None:
    packed = STEPWISE[name].prepack()
    x, session, state = data(STEPWISE[name]), packed.session(), None
    for x_t in x.swapaxes(0, 1):
        y, state = packed.step(x_t, state)
        assert digest(wrecked(session.step(x_t))) == digest(y)


def test_a_stateful_model_is_served_by_a_session() -> None:
    model = trained(
        Sequential([L.Input(batch_shape=(1, 1, FEATURES)), L.LSTM(5, stateful=True), L.Dense(2)])
    )
    session = model.prepack().session()
    x = np.random.default_rng(2).standard_normal((T, 1, FEATURES)).astype(np.float32)
    for x_t in x:
        wanted = model.predict(x_t[:, None], verbose=0)
        np.testing.assert_allclose(session.step(x_t), wanted, rtol=0, atol=1e-6)


def test_a_session_goes_back_to_a_state() -> None:
    model = STEPWISE["cells"]
    session, x = model.prepack().session(), data(model).swapaxes(0, 1)
    assert session.state() is None
    first = session.step(x[0])
    kept = session.state()
    second = session.step(x[1])
    session.reset(kept)
    assert digest(session.step(x[1])) == digest(second)
    again = pickle.loads(pickle.dumps(session))
    assert digest(again.step(x[2])) == digest(session.step(x[2]))
    session.reset()
    assert digest(session.step(x[0])) == digest(first)


def test_what_a_session_refuses_changes_nothing() -> None:
    session, x = STEPWISE["a stack"].prepack().session(), data(STEPWISE["a stack"])
    session.step(x[:, 0])
    kept = session.state()
    with pytest.raises(ValueError, match="x_t must have shape"):
        session.step(x)
    with pytest.raises(ValueError, match=r"state must be|state h must be"):
        session.step(x[:2, 1])  # fewer sequences
    wanted = session.step(x[:, 1])
    session.reset(kept)
    assert digest(session.step(x[:, 1])) == digest(wanted)
    with pytest.raises(ValueError, match="goes backwards"):
        WHOLE["backwards"].prepack().session().step(x[:, 0])
    session.reset(("no", "state"))
    with pytest.raises(TypeError, match="state must be None or what the step before has returned"):
        session.step(x[:, 0])
