"""Layers written down and made again: the same configuration, and the same numbers."""

import copy
import inspect
import json
import pickle

import numpy as np
import pytest

from rnnfast import initializers, layers, regularizers
from rnnfast.layers import serialization
from rnnfast.layers.merge import Merge

RNG = np.random.default_rng(0)
X = RNG.standard_normal((2, 4, 3))
X_IMAGES = RNG.standard_normal((2, 4, 3, 4, 2))

CELL = {
    "use_bias": False,
    "kernel_initializer": initializers.VarianceScaling(2.0, "fan_out", seed=3),
    "recurrent_initializer": initializers.Orthogonal(0.5),
    "bias_initializer": initializers.Constant(0.3),
    "kernel_regularizer": regularizers.L1L2(0.1, 0.2),
    "recurrent_regularizer": "l1",
    "bias_regularizer": regularizers.L2(0.3),
    "dropout": 0.1,
    "recurrent_dropout": 0.2,
    "weight_dropout": 0.3,
    "zoneout": 0.4,
    "seed": 5,
}
LAYER = {"name": "mine", "dtype": "float64", "trainable": False}
SEQUENCE = {
    "return_sequences": True,
    "return_state": True,
    "go_backwards": True,
    "stateful": True,
    "zero_output_for_mask": True,
}
RECURRENT = {**CELL, **SEQUENCE, **LAYER, "batch_input_shape": (2, 4, 3)}
LSTM = {
    "activation": "softsign",
    "recurrent_activation": "hard_sigmoid",
    "unit_forget_bias": False,
    "projection": 2,
    "projection_initializer": "he_uniform",
    "peephole": True,
}
IMAGES = {
    "activation": "softsign",
    "recurrent_activation": "hard_sigmoid",
    "unit_forget_bias": False,
    **{name: value for name, value in CELL.items() if name not in ("weight_dropout", "zoneout")},
    **SEQUENCE,
    **LAYER,
    "input_shape": (4, 3, 4, 2),
}
GRU = {"activation": "relu", "recurrent_activation": None, "reset_after": False}
F64 = {"dtype": "float64"}

# Of every class one with other arguments than the defaults, and what these do not go with.
MADE = {
    "SimpleRNN": lambda: layers.SimpleRNN(5, "relu", **RECURRENT),
    "LSTM": lambda: layers.LSTM(5, **LSTM, **{**RECURRENT, "zoneout": (0.1, 0.2)}),
    "GRU": lambda: layers.GRU(5, **GRU, **RECURRENT),
    "LightGRU": lambda: layers.LightGRU(5, "tanh", "hard_sigmoid", **RECURRENT),
    **{
        f"{name}, in bfloat16": lambda kind=kind: kind(5, precision="bfloat16")
        for name, kind in {
            "SimpleRNN": layers.SimpleRNN,
            "LSTM": layers.LSTM,
            "GRU": layers.GRU,
            "LightGRU": layers.LightGRU,
        }.items()
    },
    "LSTM, defaults": lambda: layers.LSTM(5),
    "LSTM, normalized": lambda: layers.LSTM(5, layer_norm=True, use_bias=True),
    "GRU, normalized": lambda: layers.GRU(5, layer_norm=True),
    "Dense": lambda: layers.Dense(
        5,
        "silu",
        False,
        initializers.RandomUniform(-0.1, 0.2, seed=4),
        np.arange(5.0),
        "l2",
        "l1",
        input_dim=3,
        **LAYER,
    ),
    "Embedding": lambda: layers.Embedding(
        7, 5, "ones", "l2", mask_zero=True, input_length=4, **LAYER
    ),
    "Dropout": lambda: layers.Dropout(0.3, seed=3, input_shape=(4, 3), **LAYER),
    "SpatialDropout1D": lambda: layers.SpatialDropout1D(0.3, seed=3, **LAYER),
    "Masking": lambda: layers.Masking(-1.5, **LAYER),
    "Activation": lambda: layers.Activation("selu", **LAYER),
    "Flatten": lambda: layers.Flatten("channels_last", **LAYER),
    "Reshape": lambda: layers.Reshape((-1, 2), **LAYER),
    "GlobalAveragePooling1D": lambda: layers.GlobalAveragePooling1D("channels_last", True, **LAYER),
    "LayerNormalization": lambda: layers.LayerNormalization(
        -1, 0.1, False, True, "ones", initializers.Constant(0.5), "l1", "l2", **LAYER
    ),
    "LayerNormalization, of itself": lambda: layers.LayerNormalization(scale=False, center=False),
    "Add": lambda: layers.Add(**LAYER),
    "Concatenate": lambda: layers.Concatenate(1, **LAYER),
    "Attention": lambda: layers.Attention(True, "concat", 0.3, 3, **LAYER),
    "AdditiveAttention": lambda: layers.AdditiveAttention(False, 0.3, seed=3, **LAYER),
    "AdditiveAttention, scaled": lambda: layers.AdditiveAttention(name="mine"),
    "RepeatVector": lambda: layers.RepeatVector(3, **LAYER),
    "RNN": lambda: layers.RNN(
        [layers.LSTMCell(5, **LSTM, **CELL, **F64), layers.GRUCell(4, **GRU, **CELL, **F64)],
        **SEQUENCE,
        **LAYER,
    ),
    "RNN, one cell": lambda: layers.RNN(layers.SimpleRNNCell(5, "relu", name="inner", **CELL)),
    "RNN, stacked": lambda: layers.RNN(
        layers.StackedRNNCells([layers.LSTMCell(5), layers.SimpleRNNCell(4, trainable=False)])
    ),
    "Bidirectional": lambda: layers.Bidirectional(
        layers.GRU(5, name="there", return_sequences=True, **CELL, **F64), "sum", **LAYER
    ),
    "Bidirectional, two": lambda: layers.Bidirectional(
        layers.GRU(5, trainable=False),
        None,
        backward_layer=layers.RNN([layers.LSTMCell(5)], go_backwards=True, name="back"),
    ),
    "ConvLSTM2D": lambda: layers.ConvLSTM2D(5, (2, 3), 2, "same", "channels_last", **IMAGES),
    "ConvLSTM2D, dilated": lambda: layers.ConvLSTM2D(5, 2, dilation_rate=(1, 2)),
    "TimeDistributed": lambda: layers.TimeDistributed(
        layers.Dense(5, "tanh", kernel_regularizer="l2", **F64), **LAYER
    ),
}
CELLS = {
    "LSTMCell": lambda: layers.LSTMCell(5, name="mine", trainable=False, **LSTM, **CELL),
    "GRUCell": lambda: layers.GRUCell(5, name="mine", **GRU, **CELL),
    "SimpleRNNCell": lambda: layers.SimpleRNNCell(5, "relu", name="mine", **CELL),
    "StackedRNNCells": lambda: layers.StackedRNNCells([layers.LSTMCell(5), layers.GRUCell(4)]),
}
ALL = {**MADE, **CELLS}


def again(layer):
    """A layer that went through the text of a file."""
    text = json.dumps(layers.serialize(layer), allow_nan=False)
    return layers.deserialize(json.loads(text))


def arrays(result):
    return [result] if isinstance(result, np.ndarray) else [a for r in result for a in arrays(r)]


@pytest.mark.parametrize("make", ALL.values(), ids=ALL.keys())
def test_a_configuration_comes_back(make):
    layer = make()
    copy = again(layer)
    assert type(copy) is type(layer)
    assert copy.get_config() == layer.get_config()
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


@pytest.mark.parametrize("make", MADE.values(), ids=MADE.keys())
def test_numbers_come_back(make):
    layer = make()
    copy = again(layer)
    x = RNG.integers(7, size=(2, 4)) if isinstance(layer, layers.Embedding) else X
    x = X[:, 0] if isinstance(layer, layers.RepeatVector) else x
    x = X_IMAGES if isinstance(layer, layers.ConvLSTM2D) else x
    x = [X, X] if isinstance(layer, Merge) else x
    wanted = layer(x)
    assert copy(x) is not None  # builds it
    assert copy.weight_names == layer.weight_names
    copy.set_weights(layer.get_weights())
    if hasattr(layer, "reset_state"):
        copy.reset_state()
    for got, want in zip(arrays(copy(x)), arrays(wanted), strict=True):
        np.testing.assert_array_equal(got, want)
    assert copy.penalty() == layer.penalty()
    assert len(copy.trainable_parameters) == len(layer.trainable_parameters)
    # Seeds that were given give the same masks.
    if not isinstance(layer, (layers.RNN, layers.Bidirectional)) and hasattr(layer, "seed"):
        fresh = again(layer)
        fresh.build([X.shape, X.shape] if isinstance(layer, Merge) else x.shape)
        fresh.set_weights(layer.get_weights())
        if hasattr(layer, "reset_state"):
            layer.reset_state()
        if layer.seed is not None:
            x = x if isinstance(layer, Merge) else x.astype(layer.dtype)
            y, _ = layer.vjp(x, wrt_input=False)
            fresh_y, _ = fresh.vjp(x, wrt_input=False)
            np.testing.assert_array_equal(fresh_y, y)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
@pytest.mark.parametrize("make", ALL.values(), ids=ALL.keys())
def test_layers_can_be_copied_and_sent_to_another_process(make, duplicate):
    layer = make()
    twin = duplicate(layer)
    assert twin.get_config() == layer.get_config()
    if isinstance(layer, layers.Dense):
        layer.build((None, 3))
        np.testing.assert_array_equal(duplicate(layer)(X), layer(X))
        with pytest.raises(ValueError, match="has no weights yet"):
            twin.call(X)


def test_every_layer_is_tried_with_all_its_arguments():
    tried = {name.partition(",")[0] for name in ALL}
    classes = {name for name in layers.__all__ if inspect.isclass(getattr(layers, name))}
    assert tried == serialization._by_name.keys() - {"Input"}
    assert tried == classes - {"Layer", "Input"}
    # What no call of a class has changed may as well be missing from its configuration.
    for name in tried:
        signature = inspect.signature(getattr(layers, name))
        configs = [
            make().get_config() for made, make in ALL.items() if made.partition(",")[0] == name
        ]
        for argument, parameter in signature.parameters.items():
            if parameter.default is parameter.empty or argument in ("layer_norm", "axis"):
                continue
            values = [config[argument] for config in configs]
            assert any(value != parameter.default for value in values), (name, argument)


def test_a_drawn_seed_is_not_written_down():
    config = layers.Dense(3).get_config()
    assert config["kernel_initializer"] == {
        "class_name": "GlorotUniform",
        "config": {"seed": None},
    }
    assert "batch_input_shape" not in config
    assert config["activation"] == "linear"


def test_what_is_frozen_inside_stays_frozen():
    layer = layers.TimeDistributed(layers.Dense(3))
    layer.layer.trainable = False
    copy = again(layer)
    assert (copy.trainable, copy.layer.trainable) == (True, False)
    both = layers.Bidirectional(layers.LSTM(3))
    both.trainable = False
    assert not again(both).forward_layer.trainable


def test_code_is_not_written_down():
    layer = layers.Dense(3, kernel_initializer=lambda shape, dtype: np.zeros(shape, dtype))
    with pytest.raises(TypeError, match="kernel_initializer must be an object with a get_config"):
        layers.serialize(layer)

    class Own(layers.Dense):
        def __init__(self, units, factor):
            super().__init__(units)

    with pytest.raises(TypeError, match="Own does not keep its argument 'factor' as an attribute"):
        layers.serialize(Own(3, 2))


def test_a_class_of_ones_own_comes_back_by_itself():
    class Scaled(layers.Dense):
        def __init__(self, units, factor=2.0, **options):
            super().__init__(units, **options)
            self.factor = factor

    layer = Scaled.from_config(Scaled(3, factor=0.5, name="mine").get_config())
    assert (layer.units, layer.factor, layer.name) == (3, 0.5, "mine")
    with pytest.raises(ValueError, match=r"unknown layer 'Scaled'; it is none of rnnfast's"):
        again(layer)


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        ({"class_name": "LSMT", "config": {}}, ValueError, "'LSMT'; did you mean 'LSTM'"),
        ({"class_name": "os.system", "config": {}}, ValueError, "unknown layer 'os.system'"),
        ({"class_name": "Layer", "config": {}}, ValueError, "unknown layer 'Layer'"),
        ({"class_name": "register", "config": {}}, ValueError, "unknown layer 'register'"),
        ({"class_name": 3, "config": {}}, ValueError, "must have the keys class_name and config"),
        ({"class_name": "LSTM"}, ValueError, "must have the keys class_name and config"),
        ([], ValueError, "must have the keys class_name and config"),
        (
            {"class_name": "LSTM", "config": {"units": 3, "run": "me"}},
            TypeError,
            "unexpected argument 'run'",
        ),
        ({"class_name": "LSTM", "config": {"units": "3"}}, ValueError, "positive integer"),
        ({"class_name": "LSTM", "config": {}}, TypeError, "units"),
        (
            {
                "class_name": "TimeDistributed",
                "config": {"layer": {"class_name": "Lambda", "config": {}}},
            },
            ValueError,
            "unknown layer 'Lambda'",
        ),
        (
            {
                "class_name": "Dense",
                "config": {
                    "units": 3,
                    "kernel_initializer": {"class_name": "eval", "config": {}},
                },
            },
            ValueError,
            "unknown initializer 'eval'",
        ),
        (
            {
                "class_name": "Dense",
                "config": {"units": 3, "kernel_regularizer": {"class_name": "L3", "config": {}}},
            },
            ValueError,
            "unknown regularizer 'L3'",
        ),
    ],
)
def test_what_is_not_ours_is_refused(config, error, message):
    with pytest.raises(error, match=message):
        layers.deserialize(config)
