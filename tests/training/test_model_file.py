"""Whole models in files: what comes back, what is left out, what is refused."""

import errno
import json
import math
import struct

import numpy as np
import pytest
from safetensors.numpy import load_file

from rnnfast import (
    Model,
    Sequential,
    layers,
    load_model,
    losses,
    metrics,
    optimizers,
    regularizers,
    utils,
)
from rnnfast.testing.bits import digest

SCHEDULES = optimizers.schedules


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def of_steps(*more, features=3):
    return Sequential([layers.Input((5, features)), *more, layers.LSTM(4), layers.Dense(2)])


def graph():
    """Several inputs and outputs, states of another layer, a layer that is called twice."""
    x, z = layers.Input((None, 3), name="x"), layers.Input((4,), name="z")
    dense = layers.Dense(4, "tanh", name="twice")
    y, h, c = layers.LSTM(4, return_sequences=True, return_state=True)(x)
    y = layers.Add()([y, layers.GRU(4, return_sequences=True)(y, initial_state=dense(z))])
    after = layers.LSTM(4)(y, initial_state=[h, c])
    outputs = {"one": layers.Dense(1, name="head")(layers.Concatenate()([after, dense(h)]))}
    return Model([x, z], {**outputs, "all": layers.TimeDistributed(layers.Dense(2))(y)})


MODELS = {
    "recurrent": lambda: of_steps(
        layers.SimpleRNN(4, "relu", return_sequences=True, go_backwards=True),
        layers.GRU(4, reset_after=False, return_sequences=True, zero_output_for_mask=True),
        layers.LightGRU(3, return_sequences=True),
        layers.LSTM(5, peephole=True, projection=3, zoneout=(0.1, 0.2), return_sequences=True),
        layers.GRU(3, layer_norm=True, return_sequences=True),
        layers.Bidirectional(layers.LSTM(3, return_sequences=True, dropout=0.1), "sum"),
        layers.RNN([layers.GRUCell(3), layers.LSTMCell(2)], return_sequences=True),
        layers.Bidirectional(layers.RNN(layers.SimpleRNNCell(3), return_sequences=True)),
    ),
    "others": lambda: Sequential(
        [
            layers.Input((6, 3), name="in"),
            layers.TimeDistributed(layers.Dense(4, "silu", use_bias=False)),
            layers.LayerNormalization(epsilon=0.1, center=False),
            layers.SpatialDropout1D(0.1),
            layers.Activation("tanh"),
            layers.Reshape((3, 8)),
            layers.Flatten(),
            layers.RepeatVector(2),
            layers.Dropout(0.2, seed=3),
            layers.GlobalAveragePooling1D(),
            layers.Dense(2, "softmax", kernel_regularizer=regularizers.L1L2(0.1, 0.2)),
        ],
        name="mine",
    ),
    "indices": lambda: Sequential(
        [layers.Input((None,)), layers.Embedding(3, 4, mask_zero=True), layers.LSTM(3)]
    ),
    "float64": lambda: Sequential(
        [
            layers.Masking(2.0, dtype="float64", input_shape=(5, 3)),
            layers.LSTM(4, dtype="float64", seed=2),
            layers.Dense(1, dtype="float64", trainable=False),
        ]
    ),
    "graph": graph,
}


def data(model):
    rng = np.random.default_rng(0)
    shapes = model.input_shape if isinstance(model.input_shape, list) else [model.input_shape]
    x = [rng.integers(3, size=[4, *(n or 5 for n in shape[1:])]) for shape in shapes]
    return x[0] if len(x) == 1 else x


@pytest.mark.parametrize("name", MODELS)
def test_a_model_comes_back(name, path):
    model = MODELS[name]()
    model.save(path)
    loaded = load_model(str(path))
    assert type(loaded) is type(model)
    assert loaded.get_config() == model.get_config()
    assert digest(loaded.get_weights()) == digest(model.get_weights())
    x = data(model)
    assert digest(loaded(x)) == digest(model(x))
    assert not loaded.compiled
    again = path.with_name("again.safetensors")
    loaded.save(again)
    first, second = load_file(path), load_file(again)
    assert first.keys() == second.keys()
    # Its arrays have the names that save_weights gives them.
    model.save_weights(again)
    assert first.keys() == load_file(again).keys()


OPTIMIZERS = {
    "adam": lambda: optimizers.Adam(0.01, amsgrad=True, clipnorm=1.0),
    "adamw": lambda: optimizers.AdamW(
        SCHEDULES.CosineDecay(0.0, 9, warmup_target=0.1, warmup_steps=3), weight_decay=0.1
    ),
    "rmsprop": lambda: optimizers.RMSprop(
        SCHEDULES.ExponentialDecay(0.1, 4, 0.5), momentum=0.5, centered=True
    ),
    "sgd": lambda: optimizers.SGD(
        SCHEDULES.PiecewiseConstantDecay([2, 4], [0.1, 0.2, 0.3]),
        momentum=0.9,
        nesterov=True,
        gradient_accumulation_steps=2,
    ),
}
X, Y = np.random.default_rng(1).standard_normal((2, 20, 5, 3)).astype(np.float32)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_goes_on_with_the_same_bits(name, path):
    """As that of a model which was never saved."""
    model = of_steps(layers.Bidirectional(layers.GRU(3, return_sequences=True)))
    model.layers[1].trainable = False
    model.compile(OPTIMIZERS[name](), "huber", metrics=["mae", metrics.RootMeanSquaredError()])
    model.fit(X, Y[:, 0, :2], epochs=1, batch_size=4, verbose=0)  # an odd number of batches
    model.save(path)
    loaded = load_model(path)
    assert loaded.compiled and loaded.optimizer is not model.optimizer
    histories = []
    for one in (model, loaded):
        utils.set_random_seed(2)
        histories.append(one.fit(X, Y[:, 0, :2], epochs=2, batch_size=4, verbose=0).history)
    assert histories[0] == histories[1]
    assert digest(loaded.get_weights()) == digest(model.get_weights())
    states = [one.optimizer.get_state() for one in (model, loaded)]
    assert states[0].keys() == states[1].keys()
    assert digest(states[0].values()) == digest(states[1].values())
    assert not load_model(path, compile=False).compiled


def test_losses_and_metrics_of_several_outputs(path):
    model = graph()
    model.compile(
        "adam",
        loss={"one": losses.MeanSquaredError("sum"), "all": "mae"},
        loss_weights={"one": 2.0, "all": 0.5},
        metrics={"all": ["mse"]},
        weighted_metrics={"one": ["mae"]},
    )
    model.save(path)
    loaded = load_model(path)
    x, y = [X[:4], Y[:4, 0, :1].repeat(4, 1)], {"one": Y[:4, 0, :1], "all": Y[:4, :, :2]}
    assert loaded.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)


def test_load_weights_reads_it_too(path):
    model = of_steps()
    model.compile("adam", "mse")
    model.fit(X, Y[:, 0, :2], verbose=0)
    model.save(path)
    other = of_steps()
    other.load_weights(path)
    assert digest(other.get_weights()) == digest(model.get_weights())


# ---------------------------------------------------------------------- what is code


class OwnLoss(losses.MeanSquaredError):
    pass


class OwnSchedule(SCHEDULES.LearningRateSchedule):
    def __call__(self, step):
        return 0.1

    def get_config(self):
        return {}


class OwnOptimizer(optimizers.SGD):
    pass


def squares(y_true, y_pred):
    return np.square(y_pred - y_true).mean(axis=-1), (y_pred - y_true) / y_true.shape[-1]


def distance(y_true, y_pred):
    return np.abs(y_true - y_pred).mean(axis=-1)


@pytest.mark.parametrize(
    "told, named",
    [
        (("sgd", squares), "squares"),
        (("sgd", OwnLoss()), "OwnLoss"),
        (("sgd", "mse", None, [distance]), "distance"),
        ((optimizers.SGD(OwnSchedule()), "mse"), "OwnSchedule"),
        ((OwnOptimizer(), "mse"), "OwnOptimizer"),
    ],
)
def test_what_compile_was_told_is_left_out_where_it_is_code(told, named, path):
    model = of_steps()
    model.compile(*told)
    model.fit(X, Y[:, 0, :2], verbose=0)
    with pytest.warns(UserWarning, match=f"compile it after loading: .*{named}") as caught:
        model.save(path)
    assert caught[0].filename == __file__
    loaded = load_model(path)
    assert not loaded.compiled
    assert digest(loaded.get_weights()) == digest(model.get_weights())


class OwnLayer(layers.Dense):
    pass


class OwnCell(layers.LSTMCell):
    pass


def _initial(shape, dtype=None):
    return np.zeros(shape, dtype)


@pytest.mark.parametrize(
    "layer",
    [
        lambda: OwnLayer(3),
        lambda: layers.TimeDistributed(OwnLayer(3)),
        lambda: layers.RNN([layers.GRUCell(3), OwnCell(2)], return_sequences=True),
        lambda: layers.Dense(3, kernel_initializer=_initial),
    ],
)
def test_layers_that_are_code(layer, path):
    path.write_bytes(b"of before")
    model = of_steps(layer())
    with pytest.raises(TypeError, match=r"class of your own, Own|_initial"):
        model.save(path)
    assert path.read_bytes() == b"of before"


# ------------------------------------------------------------------------- what is refused


def test_where_a_model_cannot_be_saved(path, monkeypatch):
    model = of_steps()
    for wrong in ("model.keras", "model", "model.h5"):
        with pytest.raises(ValueError, match=r"filepath must end in \.safetensors, got 'model"):
            model.save(wrong)
    with pytest.raises(ValueError, match=r"has no weights yet; call build\(input_shape\)"):
        Sequential([layers.Dense(3)]).save(path)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        model.save(path.parent / "absent" / path.name)
    model.save(path)
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match="pass overwrite=True to replace it"):
        model.save(path, overwrite=False)

    def full(file, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.write", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*model.safetensors'"):
        model.save(path)
    assert path.read_bytes() == before


def test_files_of_keras():
    for name in ("a.keras", "a.weights.h5"):
        with pytest.raises(ValueError, match="read Keras's weights with load_weights"):
            load_model(name)
    with pytest.raises(ValueError, match=r"filepath must end in \.safetensors"):
        load_model("a.h5")


def refused(path, *mentioned):
    with pytest.raises(ValueError) as caught:
        load_model(path)
    for one in (str(path), *mentioned):
        assert one in str(caught.value), str(caught.value)


def test_other_files(path):
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors"):
        load_model(path)
    of_steps().save_weights(path)
    refused(path, "was not written by rnnfast")
    path.write_bytes(b"nothing of the kind")
    refused(path, "is no safetensors file")


def parts(data):
    """Return what a file says of its arrays and of the model, and the numbers."""
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    return header, json.loads(header["__metadata__"]["rnnfast"]), data[8 + length :]


def rewritten(path, header, note, numbers):
    text = note if isinstance(note, str) else json.dumps(note)
    header["__metadata__"]["rnnfast"] = text
    head = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(head)) + head + numbers)


@pytest.fixture
def saved(path):
    model = of_steps(layers.TimeDistributed(layers.Dense(3)))
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(X, Y[:, 0, :2], verbose=0)
    model.save(path)
    return path


def test_cut_short(saved):
    whole = saved.read_bytes()
    for length in [*range(0, len(whole), 101), len(whole) - 1]:
        saved.write_bytes(whole[:length])
        refused(saved)


def change(note, place, value):
    *way, last = place
    for key in way:
        note = note[key]
    note[last] = value


LAYERS = ("state", "config", "layers")
LSTM = (*LAYERS, 1, "config")
DAMAGES = [
    (("version",), 2, "is of format 2"),
    (("kind",), "run", "holds a 'run', wanted a 'model'"),
    (("state",), None, ""),
    (("state",), [], ""),
    (("state", "class_name"), "os.system", "os.system"),
    (("state", "class_name"), ["Model"], ""),
    (("state", "config"), {}, ""),
    ((*LAYERS, 1, "class_name"), "eval", "unknown layer 'eval'"),
    ((*LAYERS, 1, "class_name"), "subprocess.Popen", "unknown layer"),
    ((*LAYERS, 1, "class_name"), "Dense", ""),
    ((*LSTM, "units"), 10**12, "of shape (3, 4000000000000) would be more"),
    ((*LSTM, "units"), 10**400, ""),
    ((*LSTM, "units"), -4, "units must be a positive integer"),
    ((*LSTM, "units"), 4.0, "units must be a positive integer"),
    ((*LSTM, "units"), True, ""),
    ((*LSTM, "units"), 3, "(3, 16)"),
    ((*LSTM, "dropout"), 10**400, ""),
    ((*LSTM, "zoneout"), [0.1] * 3, ""),
    ((*LSTM, "dtype"), "object", "dtype must be"),
    ((*LSTM, "activation"), {"class_name": "print", "config": {}}, ""),
    ((*LSTM, "kernel_initializer"), {"class_name": "open", "config": {}}, "open"),
    ((*LSTM, "kernel_initializer"), {"class_name": "Zeros", "config": {"a": 1}}, ""),
    ((*LSTM, "kernel_regularizer"), "os.system", ""),
    ((*LSTM, "unknown"), 1, "unknown"),
    ((*LSTM, "batch_input_shape"), [None, 10**30, 3], None),
    (("state", "config", "input_shape"), [None, 5, 10**15], ""),
    (("state", "config", "input_shape"), [None, 5, -3], ""),
    (("state", "config", "input_shape"), "abc", ""),
    (("state", "config", "input", "batch_shape"), [None, 5, 10**15], "would be more"),
    (("state", "config", "layers"), [], ""),
    (("state", "config", "layers"), 5, ""),
    (("state", "compiled"), 3, ""),
    (("state", "compiled", "optimizer"), {"class_name": "exec", "config": {}}, "exec"),
    (("state", "compiled", "optimizer", "config", "learning_rate"), 10**400, ""),
    (("state", "compiled", "optimizer", "config", "learning_rate"), "fast", ""),
    (("state", "compiled", "loss"), {"class_name": "eval", "config": {}}, "eval"),
    (("state", "compiled", "metrics"), [["__import__"]], ""),
    (
        ("state", "compiled", "metrics"),
        [{"class_name": "AUC", "config": {"num_thresholds": 10**15}}],
        "num_thresholds must be from 2 to 1000000",
    ),
    (("state", "optimizer"), {}, "iterations"),
    (("state", "optimizer", "iterations"), {"array of this file": "dense/bias"}, ""),
    (("state", "optimizer", "iterations"), {"array of this file": ["x"]}, "arrays are missing"),
    (("state", "optimizer", "0/momentum"), -math.inf, ""),
]


@pytest.mark.parametrize("place, value, said", DAMAGES)
def test_other_values_in_the_configuration(place, value, said, saved):
    header, note, numbers = parts(saved.read_bytes())
    change(note, place, value)
    rewritten(saved, header, note, numbers)
    if said is None:  # of no consequence
        load_model(saved)
    else:
        refused(saved, said)


def test_deep_and_long_texts(saved):
    header, note, numbers = parts(saved.read_bytes())
    for depth in (300, 900, 10**5):
        layer = (
            '{"class_name": "TimeDistributed", "config": {"layer": ' * depth + "1" + "}}" * depth
        )
        inner = json.loads(layer) if depth == 300 else None
        change(note, (*LAYERS, 0), inner)
        text = json.dumps(note)
        rewritten(saved, header, text if inner else text.replace("null", layer, 1), numbers)
        refused(saved)
    rewritten(saved, header, '{"version": ' + "9" * 5000 + "}", numbers)
    refused(saved)
    rewritten(saved, header, "[" * 10**5, numbers)
    refused(saved, "was not written by rnnfast, or is damaged")


def test_other_arrays_than_the_layers_have(saved):
    header, note, numbers = parts(saved.read_bytes())
    header["dense/extra"] = header.pop("dense/bias")
    rewritten(saved, header, note, numbers)
    refused(saved, "missing ['dense/bias'], unexpected ['dense/extra']")


def test_numbers_that_the_layers_cannot_hold(saved):
    header, note, numbers = parts(saved.read_bytes())
    note["state"]["config"]["layers"][1]["config"]["dtype"] = "float64"
    rewritten(saved, header, note, numbers)
    refused(saved, "one dtype")


def test_one_bit_flipped_anywhere(saved):
    """Refused with the path, or loaded: nothing else comes out, whatever is in the file."""
    whole = saved.read_bytes()
    rng = np.random.default_rng(0)
    refusals = 0
    for place in rng.integers(len(whole) // 2, size=300):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        saved.write_bytes(damaged)
        try:
            load_model(saved)
        except ValueError as error:
            assert str(saved) in str(error)
            refusals += 1
    assert 0 < refusals < 300
