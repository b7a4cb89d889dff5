"""Files of weights: what comes back, and what damaged, foreign and hostile files say."""

import json
import struct
import tracemalloc

import numpy as np
import pytest
import safetensors.numpy

from rnnfast.weights import StackWeights, read_weights, save_weights

rng = np.random.default_rng(5)


def normal(*shape, dtype=np.float32):
    return rng.normal(size=shape).astype(dtype)


def layers(gates, count, directions, dtype=np.float32, hidden=4, biases=True):
    numbers = range(count * directions)
    widths = [3 if k < directions else directions * hidden for k in numbers]
    rows = gates * hidden
    given = {
        "w_ih": [normal(rows, width, dtype=dtype) for width in widths],
        "w_hh": [normal(rows, hidden, dtype=dtype) for _ in numbers],
    }
    if biases:
        given["b_ih"] = [normal(rows, dtype=dtype) for _ in numbers]
    return given


def alone(gates, **options):
    return {name: of_all[0] for name, of_all in layers(gates, 1, 1, **options).items()}


STACKS = [
    StackWeights("lstm", **alone(4)),
    StackWeights("lstm", **alone(4, dtype=np.float64), clip=2.5, zoneout=(0.1, 0.2)),
    StackWeights("lstm", **alone(4), peephole=normal(12), activations=("sigmoid", "elu", "tanh")),
    StackWeights("lstm", **alone(4), layer_norm=normal(40), reverse=True),
    StackWeights("gru", **layers(3, 2, 2), reset_after=False, bidirectional=True),
    StackWeights("gru", **layers(3, 1, 1, biases=False)),
    StackWeights("rnn", **alone(1), activations=("leaky_relu", 0.1)),
    StackWeights("rnn", **layers(1, 3, 1), nonlinearity="relu"),
    StackWeights("light_gru", **alone(2)),
    StackWeights("mgu", **alone(2)),
    StackWeights(
        "gru", **{**alone(3), "w_hh": normal(12, 4) * np.float32([1, 0, 0, 1])}, sparse=True
    ),
    StackWeights(
        "lstm",
        [normal(16, 3), normal(16, 2)],
        [normal(16, 2)] * 2,
        [None, normal(16)],
        w_hr=[normal(2, 4)] * 2,
    ),
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.safetensors"


@pytest.mark.parametrize("weights", STACKS, ids=repr)
def test_what_is_written_comes_back_bit_for_bit(path, weights):
    save_weights(path, weights)
    read = read_weights(path)
    assert repr(read) == repr(weights)
    assert (read.options, read.stacked) == (weights.options, weights.stacked)
    for own, layer in zip(read.layers, weights.layers, strict=True):
        for got, wanted in zip(own, layer, strict=True):
            for name, array in wanted._asdict().items():
                found = getattr(got, name)
                assert (found is None) == (array is None), name
                assert array is None or found.tobytes() == array.tobytes(), name


def test_other_tools_read_torchs_names(path):
    save_weights(path, STACKS[4])
    found = safetensors.numpy.load_file(path)
    assert {"weight_ih_l0", "bias_ih_l1_reverse", "weight_hh_l1"} < found.keys()
    np.testing.assert_array_equal(found["weight_hh_l0_reverse"], STACKS[4].layers[0][1].w_hh)


def test_reading_needs_no_package(path, monkeypatch):
    save_weights(path, STACKS[0])
    monkeypatch.setitem(__import__("sys").modules, "safetensors.numpy", None)
    assert repr(read_weights(path)) == repr(STACKS[0])
    with pytest.raises(ImportError, match="pip install safetensors"):
        save_weights(path, STACKS[0])


def test_a_file_is_replaced_only_if_that_is_meant(path):
    save_weights(path, STACKS[0])
    with pytest.raises(FileExistsError, match="pass overwrite=True"):
        save_weights(path, STACKS[1], overwrite=False)
    assert repr(read_weights(path)) == repr(STACKS[0])
    save_weights(path, STACKS[1])
    assert repr(read_weights(path)) == repr(STACKS[1])


def test_where_nothing_can_be_written(tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.safetensors"):
        save_weights(tmp_path / "weights.npz", STACKS[0])
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        save_weights(tmp_path / "none" / "w.safetensors", STACKS[0])
    with pytest.raises(TypeError, match="weights must be StackWeights, got dict"):
        save_weights(tmp_path / "w.safetensors", {})


def test_where_nothing_can_be_read(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_weights(tmp_path / "none.safetensors")
    with pytest.raises(IsADirectoryError):
        read_weights(tmp_path)


def test_every_cut_is_noticed(path):
    save_weights(path, STACKS[0])
    whole = path.read_bytes()
    for length in [*range(0, len(whole), 7), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"weights\.safetensors"):
            read_weights(path)


def test_damaged_bytes_are_refused_or_change_numbers(path):
    save_weights(path, STACKS[0])
    whole = path.read_bytes()
    (length,) = struct.unpack("<Q", whole[:8])
    refused = 0
    for place in rng.integers(0, 8 + length, 300):
        harmed = bytearray(whole)
        harmed[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(harmed)
        try:
            read_weights(path)
        except ValueError:
            refused += 1
    assert refused > 200


def changed(path, weights, change):
    """Write weights with another note, or other arrays."""
    save_weights(path, weights)
    with safetensors.safe_open(path, "np") as file:
        note = json.loads(file.metadata()["rnnfast"])
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    text = change(note, arrays)
    metadata = {"rnnfast": text if isinstance(text, str) else json.dumps(note)}
    safetensors.numpy.save_file(arrays, path, metadata=metadata)


def without(name):
    return lambda note, arrays: arrays.__delitem__(name)


def note_with(**changed):
    return lambda note, arrays: note["state"].update(changed)


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("weight_hh_l0 is missing", without("weight_hh_l0")),
        ("weight_ih_l0 is missing", without("weight_ih_l0")),
        ("is of format 2, this rnnfast reads 1", lambda note, _: note.update(version=2)),
        ("holds a 'model', wanted a 'weights'", lambda note, _: note.update(kind="model")),
        ("was not written by rnnfast", lambda note, _: note.__delitem__("state")),
        ("was not written by rnnfast", lambda *_: "[" * 100_000),
        ("was not written by rnnfast", lambda *_: "[]"),
        ("cell must be", note_with(cell="transformer")),
        ("unhashable", note_with(cell=["lstm"])),
        ("cell", lambda note, _: note["state"].__delitem__("cell")),
        ("'code' is no option", note_with(options={"code": "import os"})),
        ("'w_hr' is no option", note_with(options={"w_hr": [[1.0]]})),
        ("attribute", note_with(options=[1])),
        ("reset_after is an option", note_with(options={"reset_after": False})),
        ("clip must be", note_with(options={"clip": -1})),
        ("clip must be finite", note_with(options={"clip": float("inf")})),
        ("activations", note_with(options={"activations": [[[["tanh"]]]] * 3})),
        ("it has one direction", note_with(options={"bidirectional": True})),
        ("stacked must be True or False, got 1", note_with(stacked=1)),
        (r"bias_ih_l0 \(4\*H,\)|b_ih must be", lambda _, a: a.update(bias_ih_l0=normal(3))),
        ("float32 or float64", lambda _, a: a.update(bias_ih_l0=np.zeros(16, int))),
        ("float32 like w_ih", lambda _, a: a.update(bias_ih_l0=np.zeros(16))),
        ("'gate' is no name", lambda _, a: a.update(gate=normal(3))),
        ("weight_ih_l1 is missing", lambda _, a: a.update(bias_ih_l1=normal(16))),
        ("is missing", lambda _, a: a.update(weight_ih_l999999999=normal(16))),
        ("is no name", lambda _, a: a.update(weight_ih_l9999999999=normal(16))),
        ("weight_ih_l0_reverse is missing", lambda _, a: a.update(weight_hh_l0_reverse=normal(1))),
        (
            "it has 2 of w_ih",
            lambda _, a: a.update(weight_ih_l1=normal(16, 4), weight_hh_l1=normal(16, 4)),
        ),
    ],
)
def test_what_is_no_file_of_weights(path, words, change):
    changed(path, STACKS[0], change)
    with pytest.raises(ValueError, match=words) as caught:
        read_weights(path)
    assert str(path) in str(caught.value)


def test_a_file_that_others_wrote(path):
    safetensors.numpy.save_file({"weight_ih_l0": normal(16, 3)}, path)
    with pytest.raises(ValueError, match="was not written by rnnfast"):
        read_weights(path)


def test_names_that_stand_twice(path):
    save_weights(path, STACKS[0])
    whole = path.read_bytes()
    assert b'"weight_hh_l0"' in whole
    path.write_bytes(whole.replace(b'"weight_hh_l0"', b'"weight_ih_l0"'))
    with pytest.raises(ValueError, match="names appear twice"):
        read_weights(path)


def test_sizes_in_a_file_take_no_memory(path):
    huge = {"dtype": "F32", "shape": [2**40, 2**20], "data_offsets": [0, 2**62]}
    header = json.dumps({"weight_ih_l0": huge}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    tracemalloc.start()
    with pytest.raises(ValueError, match="has been cut short"):
        read_weights(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20
