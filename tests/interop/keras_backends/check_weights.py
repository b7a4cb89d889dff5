"""Weights of Keras's layers: they compute what Keras does, and go back to it bit for bit."""

import keras
import numpy as np
import pytest
from keras import layers, ops

import rnnfast
from rnnfast import convert
from rnnfast.interop import keras as ours
from rnnfast.weights import read_weights, save_weights, to_keras

X = np.random.default_rng(0).standard_normal((3, 6, 4)).astype("float32")
SEQUENCES = {"return_sequences": True}

LAYERS = {
    "lstm": lambda: layers.LSTM(5, **SEQUENCES),
    "hard": lambda: layers.LSTM(5, recurrent_activation="hard_sigmoid", **SEQUENCES),
    "gru": lambda: layers.GRU(5, **SEQUENCES),
    "reset before": lambda: layers.GRU(5, reset_after=False, **SEQUENCES),
    "no bias": lambda: layers.GRU(5, use_bias=False, **SEQUENCES),
    "rnn": lambda: layers.SimpleRNN(5, activation="relu", **SEQUENCES),
    "one cell": lambda: layers.RNN(layers.GRUCell(5), **SEQUENCES),
    "both": lambda: layers.Bidirectional(layers.LSTM(5, **SEQUENCES)),
    "both reset before": lambda: layers.Bidirectional(
        layers.GRU(5, reset_after=False, **SEQUENCES)
    ),
}


def filled(layer):
    layer.build(X.shape)
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(0.1, 0.4, weight.shape) for weight in layer.get_weights()])
    return layer


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_they_compute_what_keras_does(make):
    layer = filled(make())
    weights = ours.find(layer).one()
    wanted = ops.convert_to_numpy(layer(X))
    found = rnnfast.prepack(weights)(X, batch_first=True).y
    np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-6)


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_files_bring_a_layer_back_bit_for_bit(make, tmp_path):
    layer = filled(make())
    path = tmp_path / "weights.safetensors"
    save_weights(path, ours.find(layer).one())
    other = make()
    other.build(X.shape)
    other.set_weights(to_keras(read_weights(path)))
    for one, wanted in zip(other.get_weights(), layer.get_weights(), strict=True):
        assert one.tobytes() == wanted.tobytes()


def test_going_backwards_is_reverse():
    layer = filled(layers.GRU(5, go_backwards=True, **SEQUENCES))
    weights = ours.find(layer).one()
    assert weights.options == {"reverse": True}
    found = rnnfast.prepack(weights)(X, batch_first=True).y
    np.testing.assert_allclose(found[:, ::-1], ops.convert_to_numpy(layer(X)), rtol=0, atol=2e-6)


def test_cells_one_above_another_are_layers():
    layer = filled(layers.RNN([layers.LSTMCell(5), layers.LSTMCell(5)], **SEQUENCES))
    weights = ours.find(layer).one()
    assert len(weights.layers) == 2
    found = rnnfast.prepack(weights)(X, batch_first=True).y
    np.testing.assert_allclose(found, ops.convert_to_numpy(layer(X)), rtol=0, atol=2e-6)


@pytest.mark.parametrize(
    "layer",
    [
        lambda: ours.LSTM(5, peephole=True, **SEQUENCES),
        lambda: ours.LSTM(5, layer_norm=True, zoneout=(0.1, 0.2), **SEQUENCES),
        lambda: ours.GRU(5, layer_norm=True, zoneout=0.25, **SEQUENCES),
    ],
)
def test_layers_of_ours(layer):
    layer = filled(layer())
    found = rnnfast.prepack(ours.find(layer).one())(X, batch_first=True).y
    np.testing.assert_allclose(found, ops.convert_to_numpy(layer(X)), rtol=0, atol=2e-6)


def test_a_model_says_what_was_found_and_what_was_left():
    inner = keras.Sequential([layers.GRU(5, name="inside", **SEQUENCES)], name="inner")
    model = keras.Sequential(
        [
            keras.Input((None, 4)),
            layers.Dense(4, name="dense"),
            layers.LSTM(5, name="lstm", **SEQUENCES),
            inner,
            layers.Bidirectional(layers.GRU(5, **SEQUENCES), merge_mode="sum", name="sum"),
            layers.SimpleRNN(5, activation="gelu", name="gelu"),
        ]
    )
    found = ours.find(model)
    assert [*found.stacks] == ["lstm", "inside"]
    assert found.left["dense"] == "Dense"
    assert "merge_mode='sum'" in found.left["sum"]
    assert "gelu" in found.left["gelu"]
    with pytest.raises(ValueError, match="name must be given"):
        found.one()
    with pytest.raises(ValueError, match="got 'gelu': the activation gelu"):
        found.one("gelu")


def test_what_is_no_model_or_has_no_weights():
    with pytest.raises(TypeError, match=r"must be a keras.Model or keras.Layer"):
        ours.find(3)
    with pytest.raises(ValueError, match="it has no weights yet"):
        ours.find(layers.LSTM(3)).one()


def test_files_of_keras_are_converted(tmp_path):
    model = keras.Sequential([keras.Input((None, 4)), layers.Dense(4), layers.LSTM(5, name="l")])
    model.save(tmp_path / "model.keras")
    convert.main([str(tmp_path / "model.keras"), str(tmp_path / "a.safetensors")])
    found = to_keras(read_weights(tmp_path / "a.safetensors"))
    for one, wanted in zip(found, model.get_layer("l").get_weights(), strict=True):
        assert one.tobytes() == wanted.tobytes()
    whole = (tmp_path / "model.keras").read_bytes()
    (tmp_path / "model.keras").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="is damaged, or no model that Keras reads"):
        convert.find(tmp_path / "model.keras")
