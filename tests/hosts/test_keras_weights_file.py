"""Files that Keras writes, read here: the same weights, and the same predictions."""

import sys
import zipfile

import h5py
import numpy as np
import pytest

from keras_twins import keras
from rnnfast import Model, Sequential, layers
from rnnfast.testing.bits import digest

pytestmark = [
    pytest.mark.usefixtures("one_torch_thread"),
    # Keras's variables lag behind NumPy's protocol.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

SEQUENCES = {"return_sequences": True}


def everything(of):
    return [
        of.Embedding(9, 3),
        of.SimpleRNN(4, **SEQUENCES),
        of.LSTM(4, **SEQUENCES, dropout=0.2, recurrent_dropout=0.1),
        of.GRU(5, **SEQUENCES),
        of.GRU(3, **SEQUENCES, reset_after=False),
        of.Dropout(0.1),
        of.LSTM(4, **SEQUENCES, use_bias=False, go_backwards=True),
        of.Bidirectional(of.LSTM(3, **SEQUENCES)),
        of.LayerNormalization(),
        of.RNN(of.GRUCell(4), **SEQUENCES),
        of.RNN([of.LSTMCell(3), of.GRUCell(4), of.LSTMCell(2)], **SEQUENCES),
        of.Bidirectional(of.RNN([of.SimpleRNNCell(3), of.GRUCell(2)], **SEQUENCES), "sum"),
        of.RNN(of.StackedRNNCells([of.LSTMCell(3)]), **SEQUENCES),
        of.SpatialDropout1D(0.2),
        of.TimeDistributed(of.Dense(4, "tanh")),
        of.TimeDistributed(of.LayerNormalization(center=False)),
        *(of.Dense(3) for _ in range(12)),  # dense_2 comes after dense_10 in a file
        of.GlobalAveragePooling1D(),
        of.Dense(2, "softmax"),
    ]


def randomized(model):
    """Give a model of Keras's weights none of which is like another."""
    rng = np.random.default_rng(0)
    model.set_weights([rng.standard_normal(weight.shape) for weight in model.get_weights()])
    return model


def ours(make=everything, shape=(None,)):
    return Sequential([layers.Input(shape), *make(layers)])


@pytest.fixture
def theirs():
    return randomized(keras.Sequential([keras.Input((None,)), *everything(keras.layers)]))


@pytest.fixture(params=["a.weights.h5", "a.keras"])
def path(request, tmp_path):
    return tmp_path / request.param


def write(model, path):
    if path.suffix == ".keras":
        model.save(path)
    else:
        model.save_weights(path)


def rewrite(path, change):
    """Change the file of weights, in an archive or not."""
    inner = path
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            inner = path.with_suffix(".h5")
            inner.write_bytes(archive.read("model.weights.h5"))
    with h5py.File(inner, "r+") as file:
        change(file)
    if path.suffix == ".keras":
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(inner, "model.weights.h5")


def assert_same_predictions(own, other, x):
    wanted = keras.ops.convert_to_numpy(other(x))
    np.testing.assert_allclose(own(x), wanted, rtol=1e-5, atol=1e-6)


def refused(model, path, *mentioned, error=ValueError):
    before = digest(model.get_weights())
    with pytest.raises(error) as caught:
        model.load_weights(path)
    for one in (str(path), *mentioned):
        assert one in str(caught.value), str(caught.value)
    assert digest(model.get_weights()) == before


def test_every_layer(theirs, path):
    write(theirs, path)
    model = ours()
    model.load_weights(path)
    for own, other in zip(model.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(own, other)
    x = np.arange(12).reshape(2, 6) % 9
    assert_same_predictions(model, theirs, x)


def test_a_trained_model_with_its_optimizer(path):
    def make(of):
        return [of.LSTM(4), of.Dense(1)]

    theirs = keras.Sequential([keras.Input((3, 2)), *make(keras.layers)])
    theirs.compile("adam", "mse")
    theirs.fit(np.ones((4, 3, 2)), np.ones((4, 1)), verbose=0)
    write(theirs, path)
    model = ours(make, (3, 2))
    model.load_weights(str(path))
    assert digest(model.get_weights()) == digest(theirs.get_weights())


def test_numbers_that_the_model_cannot_hold(path):
    theirs = randomized(
        keras.Sequential([keras.Input((3, 2)), keras.layers.Dense(1, dtype="float64")])
    )
    write(theirs, path)
    model = ours(lambda of: [of.Dense(1, name="mine")], (3, 2))
    refused(model, path, "kernel of 'mine' in", "is F64", "cannot hold")
    model = ours(lambda of: [of.Dense(1, dtype="float64")], (3, 2))
    model.load_weights(path)
    assert digest(model.get_weights()) == digest(theirs.get_weights())


# ------------------------------------------------------------------------------ graphs


def encoder_and_decoder(of, model):
    x = of.Input((None, 3))
    y, h, c = of.LSTM(4, return_sequences=True, return_state=True)(x)
    again = of.LSTM(4, return_sequences=True)(of.Concatenate()([y, x]), initial_state=[h, c])
    return model(x, of.Dense(1)(of.Add()([y, again])))


def branches(of, model, names=("left", "right")):
    """Two layers of one form, of which neither comes after the other, and one called twice."""
    x = of.Input((None, 3))
    shared = of.GRU(3, return_sequences=True, name="shared")
    both = [of.LSTM(4, return_sequences=True, name=name)(shared(x)) for name in names]
    return model(x, of.Dense(1, name="out")(of.Concatenate()([*both, shared(shared(x))])))


def test_a_graph(path):
    theirs = randomized(encoder_and_decoder(keras.layers, keras.Model))
    write(theirs, path)
    model = encoder_and_decoder(layers, Model)
    model.load_weights(path)
    x = np.random.default_rng(1).standard_normal((2, 5, 3))
    assert_same_predictions(model, theirs, x)


def test_a_graph_whose_layers_are_known_by_name(path):
    theirs = randomized(branches(keras.layers, keras.Model))
    write(theirs, path)
    model = branches(layers, Model, ("right", "left"))
    model.load_weights(path)
    for name in ("left", "right", "shared", "out"):
        own, other = model.get_layer(name).get_weights(), theirs.get_layer(name).get_weights()
        for one, wanted in zip(own, other, strict=True):
            np.testing.assert_array_equal(one, wanted)
    refused(branches(layers, Model, ("left", "other")), path, "'left' and 'other'", "['concat")


def images(of):
    return [
        of.ConvLSTM2D(3, 2, **SEQUENCES),
        of.Bidirectional(of.ConvLSTM2D(2, 2, padding="same", use_bias=False)),
        of.Flatten(),
        of.Dense(2),
    ]


def test_layers_of_images(path):
    theirs = randomized(keras.Sequential([keras.Input((3, 5, 4, 2)), *images(keras.layers)]))
    write(theirs, path)
    model = ours(images, (3, 5, 4, 2))
    model.load_weights(path)
    x = np.random.default_rng(1).standard_normal((2, 3, 5, 4, 2)).astype(np.float32)
    assert_same_predictions(model, theirs, x)


# ------------------------------------------------------------------------------ refused


def test_weights_of_another_model(theirs, path):
    write(theirs, path)
    model = ours(lambda of: [*everything(of)[:-2], of.LSTM(2, name="mine")])
    refused(model, path, "missing are", "layers/lstm_2/cell/vars/0 (of 'mine')", "unexpected")
    model = ours(lambda of: [*everything(of)[:-1], of.Dense(2, "softmax", use_bias=False)])
    refused(model, path, "missing are []", "unexpected ['layers/dense_12/vars/1']")
    model = ours(lambda of: [*everything(of)[:-1], of.Dense(4, name="mine")])
    refused(model, path, "layers/dense_12/vars/0 (kernel of 'mine')", "(3, 4), got (3, 2)")


def test_what_is_no_file_of_these(path, tmp_path):
    model = ours(lambda of: [of.Dense(1)], (3, 2))
    refused(model, path, error=FileNotFoundError)
    for content in (b"", b"not hdf5", b"PK\x03\x04" + bytes(50)):
        path.write_bytes(content)
        refused(model, path, "is damaged, or not what Keras 3 writes")
    with zipfile.ZipFile(tmp_path / "empty.keras", "w"):
        pass
    refused(model, tmp_path / "empty.keras", "model.weights.h5")
    path.unlink()
    path.mkdir()
    refused(model, path, error=IsADirectoryError)


def test_a_file_cut_short(path):
    theirs = keras.Sequential([keras.Input((3, 2)), keras.layers.Dense(1)])
    write(theirs, path)
    whole = path.read_bytes()
    model = ours(lambda of: [of.Dense(1)], (3, 2))
    for length in range(0, len(whole), 211):
        path.write_bytes(whole[:length])
        refused(model, path)


def test_other_bytes_in_an_archive(tmp_path):
    """Without an archive there are no checksums, and HDF5 itself may crash."""
    path = tmp_path / "a.keras"
    theirs = randomized(keras.Sequential([keras.Input((3, 2)), keras.layers.Dense(1)]))
    theirs.save(path)
    whole = path.read_bytes()
    model = ours(lambda of: [of.Dense(1)], (3, 2))
    refusals = 0
    for place in range(0, len(whole), 61):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        try:
            model.load_weights(path)
        except ValueError as error:
            assert str(path) in str(error)
            refusals += 1
        else:
            assert digest(model.get_weights()) == digest(theirs.get_weights())
    assert refusals


def test_references_to_elsewhere(path, tmp_path):
    theirs = keras.Sequential([keras.Input((3, 2)), keras.layers.Dense(1)])
    model = ours(lambda of: [of.Dense(1)], (3, 2))

    def soft(file, name):
        file[name] = h5py.SoftLink("/elsewhere")

    def beyond(file, name):
        file[name] = h5py.ExternalLink(str(tmp_path / "other.h5"), "kernel")

    def outside(file, name):
        file.create_dataset(name, (2, 1), "f4", external=[("/dev/zero", 0, 8)])

    def virtual(file, name):
        layout = h5py.VirtualLayout((2, 1), "f4")
        layout[...] = h5py.VirtualSource(str(tmp_path / "other.h5"), "kernel", (2, 1), "f4")
        file.create_virtual_dataset(name, layout)

    def integers(file, name):
        file[name] = np.ones((2, 1), np.int32)

    def huge(file, name):
        file.create_dataset(name, (2**40, 2**20), "f4", chunks=(1, 2**20))

    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["kernel"] = np.ones((2, 1), np.float32)
    for put in (soft, beyond, outside, virtual, integers, huge):
        path.unlink(missing_ok=True)
        write(theirs, path)

        def change(file, put=put):
            file["elsewhere"] = np.ones((2, 1), np.float32)
            del file["layers/dense/vars/0"]
            put(file, "layers/dense/vars/0")

        rewrite(path, change)
        refused(model, path, "layers/dense/vars/0")


def test_an_archive_that_would_grow(tmp_path):
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", bytes(10**8))
    refused(ours(lambda of: [of.Dense(1)], (3, 2)), path, "would take 100000000 bytes")


def test_without_h5py(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match="pip install h5py"):
        ours(lambda of: [of.Dense(1)], (3, 2)).load_weights(path)
