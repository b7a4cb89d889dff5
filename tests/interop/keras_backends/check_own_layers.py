"""Layers with what Keras lacks: the kernels beside the same equations in Keras's operations."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from rnnfast.interop import keras as ours

X = np.random.default_rng(0).standard_normal((3, 6, 4)).astype("float32")
MASK = np.array([[1, 0, 1, 1, 0, 1], [0, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1]], bool)
KINDS = [
    (ours.LSTM, ours.LSTMCell, {"peephole": True}),
    (ours.LSTM, ours.LSTMCell, {"layer_norm": True, "zoneout": (0.1, 0.2)}),
    (ours.LSTM, ours.LSTMCell, {"use_bias": False, "recurrent_activation": "hard_sigmoid"}),
    (ours.GRU, ours.GRUCell, {"layer_norm": True}),
    (ours.GRU, ours.GRUCell, {"reset_after": False, "zoneout": 0.3}),
]


def filled(layer):
    """Give a layer weights of which none is zero."""
    layer.build(X.shape)
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(0.1, 0.4, weight.shape) for weight in layer.get_weights()])
    return layer


def arrays(tensors):
    return [ops.convert_to_numpy(tensor) for tensor in tensors]


@pytest.mark.parametrize(("layer", "cell", "options"), KINDS, ids=str)
def test_the_kernels_compute_the_equations(layer, cell, options):
    shared = {"return_sequences": True, "return_state": True}
    equations = filled(layers.RNN(cell(5, **options), **shared))
    expected = arrays(equations(X, mask=MASK))
    before = ours.kernel_calls()
    found = arrays(filled(layer(5, **shared, **options))(X, mask=MASK))
    assert ours.swap(equations).swapped
    swapped = arrays(equations(X, mask=MASK))
    assert ours.kernel_calls() - before == 2
    for one, same, other in zip(found, swapped, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=2e-6)
        np.testing.assert_allclose(same, other, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize(("layer", "options"), [(kind[0], kind[2]) for kind in KINDS], ids=str)
def test_files_hold_them(layer, options, tmp_path):
    model = keras.Sequential([keras.Input((6, 4)), layer(5, name="ours", dropout=0.1, **options)])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[0]) is layer
    assert loaded.layers[0].get_config() == model.layers[0].get_config()
    assert keras.saving.get_registered_name(layer) == f"rnnfast>{layer.__name__}"
    np.testing.assert_array_equal(*arrays([loaded(X), model(X)]))


def test_dropout_has_one_mask_for_all_gates():
    layer = ours.LSTM(5, recurrent_dropout=0.4, dropout=0.2, return_sequences=True, seed=1)
    plain = layers.RNN(ours.LSTMCell(5, recurrent_dropout=0.4, dropout=0.2, seed=1), True)
    filled(layer), filled(plain)
    found, expected = arrays([layer(X, training=True), plain(X, training=True)])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6)
    assert abs(found - arrays([layer(X)])[0]).max() > 0.01


def test_zoneout_keeps_states_in_training():
    layer = filled(ours.GRU(64, zoneout=0.25, return_sequences=True, seed=1))
    (y,) = arrays([layer(X, training=True)])
    kept = (y[:, 1:] == y[:, :-1]).mean()
    assert 0.18 < kept < 0.32


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ours.LSTM(3, peephole=True, layer_norm=True), "layer_norm and peephole do not go"),
        (lambda: ours.GRU(3, layer_norm=True, reset_after=False), "needs reset_after=True"),
        (lambda: ours.LSTM(3, peephole=1), "peephole must be"),
        (lambda: ours.GRU(3, zoneout=1.5), "zoneout must be"),
        (lambda: ours.GRU(0), "units"),
    ],
)
def test_wrong_arguments_are_refused(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()


def test_what_the_kernels_cannot_run_is_refused():
    with pytest.raises(NotImplementedError, match="LSTM runs in float32 and float64 on the CPU"):
        ours.LSTM(3, dtype="mixed_bfloat16")(X)
    with pytest.raises(NotImplementedError, match="zoneout is trained by the kernels alone"):
        layers.RNN(ours.GRUCell(3, zoneout=0.1), unroll=True)(X, training=True)


def test_swapping_back_leaves_them():
    assert ours.swap_back(keras.Sequential([ours.GRU(3, name="gru")])).left == {
        "gru": "Keras lacks it"
    }
