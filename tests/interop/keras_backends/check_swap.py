"""What is swapped, what is left and why; files, copies and exports are Keras's own."""

import copy
import pickle
import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest
from keras import layers, ops

from rnnfast.interop import keras as ours
from rnnfast.interop.keras import _fallback, _hook

X = np.random.default_rng(0).standard_normal((2, 5, 4)).astype("float32")


class Own(keras.Model):
    """A subclassed model with layers where only walking finds them."""

    def __init__(self):
        super().__init__()
        self.inner = keras.Sequential([layers.TimeDistributed(layers.Dense(4)), layers.GRU(3)])
        self.kept = [layers.Bidirectional(layers.LSTM(2, name="lstm"))]

    def call(self, x):
        return ops.concatenate([self.inner(x), self.kept[0](x)], axis=-1)


def functional():
    x = keras.Input((5, 4))
    y = layers.LSTM(3, return_sequences=True, name="first")(x)
    return keras.Model(x, layers.GRU(2, name="second")(y))


def calls_of(model, x=X):
    before = ours.kernel_calls()
    ops.convert_to_numpy(model(x))
    return ours.kernel_calls() - before


def test_every_layer_is_found_wherever_it_is():
    assert ours.swap(functional()).swapped == {"first": "LSTM", "second": "GRU"}
    model = Own()
    model(X)
    report = ours.swap(model)
    assert sorted(report.swapped.values()) == ["GRU", "LSTM", "LSTM"]
    assert calls_of(model) == 3
    nested = keras.Sequential([keras.Input((7, 5, 4)), layers.TimeDistributed(functional())])
    assert len(ours.swap(nested).swapped) == 2
    assert "first: LSTM" in str(ours.swap(functional()))
    assert str(ours.swap(keras.Sequential([layers.Dense(2)]))) == "nothing recurrent"


def test_names_that_are_alike_are_told_apart():
    model = Own()
    model.inner.add(layers.Reshape((1, 3)))
    model.kept.append(layers.GRU(3, name="forward_lstm"))
    assert {"forward_lstm", "forward_lstm (2)"} <= {*ours.swap(model).swapped}


class OwnCell(layers.LSTMCell):
    def call(self, inputs, states, training=False):
        return super().call(inputs, states)


class OwnLoop(layers.GRU):
    def inner_loop(self, sequences, initial_state, mask, training=False):
        return super().inner_loop(sequences, initial_state, mask, training)


class OwnCall(layers.GRU):
    def call(self, sequences, initial_state=None, mask=None, training=False):
        return 2 * super().call(sequences, mask=mask, training=training)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: layers.LSTM(3, activation="silu"), "the activation silu"),
        (lambda: layers.LSTM(3, activation=lambda x: x), "the activation <lambda>"),
        (lambda: layers.LSTM(3, dtype="mixed_bfloat16"), "the dtype policy mixed_bfloat16"),
        (lambda: layers.RNN(OwnCell(3)), "equations of its own (OwnCell.call)"),
        (lambda: OwnLoop(3), "an inner_loop of its own"),
        (lambda: layers.LSTM(3, use_cudnn=True), "use_cudnn=True"),
        (lambda: layers.ConvLSTM1D(3, 2), "an inner_loop of its own|a cell that rnnfast does not"),
        (lambda: layers.RNN([layers.GRUCell(3)]), "a stack of one cell"),
        (lambda: ours.LSTM(3), "it is rnnfast's already"),
    ],
)
def test_what_is_left_says_why(make, reason):
    layer = make()
    report = ours.swap(layer)
    assert not report.swapped
    (said,) = report.left.values()
    assert any(said.startswith(one) for one in reason.split("|"))
    assert not _hook.hooked(layer)


def test_a_subclass_with_the_same_loop_is_swapped():
    layer = OwnCall(3)
    expected = ops.convert_to_numpy(layer(X))
    assert ours.swap(layer).swapped
    np.testing.assert_allclose(ops.convert_to_numpy(layer(X)), expected, rtol=1e-5, atol=1e-6)


def test_what_cannot_run_later_is_run_by_keras_and_said_once(monkeypatch):
    monkeypatch.setattr(_fallback, "_said", set())
    layer = layers.GRU(3)
    ours.swap(layer)
    layer(X)
    layer.cell.activation = keras.activations.silu
    with pytest.warns(UserWarning, match="GRU with the activation silu is run by Keras"):
        y = layer(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        layer(X)
    ours.swap_back(layer)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(X)), ops.convert_to_numpy(y), rtol=1e-6)


@pytest.mark.parametrize("act", [ours.swap, ours.swap_back, lambda m: ours.plain(m).__enter__()])
def test_what_is_no_model_is_refused(act):
    with pytest.raises(TypeError, match=r"model must be a keras.Model or keras.Layer, got list"):
        act([functional()])
    with pytest.raises(TypeError, match=r"got the class LSTM; rnnfast.interop.keras.swap takes an"):
        act(layers.LSTM)


def test_input_that_does_not_fit_is_refused_and_the_next_call_is_right():
    model = functional()
    ours.swap(model)
    expected = ops.convert_to_numpy(model(X))
    with pytest.raises(Exception, match=r"shape|incompatible|must be"):
        model.layers[1](X[:, :, :3])
    np.testing.assert_array_equal(ops.convert_to_numpy(model(X)), expected)


def test_swapping_back_and_plain_undo_all():
    model = functional()
    attributes = [set(vars(layer)) for layer in model.layers]
    ours.swap(model)
    ours.swap(model)  # twice is once
    with ours.plain(model) as same:
        assert same is model
        assert calls_of(model) == 0
    assert calls_of(model) == 2
    with pytest.raises(KeyError), ours.plain(model):
        raise KeyError
    assert calls_of(model) == 2
    assert ours.swap_back(model).swapped == {"first": "LSTM", "second": "GRU"}
    assert calls_of(model) == 0
    assert [set(vars(layer)) for layer in model.layers] == attributes


def test_copies_are_plain_keras(tmp_path):
    model = functional()
    ours.swap(model)
    expected = ops.convert_to_numpy(model(X))
    path = tmp_path / "model.keras"
    model.save(path)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    copies = [clone, copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    for made in (*copies, keras.models.load_model(path)):
        assert not any(map(_hook.hooked, made._flatten_layers()))
        np.testing.assert_allclose(ops.convert_to_numpy(made(X)), expected, rtol=1e-5, atol=1e-6)
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", expected)
    loads = """
import sys
sys.modules["rnnfast"] = None
import keras, numpy as np
y = keras.models.load_model("model.keras")(np.load("x.npy"))
np.testing.assert_allclose(keras.ops.convert_to_numpy(y), np.load("y.npy"), rtol=1e-5, atol=1e-6)
"""
    subprocess.run([sys.executable, "-c", loads], cwd=tmp_path, check=True)


def test_a_swapped_model_that_is_exported_is_plain(tmp_path):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("one export is enough")
    model = functional()
    ours.swap(model)
    with ours.plain(model):
        model.export(tmp_path / "exported", verbose=False)
    import tensorflow as tf

    exported = tf.saved_model.load(tmp_path / "exported")  # whose variables live as long as it
    served = exported.serve(X)
    np.testing.assert_allclose(served, ops.convert_to_numpy(model(X)), rtol=1e-5, atol=1e-6)
