"""Arrays in Keras's order: there and back, and against our own layers, which have them as well."""

import numpy as np
import pytest

import rnnfast
from rnnfast import layers
from rnnfast.weights import StackWeights, from_keras, to_keras

rng = np.random.default_rng(9)
GATES = {"lstm": 4, "gru": 3, "rnn": 1}


def arrays(cell, features=3, units=4, bias="plain", dtype=np.float32):
    columns = GATES[cell] * units
    shapes = [(features, columns), (units, columns)]
    shapes += {"plain": [(columns,)], "two": [(2, columns)], "none": []}[bias]
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


def same(found, wanted):
    return len(found) == len(wanted) and all(
        f.tobytes() == w.tobytes() and f.shape == w.shape
        for f, w in zip(found, wanted, strict=True)
    )


@pytest.mark.parametrize(
    ("cell", "bias"), [*((c, b) for c in GATES for b in ("plain", "none")), ("gru", "two")]
)
def test_there_and_back_bit_for_bit(cell, bias):
    given = arrays(cell, bias=bias, dtype=np.float64)
    weights = from_keras(cell, given)
    assert weights.options == ({"reset_after": False} if (cell, bias) == ("gru", "plain") else {})
    assert same(to_keras(weights), given)


def test_layers_and_directions():
    lower = [*arrays("gru", bias="two"), *arrays("gru", bias="two")]
    upper = [*arrays("gru", 8, bias="two"), *arrays("gru", 8, bias="two")]
    weights = from_keras("gru", [lower, upper], bidirectional=True)
    assert (len(weights.layers), weights.bidirectional) == (2, True)
    for found, wanted in zip(to_keras(weights), [lower, upper], strict=True):
        assert same(found, wanted)


@pytest.mark.parametrize(
    ("cell", "layer", "options"),
    [
        ("lstm", layers.LSTM(4, return_sequences=True), {}),
        ("gru", layers.GRU(4, return_sequences=True), {}),
        ("gru", layers.GRU(4, return_sequences=True, reset_after=False), {}),
        ("gru", layers.GRU(4, return_sequences=True, use_bias=False), {}),
        ("rnn", layers.SimpleRNN(4, return_sequences=True), {}),
        (
            "lstm",
            layers.LSTM(4, return_sequences=True, recurrent_activation="hard_sigmoid"),
            {"activations": (("hard_sigmoid", 1 / 6, 0.5), "tanh", "tanh")},
        ),
    ],
)
def test_they_compute_what_the_layer_does(cell, layer, options):
    x = rng.normal(size=(2, 6, 3)).astype(np.float32)
    layer(x)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.get_weights()])
    packed = rnnfast.prepack(**from_keras(cell, layer.get_weights(), **options).arguments())
    np.testing.assert_array_equal(packed(x, batch_first=True).y, layer(x))


def test_two_biases_become_one():
    b_ih, b_hh = rng.normal(size=(2, 16))
    weights = StackWeights("lstm", np.ones((16, 3)), np.ones((16, 4)), b_ih, b_hh)
    np.testing.assert_array_equal(to_keras(weights)[2], b_ih + b_hh)
    only = StackWeights("gru", np.ones((12, 3)), np.ones((12, 4)), b_hh=np.ones(12))
    np.testing.assert_array_equal(to_keras(only)[2], np.stack([np.zeros(12), np.ones(12)]))


@pytest.mark.parametrize(
    ("words", "cell", "given", "options"),
    [
        ("cell must be one of", "mgru", arrays("gru"), {}),
        ("arrays must be kernel, recurrent", "lstm", arrays("lstm")[:1], {}),
        ("arrays must be kernel, recurrent", "lstm", [], {}),
        (r"arrays\[1\] must be kernel", "lstm", [arrays("lstm"), arrays("lstm")[:1]], {}),
        ("must be twice kernel", "lstm", arrays("lstm"), {"bidirectional": True}),
        (r"bias of arrays must be 1-D", "lstm", [*arrays("lstm")[:2], np.ones((2, 16), "f4")], {}),
        (r"bias of arrays must be 1-D", "gru", [*arrays("gru")[:2], np.ones((3, 12), "f4")], {}),
        ("must have 4.H columns", "lstm", [np.ones((3, 15), "f4"), *arrays("lstm")[1:]], {}),
        ("must have 4.H columns", "lstm", [np.ones(16, "f4"), *arrays("lstm")[1:]], {}),
        ("with reset_after=False", "gru", arrays("gru", bias="two"), {"reset_after": False}),
        (r"with reset_after=True, got \(12,\)", "gru", arrays("gru"), {"reset_after": True}),
        ("w_hh must be", "lstm", [*arrays("lstm")[:1], *arrays("lstm", 3)[:1]], {}),
        (r"w_ih\[1\] must be", "rnn", [arrays("rnn"), arrays("rnn", 5)], {}),
    ],
)
def test_what_does_not_fit_is_refused(words, cell, given, options):
    with pytest.raises(ValueError, match=words):
        from_keras(cell, given, **options)


def test_dtypes_are_not_mixed():
    with pytest.raises(TypeError, match="must be float32"):
        from_keras("lstm", [*arrays("lstm")[:2], np.ones(16)])


@pytest.mark.parametrize(
    "weights",
    [
        StackWeights("mgu", np.ones((4, 3)), np.ones((4, 2))),
        StackWeights("lstm", np.ones((8, 3)), np.ones((8, 2)), peephole=np.ones(6)),
        StackWeights("lstm", np.ones((8, 3)), np.ones((8, 1)), w_hr=np.ones((1, 2))),
        StackWeights("lstm", np.ones((6, 3)), np.ones((6, 2)), forget_gate="none"),
    ],
    ids=repr,
)
def test_what_keras_lacks_is_not_given_to_it(weights):
    with pytest.raises(ValueError, match=r"^Keras"):
        to_keras(weights)
