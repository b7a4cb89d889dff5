"""What every layer shares: names, dtypes, building, weights, arguments that are not there yet."""

import numpy as np
import pytest

from rnnfast import Sequential, layers, utils

MAKE = {
    "SimpleRNN": lambda **kw: layers.SimpleRNN(4, **kw),
    "LSTM": lambda **kw: layers.LSTM(4, **kw),
    "GRU": lambda **kw: layers.GRU(4, **kw),
    "Dense": lambda **kw: layers.Dense(4, **kw),
    "Embedding": lambda **kw: layers.Embedding(5, 4, **kw),
    "Dropout": lambda **kw: layers.Dropout(0.5, **kw),
    "Masking": lambda **kw: layers.Masking(**kw),
    "LayerNormalization": lambda **kw: layers.LayerNormalization(**kw),
    "Activation": lambda **kw: layers.Activation("silu", **kw),
    "Flatten": lambda **kw: layers.Flatten(**kw),
    "Reshape": lambda **kw: layers.Reshape((-1, 9), **kw),
    "GlobalAveragePooling1D": lambda **kw: layers.GlobalAveragePooling1D(**kw),
    "SpatialDropout1D": lambda **kw: layers.SpatialDropout1D(0.5, **kw),
    "RNN": lambda **kw: layers.RNN(layers.LSTMCell(4, dtype=kw.get("dtype")), **kw),
    "Bidirectional": lambda **kw: layers.Bidirectional(layers.GRU(4, dtype=kw.get("dtype")), **kw),
    "TimeDistributed": lambda **kw: layers.TimeDistributed(
        layers.Dense(4, dtype=kw.get("dtype")), **kw
    ),
}
all_layers = pytest.mark.parametrize("make", MAKE.values(), ids=MAKE.keys())


def built(layer):
    layer.build((None, None, 3))
    return layer


@all_layers
def test_an_unknown_argument_is_a_type_error_that_names_it(make):
    with pytest.raises(TypeError, match=r"unexpected argument 'unitz'"):
        make(unitz=1)


@all_layers
def test_an_argument_of_keras_that_is_not_there_yet_is_refused_and_named(make):
    not_yet = type(make()).not_yet
    make(**not_yet)
    for name in not_yet:
        with pytest.raises(NotImplementedError, match=f"support {name}='anything' yet"):
            make(**{name: "anything"})


def test_a_default_is_known_in_any_form():
    layers.LSTM(4, implementation=2, unroll=False)
    with pytest.raises(NotImplementedError, match=r"unroll=True"):
        layers.LSTM(4, unroll=True)


@all_layers
def test_names(make):
    first, second = make(), make()
    assert first.name != second.name
    assert first.name.replace("_", "").startswith(type(first).__name__.lower())
    assert make(name="mine").name == "mine"
    for bad in ("", "a/b", 3):
        with pytest.raises(ValueError, match="name"):
            make(name=bad)


@all_layers
@pytest.mark.parametrize("dtype", ["float32", "float64", np.float64])
def test_dtypes(make, dtype):
    layer = built(make(dtype=dtype))
    assert {weight.dtype for weight in layer.get_weights()} <= {np.dtype(dtype)}


@all_layers
@pytest.mark.parametrize("dtype", ["float16", "int32", "mixed_float16", "no dtype"])
def test_other_dtypes_are_refused(make, dtype):
    with pytest.raises(ValueError, match="dtype must be 'float32' or 'float64'"):
        make(dtype=dtype)


@all_layers
def test_weights_come_back_as_they_were_set(make):
    rng = np.random.default_rng(0)
    layer = built(make())
    weights = [rng.standard_normal(w.shape).astype(w.dtype) for w in layer.get_weights()]
    inside = layer.parameters
    layer.set_weights(weights)
    for got, wanted in zip(layer.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(got, wanted)
    # The optimizer holds on to the arrays: they are changed, not replaced.
    assert all(now is then for now, then in zip(layer.parameters, inside, strict=True))
    assert layer.count_params() == sum(weight.size for weight in weights)


@all_layers
def test_get_weights_gives_copies(make):
    layer = built(make())
    for weight in layer.get_weights():
        weight[...] = 99
    assert not any((weight == 99).any() for weight in layer.get_weights())


def test_set_weights_refuses_what_does_not_fit():
    dense = built(layers.Dense(4, name="head"))
    with pytest.raises(ValueError, match=r"layer 'head' must be 2 arrays \['kernel', 'bias'\]"):
        dense.set_weights([np.zeros((3, 4))])
    with pytest.raises(ValueError, match=r"kernel of layer 'head' must have shape \(3, 4\), got"):
        dense.set_weights([np.zeros((4, 3)), np.zeros(4)])
    with pytest.raises(ValueError, match="not built yet"):
        layers.Dense(4).set_weights([np.zeros((3, 4)), np.zeros(4)])


def test_building_again_keeps_the_weights():
    dense = built(layers.Dense(4))
    before = dense.get_weights()
    dense.build((None, 3))
    np.testing.assert_array_equal(dense.get_weights()[0], before[0])
    with pytest.raises(ValueError, match="built for inputs with 3 features"):
        dense.build((None, 5))


@all_layers
def test_a_layer_is_a_function_of_arrays(make):
    layer = make()
    x = np.ones((2, 6)) if isinstance(layer, layers.Embedding) else np.ones((2, 6, 3))
    y = layer(x)
    assert layer.built
    assert y.shape == layer.compute_output_shape(x.shape)
    assert y.dtype == np.float32


@pytest.mark.parametrize("units", [0, -1, 2.5, "4", True, None])
@pytest.mark.parametrize("kind", [layers.SimpleRNN, layers.LSTM, layers.GRU, layers.Dense])
def test_units_must_be_a_positive_integer(kind, units):
    with pytest.raises(ValueError, match="units must be a positive integer"):
        kind(units)


@pytest.mark.parametrize("kind", [layers.SimpleRNN, layers.LSTM, layers.GRU])
def test_a_seed_is_an_integer(kind):
    assert kind(4, seed=np.int64(3)).seed == 3
    assert kind(4).seed is None
    for bad in ("abc", 2.5, True):
        with pytest.raises(TypeError, match=f"seed must be an integer, got {bad!r}"):
            kind(4, seed=bad)
    with pytest.raises(ValueError, match="seed must not be negative, got -1"):
        kind(4, seed=-1)


def test_an_unknown_initializer_is_named():
    with pytest.raises(ValueError, match="unknown initializer 'glorot'"):
        layers.Dense(4, kernel_initializer="glorot")


@all_layers
def test_equal_seeds_give_equal_weights(make):
    weights = []
    for seed in (3, 3, 4):
        utils.set_random_seed(seed)
        weights.append(built(make()).get_weights())
    for first, second, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(first, second)
        assert not first.any() or first.ndim == 1 or (first != other).any()


@pytest.mark.parametrize("shape", [3, "ab", (2.5,), (-1,), (True, 3), None])
def test_input_takes_a_shape(shape):
    with pytest.raises(ValueError, match="shape must be a tuple of lengths and None"):
        layers.Input(shape)


def test_input_takes_its_shape_with_the_batch_axis_or_without():
    assert layers.Input(batch_shape=(4, None, 5)).shape == (4, None, 5)
    assert layers.Input((None, 5), 4).shape == (4, None, 5)
    assert layers.Input((5,), batch_shape=None).shape == (None, 5)
    for options in ({"shape": (5,)}, {"batch_size": 3}):
        with pytest.raises(ValueError, match=r"shape .* or batch_shape, not both"):
            layers.Input(batch_shape=(None, 5), **options)
    with pytest.raises(ValueError, match="must begin with the batch axis"):
        layers.Input(batch_shape=())


def test_input_declares_a_dtype_that_the_first_layer_takes():
    Sequential([layers.Input((5,), dtype="int32"), layers.Embedding(3, 2)])
    with pytest.raises(ValueError, match="takes float32, got Input with dtype='int32'"):
        Sequential([layers.Input((5, 2), dtype="int32"), layers.LSTM(3)])


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (MAKE["LSTM"], "use_bias"),
        (MAKE["LSTM"], "return_sequences"),
        (MAKE["RNN"], "return_sequences"),
        (MAKE["LSTM"], "unit_forget_bias"),
        (MAKE["GRU"], "reset_after"),
        (MAKE["Dense"], "use_bias"),
    ],
)
@pytest.mark.parametrize("value", ["False", None, 1])
def test_a_flag_is_true_or_false(make, name, value):
    with pytest.raises(TypeError, match=f"{name} must be True or False, got {value!r}"):
        make(**{name: value})


@pytest.mark.parametrize("value", ["1.5", 1j, None])
def test_only_numbers_go_in(value):
    layer = built(MAKE["LSTM"]())
    with pytest.raises(TypeError, match="x must be an array of numbers"):
        layer(np.full((1, 2, 3), value))
    weights = layer.get_weights()
    with pytest.raises(TypeError, match="weights must be an array of numbers"):
        layer.set_weights([weights[0], weights[1], np.full(weights[2].shape, value)])
    for before, after in zip(weights, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
