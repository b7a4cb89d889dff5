"""Layers described: what is kept of them, and what is refused."""

import copy
import pickle

import numpy as np
import pytest

import rnnfast
from rnnfast.weights import StackWeights

rng = np.random.default_rng(3)


def arrays(gates=4, inputs=3, hidden=5, width=None):
    width = width or hidden
    return {
        "w_ih": rng.normal(size=(gates * hidden, inputs)),
        "w_hh": rng.normal(size=(gates * hidden, width)),
    }


@pytest.mark.parametrize(
    ("cell", "given"),
    [
        ("lstm", {**arrays(), "b_ih": rng.normal(size=20)}),
        ("lstm", {**arrays(width=2), "w_hr": rng.normal(size=(2, 5))}),
        ("lstm", {**arrays(), "peephole": rng.normal(size=15), "zoneout": (0.1, 0.25)}),
        ("lstm", {**arrays(3), "forget_gate": "coupled", "clip": 3.0}),
        ("gru", {**arrays(3), "reset_after": False, "reverse": True}),
        ("rnn", {**arrays(1), "activations": ("leaky_relu", 0.125)}),
        ("gru", {name: [one, one] for name, one in arrays(3, inputs=5).items()}),
    ],
)
def test_arguments_make_the_same_once_more(cell, given):
    weights = StackWeights(cell, **given)
    arguments = weights.arguments()
    assert arguments.pop("cell") == weights.cell == cell
    assert arguments.keys() == given.keys()
    for name, value in given.items():
        np.testing.assert_array_equal(arguments[name], value)
    again = StackWeights(cell, **arguments)
    assert repr(again) == repr(weights)
    assert again.options == weights.options


def test_sizes_are_told():
    both = [rng.normal(size=(20, 3))] * 2 + [rng.normal(size=(20, 4))] * 2
    weights = StackWeights(
        "lstm",
        both,
        [rng.normal(size=(20, 2))] * 4,
        w_hr=[rng.normal(size=(2, 5))] * 4,
        bidirectional=True,
    )
    assert (weights.input_size, weights.hidden_size, weights.proj_size) == (3, 5, 2)
    assert (len(weights.layers), weights.bidirectional, weights.stacked) == (2, True, True)
    assert weights.dtype == np.float64
    assert "layers=2, input_size=3, hidden_size=5, proj_size=2" in repr(weights)


def test_they_are_read_only_copies():
    given = arrays()
    weights = StackWeights("lstm", **given)
    before = given["w_ih"].copy()
    given["w_ih"][:] = 0
    np.testing.assert_array_equal(weights.layers[0][0].w_ih, before)
    with pytest.raises(ValueError, match="read-only"):
        weights.layers[0][0].w_ih[:] = 0
    weights.options["clip"] = 1.0
    assert weights.options == {}


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda w: pickle.loads(pickle.dumps(w))])
def test_copies_are_equal(copied):
    weights = StackWeights("gru", **arrays(3), reset_after=False)
    again = copied(weights)
    assert again.options == weights.options
    np.testing.assert_array_equal(again.layers[0][0].w_hh, weights.layers[0][0].w_hh)


@pytest.mark.parametrize(
    ("error", "words", "cell", "changed"),
    [
        (ValueError, "cell must be .* got 'LSTM'; pass 'lstm'", "LSTM", {}),
        (
            TypeError,
            "'reset_afer' is no option.*did you mean 'reset_after'",
            "gru",
            {"reset_afer": 1},
        ),
        (ValueError, "reset_after is an option of cell 'gru'", "lstm", {"reset_after": False}),
        (TypeError, "reverse must be True or False", "lstm", {"reverse": 1}),
        (ValueError, "bidirectional=True needs sequences", "lstm", {"bidirectional": True}),
        (ValueError, r"b_ih must be \(4\*H,\) = \(20,\)", "lstm", {"b_ih": np.zeros(19)}),
        (
            TypeError,
            "w_hh must be float64 like w_ih",
            "lstm",
            {"w_hh": np.ones((20, 5), "f4")},
        ),
        (TypeError, "w_ih must be float32 or float64", "lstm", {"w_ih": np.zeros((20, 3), int)}),
        (ValueError, "zoneout must be from 0", "lstm", {"zoneout": 1.0}),
        (ValueError, "clip must be None or a number above 0", "lstm", {"clip": -1.0}),
    ],
)
def test_what_does_not_fit_is_refused(error, words, cell, changed):
    with pytest.raises(error, match=words):
        StackWeights(cell, **{**arrays(), **changed})


def test_prepack_takes_the_arguments():
    weights = StackWeights("lstm", **arrays())
    x = rng.normal(size=(4, 2, 3))
    found = rnnfast.prepack(**weights.arguments())(x)
    np.testing.assert_array_equal(found.y, rnnfast.lstm(x, *weights.layers[0][0][:2]).y)
