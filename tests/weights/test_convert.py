"""python -m rnnfast.convert: what it lists and writes, and what it says of files that are none."""

import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file

import rnnfast
from rnnfast import Sequential, convert, layers
from rnnfast.weights import from_keras, read_weights, save_weights, to_torch

rng = np.random.default_rng(17)
WEIGHTS = from_keras("gru", [rng.normal(size=shape) for shape in ((3, 12), (4, 12), (2, 12))])


def named(module, weights=WEIGHTS):
    return {f"{module}.{name}": array for name, array in to_torch(weights).items()}


@pytest.fixture
def source(tmp_path):
    """A state_dict of two layers, and one that is not recurrent."""
    path = tmp_path / "model.safetensors"
    upper = from_keras("gru", [rng.normal(size=s) for s in ((4, 12), (4, 12), (2, 12))])
    save_file({**named("a"), **named("b", upper), "fc.weight": np.ones((2, 4))}, path)
    return path


def test_without_an_output_it_lists(source, capsys):
    convert.main([str(source)])
    printed = capsys.readouterr().out
    assert "a: <StackWeights gru: input_size=3, hidden_size=4, dtype=float64>" in printed
    assert "left:\n  fc: weight\n" in printed


def test_a_layer_is_chosen_by_name(source, tmp_path, capsys):
    out = tmp_path / "out.safetensors"
    convert.main([str(source), str(out), "--layer", "a"])
    assert f"{out}: <StackWeights gru" in capsys.readouterr().out
    assert to_torch(read_weights(out)).keys() == to_torch(WEIGHTS).keys()
    np.testing.assert_array_equal(read_weights(out).layers[0][0].w_ih, WEIGHTS.layers[0][0].w_ih)
    convert.main([str(source), str(out), "--layer", "a", "--layer", "b", "--overwrite"])
    assert len(read_weights(out).layers) == 2


def test_what_a_state_dict_does_not_say(tmp_path):
    path, out = tmp_path / "rnn.safetensors", tmp_path / "out.safetensors"
    save_file({"weight_ih_l0": np.ones((4, 3)), "weight_hh_l0": np.ones((4, 4))}, path)
    convert.main([str(path), str(out), "--nonlinearity", "relu"])
    assert read_weights(out).options == {"nonlinearity": "relu"}


def test_what_was_pruned_is_said_to_be_sparse(tmp_path, capsys):
    out, pt = tmp_path / "out.safetensors", tmp_path / "pruned.safetensors"
    pruned = {**to_torch(WEIGHTS), "weight_hh_l0": np.eye(12, 4)}
    save_file(pruned, pt)
    convert.main([str(pt), str(out), "--sparse"])
    assert "sparse=True>" in capsys.readouterr().out
    assert read_weights(out).options["sparse"] is True
    for name, array in to_torch(read_weights(out)).items():
        np.testing.assert_array_equal(array, pruned[name])
    save_file(to_torch(WEIGHTS), pt)
    assert "needs zeros in w_hh" in refused(capsys, pt, out, "--sparse", "--overwrite")


def test_arrays_for_keras(tmp_path):
    path, out = tmp_path / "a.safetensors", tmp_path / "a.npz"
    save_weights(path, WEIGHTS)
    convert.main([str(path), str(out)])
    with np.load(out) as found:
        assert found.files == [f"layer_0/{k}" for k in ("kernel", "recurrent_kernel", "bias")]
        again = from_keras("gru", [found[name] for name in found.files])
    np.testing.assert_array_equal(again.layers[0][0].b_hh, WEIGHTS.layers[0][0].b_hh)


def test_layers_of_a_model_of_ours(tmp_path):
    model = Sequential(
        [
            layers.Input((None, 3)),
            layers.LSTM(4, name="lower", return_sequences=True),
            layers.Bidirectional(layers.GRU(5, return_sequences=True), name="both"),
            layers.RNN([layers.GRUCell(5), layers.GRUCell(5)], name="cells"),
            layers.Dense(2, name="dense"),
        ]
    )
    path, out = tmp_path / "model.safetensors", tmp_path / "out.safetensors"
    model.save(path)
    found = convert.find(path)
    assert [len(one.layers) for one in found.stacks.values()] == [1, 1, 2]
    assert [*found.left.values()] == ["Dense"]
    x = rng.normal(size=(2, 6, 3)).astype(np.float32)
    y = x
    for name, layer in zip(found.stacks, model.layers, strict=False):
        convert.main([str(path), str(out), "--layer", name, "--overwrite"])
        y = rnnfast.Prepacked.load(out)(y, batch_first=True).y
        x = layer(x)
    np.testing.assert_array_equal(y[:, -1], x)


def test_a_model_of_ours_whose_layers_are_no_stacks(tmp_path):
    model = Sequential(
        [layers.Input((None, 3)), layers.Bidirectional(layers.GRU(5), merge_mode="sum", name="s")]
    )
    model.save(tmp_path / "model.safetensors")
    found = convert.find(tmp_path / "model.safetensors")
    assert not found.stacks
    assert "merge_mode='sum'" in next(iter(found.left.values()))


def refused(capsys, *arguments):
    with pytest.raises(SystemExit) as caught:
        convert.main([str(one) for one in arguments])
    assert str(caught.value).startswith("rnnfast.convert: ")
    capsys.readouterr()
    return str(caught.value)


def test_what_cannot_be_converted(source, tmp_path, capsys):
    out = tmp_path / "out.safetensors"
    assert "several were found, choose by --layer: ['a', 'b']" in refused(capsys, source, out)
    assert "got 'c'" in refused(capsys, source, out, "--layer", "c")
    assert "OUT must end in .safetensors, .pt" in refused(capsys, source, "a.h5", "--layer", "a")
    assert not out.exists()
    out.write_bytes(b"mine")
    assert "it exists" in refused(capsys, source, out, "--layer", "a")
    npz = tmp_path / "out.npz"
    npz.write_bytes(b"mine")
    assert "it exists" in refused(capsys, source, npz, "--layer", "a")
    assert out.read_bytes() == npz.read_bytes() == b"mine"
    nowhere = tmp_path / "none" / "out.npz"
    assert "there is no folder" in refused(capsys, source, nowhere, "--layer", "a")


def test_what_cannot_be_read(source, tmp_path, capsys):
    assert "No such file" in refused(capsys, tmp_path / "none.safetensors")
    (tmp_path / "folder.onnx").mkdir()
    assert "Is a directory" in refused(capsys, tmp_path / "folder.onnx")
    assert "IN must end in .safetensors, .pt" in refused(capsys, tmp_path / "model.xyz")
    assert "save the whole model" in refused(capsys, tmp_path / "model.weights.h5")
    whole = source.read_bytes()
    source.write_bytes(whole[:-5])
    assert "cut short" in refused(capsys, source)


def test_it_is_a_program(source):
    command = [sys.executable, "-m", "rnnfast.convert"]
    shown = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True)
    assert "--layer NAME" in shown.stdout
    failed = subprocess.run([*command, "none.onnx"], capture_output=True, text=True)
    assert failed.returncode == 1
    assert failed.stderr.startswith("rnnfast.convert: ")
    assert "Traceback" not in failed.stderr
