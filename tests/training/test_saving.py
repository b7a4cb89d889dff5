"""Weights in safetensors files."""

import errno
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from rnnfast import Sequential, layers


def make(units=6):
    return Sequential(
        [
            layers.Input((None,)),
            layers.Embedding(9, 4),
            layers.LSTM(units, return_sequences=True),
            layers.Dropout(0.1),
            layers.LSTM(5, use_bias=False, return_sequences=True),
            layers.GRU(5),
            layers.Dense(3, "softmax", name="head"),
        ]
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def test_weights_come_back_in_another_model(path):
    saved, loaded = make(), make()
    saved.save_weights(path)
    loaded.load_weights(str(path))
    for one, other in zip(saved.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    x = np.arange(12).reshape(2, 6) % 9
    np.testing.assert_array_equal(saved(x), loaded(x))


def test_the_file_holds_the_layout_and_names_of_keras(path):
    model = make()
    model.save_weights(path)
    tensors = load_file(path)
    wanted = [
        "embedding/embeddings",
        "lstm/kernel",
        "lstm/recurrent_kernel",
        "lstm/bias",
        "lstm_1/kernel",
        "lstm_1/recurrent_kernel",
        "gru/kernel",
        "gru/recurrent_kernel",
        "gru/bias",
        "dense/kernel",
        "dense/bias",
    ]
    assert set(tensors) == set(wanted)
    for name, weight in zip(wanted, model.get_weights(), strict=True):
        np.testing.assert_array_equal(tensors[name], weight)


def test_a_file_of_another_model_changes_nothing(path):
    model = make()
    before = model.get_weights()
    Sequential([layers.Input((2,)), layers.Dense(3), layers.Dense(3)]).save_weights(path)
    with pytest.raises(ValueError, match=r"missing \['embedding.*unexpected \['dense_1/bias"):
        model.load_weights(path)
    make(units=7).save_weights(path)
    with pytest.raises(ValueError, match=r"lstm/kernel in .* must have shape \(4, 24\), got"):
        model.load_weights(path)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_training_goes_on_after_loading(path):
    model = Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("adam", "mse")
    x, y = np.ones((4, 2)), np.ones(4)
    model.fit(x, y, verbose=0)
    model.save_weights(path)
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    model.load_weights(path)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    model.fit(x, y, verbose=0)
    assert (model.get_weights()[0] != before[0]).any()


def test_files_of_other_floating_point_types(path):
    model = Sequential([layers.Input((2,)), layers.Dense(1)])
    for dtype in (np.float16, np.float32, np.float64):
        save_file({"dense/kernel": np.full((2, 1), 0.5, dtype), "dense/bias": np.ones(1)}, path)
        model.load_weights(path)
        kernel, bias = model.get_weights()
        assert kernel.dtype == bias.dtype == np.float32
        assert (kernel == 0.5).all() and bias == 1


def test_a_refused_file_changes_nothing(path):
    """What is wrong is the last weight: by then the others have been read."""
    model = Sequential([layers.Input((2,)), layers.Dense(1)])
    before = model.get_weights()
    for bias in (np.ones(1, np.int32), np.full(1, 0.1), np.ones(1, bool)):
        save_file({"dense/kernel": np.zeros((2, 1), np.float32), "dense/bias": bias}, path)
        with pytest.raises(ValueError, match=r"dense/bias in .*model\.safetensors"):
            model.load_weights(path)
        for one, other in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)


def test_overwrite(path):
    make().save_weights(path)
    make().save_weights(path)
    with pytest.raises(FileExistsError, match=r"pass overwrite=True to replace it: '.*model.saf"):
        make().save_weights(path, overwrite=False)


def test_overwrite_false_beside_another_writer(path, monkeypatch):
    """The file appears after the first look, and is not replaced."""
    path.write_bytes(b"of another")
    monkeypatch.setattr("os.path.lexists", lambda path: False)
    with pytest.raises(FileExistsError, match=r"pass overwrite=True to replace it: '.*model.saf"):
        make().save_weights(path, overwrite=False)
    assert path.read_bytes() == b"of another"


def test_a_failed_save_keeps_the_last_good_file(path, monkeypatch):
    model = make()
    model.save_weights(path)
    before = path.read_bytes()

    def full(file, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.write", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*model.safetensors'"):
        model.save_weights(path)
    assert [*path.parent.iterdir()] == [path]
    assert path.read_bytes() == before


def test_what_is_refused(path):
    with pytest.raises(ValueError, match=r"filepath must end in \.safetensors, got 'a\.weights"):
        make().save_weights("a.weights.h5")
    with pytest.raises(ValueError, match=r"end in \.safetensors, \.weights\.h5 or \.keras, got"):
        make().load_weights("a.h5")
    unbuilt = Sequential([layers.Dense(3)])
    for method in (unbuilt.save_weights, unbuilt.load_weights):
        with pytest.raises(ValueError, match=r"no weights yet; call build\(input_shape\)"):
            method(path)
    with pytest.raises(FileNotFoundError):
        make().load_weights(path)


def test_what_is_no_safetensors_file_or_has_no_folder(path):
    model = make()
    path.write_bytes(b"these are not weights")
    with pytest.raises(ValueError, match="is no safetensors file"):
        model.load_weights(path)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        model.save_weights(path.parent / "absent" / path.name)


def test_without_safetensors_the_fix_is_named(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match="pip install safetensors"):
        make().save_weights(path)
